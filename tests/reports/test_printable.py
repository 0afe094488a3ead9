"""Text from files is shown without marks that a page cannot show or must not obey."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from hounsfield.reports.names import printable

DIRECTION_MARKS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
SHOWN_AS = {"Cc": " ", "Cs": "\ufffd", "Zl": " ", "Zp": " "}


def test_every_character_is_shown_as_its_unicode_category_asks():
    for number in range(0x3000):
        character = chr(number)
        expected = SHOWN_AS.get(unicodedata.category(character), character)
        assert printable(character) == ("" if character in DIRECTION_MARKS else expected)
    assert printable("\ud800x\udfff") == "\ufffdx\ufffd"


@given(st.text(), st.text())
def test_text_is_shown_character_by_character_and_showing_again_changes_nothing(first, second):
    assert printable(first + second) == printable(first) + printable(second)
    assert printable(printable(first)) == printable(first)
