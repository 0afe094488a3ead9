"""Text from files is shown and never obeyed: on the page, in the PDF, in the pictures and their names."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from tests.reports import example_readings as examples

from hounsfield.core import Condition, Finding, Region, Study
from hounsfield.core import code as codes
from hounsfield.reports import IndexEntry, draft, index_page
from hounsfield.reports.pdf import MISSING_SIGNS

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}{% include 'x' %}",
    "</style><style>*{display:none}",
    "&lt;b&gt; &amp;amp; <b>",
    "javascript:alert(1)",
    "<para><font size=99>",
)
KEYWORDS = ("PatientName", "PatientID", "StudyDescription", "AccessionNumber", "InstitutionName")


def hostile_reading(text):
    """Every text of a reading that can come from a file."""
    reading, image, study = examples.lungs()
    region = replace(reading.regions[0], name=text, concept=replace(codes.LUNG, meaning=text[:64]))
    finding = Finding("one", replace(codes.LESION, meaning=text[:64]), "present", text, regions=(text,))
    measured = examples.measurement(region=text, note=text)
    reading = replace(
        reading,
        regions=(region,),
        findings=(finding,),
        measurements=(measured,),
        conditions=(Condition("odd-text", "warning", text, (text,)),),
        title=text,
    )
    series = replace(study.series[0], description=text, tags={"KVP": text, "ConvolutionKernel": text})
    return (
        reading,
        image,
        Study(study.key, (series,), study.study_instance_uid, dict.fromkeys(KEYWORDS, text)),
    )


class Parts(HTMLParser):
    """Tags with their attributes, and the text between them."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def plain_tags():
    reading, image, study = hostile_reading("plain words")
    return [tag for tag, _ in Parts(draft(reading, image, study=study).html.decode()).tags]


@pytest.mark.parametrize("text", HOSTILE)
def test_page_shows_it_as_text_and_has_no_tag_more(text, plain_tags):
    reading, image, study = hostile_reading(text)
    parts = Parts(draft(reading, image, study=study).html.decode())
    assert [tag for tag, _ in parts.tags] == plain_tags
    assert sum(text in shown for shown in parts.text) >= 8
    for _, attributes in parts.tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href"):
            assert str(attributes.get(name, "data:")).startswith(("data:", "#"))


def test_page_forbids_by_its_policy_what_an_unescaped_text_could_do():
    reading, image, study = examples.lungs()
    parts = Parts(draft(reading, image, study=study).html.decode())
    (policy,) = [a["content"] for t, a in parts.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "img-src data:" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("text", HOSTILE)
def test_pdf_is_made_of_any_text(text):
    reading, image, study = hostile_reading(text)
    pdf = draft(reading, image, study=study).pdf
    assert pdf.startswith(b"%PDF")
    assert b"/JavaScript" not in pdf
    assert b"/URI" not in pdf


@pytest.mark.parametrize(
    "text", ["a\x00b\x1b[31m", "\u202eevil\u202c", "x" * 5000, "\ud800", "\u2028line", "", " ", "\U0001f9e0"]
)
def test_marks_that_steer_and_texts_without_end_break_nothing(text):
    reading, image, study = examples.lungs()
    study = replace(study, tags={**study.tags, "PatientName": text, "StudyDescription": text})
    reading = replace(reading, conditions=(Condition("odd-text", "note", f"Told: {text}."),))
    documents = draft(reading, image, study=study)
    page = documents.html.decode("utf-8")
    assert not re.search(r"[\x00\x1b\u202a-\u202e\u2066-\u2069]", page)
    assert documents.pdf.startswith(b"%PDF")


@pytest.mark.peer
@pytest.mark.parametrize(
    ("name", "is_lacking"), [("Müller^Anna", False), ("Ждан^Ольга", False), ("山田^太郎", True)]
)
def test_pdf_says_where_its_font_lacks_a_sign(name, is_lacking, tmp_path, peer_program):
    reading, image, study = examples.lungs()
    study = replace(study, tags={**study.tags, "PatientName": name})
    documents = draft(reading, image, study=study)
    (tmp_path / "report.pdf").write_bytes(documents.pdf)
    words = [peer_program("pdftotext"), "-layout", str(tmp_path / "report.pdf"), "-"]
    said = subprocess.run(words, capture_output=True, check=True, timeout=60).stdout.decode("utf-8")
    shown = name.replace("^", ", ")
    assert (" ".join(MISSING_SIGNS.split()[:4]) in " ".join(said.split())) == is_lacking
    assert (shown in said) or is_lacking
    assert shown in documents.html.decode("utf-8")


def test_pictures_of_hostile_regions_have_names_of_their_own():
    reading, image, study = examples.lungs()
    grid = image.grid
    regions = [
        Region(f"{text} {k}", codes.LUNG, grid, r.mask)
        for k, (text, r) in enumerate(zip(HOSTILE, reading.regions * 4, strict=False))
    ]
    documents = draft(
        replace(reading, regions=tuple(regions), measurements=(), findings=()), image, study=study
    )
    names = [picture.name for picture in documents.pictures]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("text", HOSTILE)
def test_overview_escapes_names_and_links(text):
    page = index_page([IndexEntry(text, text, "complete", "a/b.html", (text,))]).decode()
    assert {tag for tag, _ in Parts(page).tags}.isdisjoint({"script", "img", "font", "para"})
    assert sum(text in shown for shown in Parts(page).text) == 3
