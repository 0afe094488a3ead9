"""Pages of a reading: they say what it says, hold nothing foreign, and are the same each time."""

from __future__ import annotations

import re

import pytest
from tests.reports import example_readings as examples

from hounsfield.reports import IndexEntry, draft, index_page


def drafted(make):
    reading, image, study = make()
    return reading, draft(reading, image, study=study)


MAKERS = [examples.lungs, examples.tumour, examples.uptake]


@pytest.mark.parametrize("make", MAKERS)
def test_page_is_self_contained_and_names_every_measurement(make):
    reading, documents = drafted(make)
    page = documents.html.decode()
    assert "Research use only. Not a medical device." in page
    assert not re.findall(r'(?:src|href)="(?!data:|#)[^"]+"', page)
    assert "<script" not in page
    for measured in reading.all_measurements():
        assert measured.rule in page


@pytest.mark.parametrize("make", MAKERS)
def test_equal_readings_give_equal_documents(make):
    (_, one), (_, two) = drafted(make), drafted(make)
    assert one.html == two.html
    assert one.pdf == two.pdf
    assert one.pdf.startswith(b"%PDF")


@pytest.mark.parametrize("make", MAKERS)
def test_pictures_have_names_of_their_own_and_are_not_empty(make):
    _, documents = drafted(make)
    assert documents.pictures
    assert all(int(picture.rgb.max()) > int(picture.rgb.min()) for picture in documents.pictures)


def test_index_lists_every_reading_and_escapes_names():
    entry = IndexEntry("Study <script>", "Lungs", "complete", "a/report.html", ("Volume 1 mL",))
    page = index_page([entry]).decode()
    assert "<script>" not in page
    assert 'href="a/report.html"' in page
