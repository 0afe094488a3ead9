"""Words of a report: the one way in which the text figures here cut a text, so that their numbers can be compared.

Text figures depend on the cutting as much as on the text. Figures of a list of words (`bleu`, `rouge_n`, `rouge_l`)
take any words; whoever compares with published numbers must cut as they did.
"""

from __future__ import annotations

import re
import unicodedata

# A number with its decimals, else letters and digits with inner apostrophes; else one other sign.
_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W_]+(?:['\u2019][^\W_]+)*|[^\s]")


def report_words(text: str, *, punctuation: bool = False) -> list[str]:
    """The words of a text, in lower case and composed form (NFC).

    A number keeps its decimals ("3.5"), a hyphen parts words ("left-sided" is two), an apostrophe within a word does
    not. Signs are dropped, or with punctuation=True are words of one character each. No stemming, no synonyms, any
    language that parts words by spaces.

    >>> report_words("A 3.5-mm nodule, left lung.")
    ['a', '3.5', 'mm', 'nodule', 'left', 'lung']
    """
    found = _WORD.findall(unicodedata.normalize("NFC", text).casefold())
    return found if punctuation else [word for word in found if word[0].isalnum()]
