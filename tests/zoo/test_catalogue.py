"""The catalogue: every entry is whole, cited and honest about its digest; searching finds by word and filter."""

from __future__ import annotations

import pytest

from hounsfield.core.errors import ModelError, UsageError
from hounsfield.zoo.catalogue import catalogue, find_entry, read_catalogue, search_catalogue
from hounsfield.zoo.download import check_address
from hounsfield.zoo.model_formats import model_formats

ENTRY = """
[[model]]
name = "one"
title = "One"
area = ["brain"]
modality = ["MR"]
task = "segmentation"
format = "x"
urls = ["https://example.org/one.zip"]
licence = { name = "MIT", commercial_use = "allowed", stated_at = "https://example.org" }
paper = "none"
evidence = "none"
sources = ["https://example.org"]
"""


def test_the_catalogue_is_large_enough_to_be_of_use_and_covers_the_areas():
    assert 30 <= len(catalogue()) <= 80
    areas = {area for entry in catalogue() for area in entry.area}
    assert {"abdomen", "bone", "brain", "breast", "chest", "heart", "prostate"} <= areas


@pytest.mark.parametrize("entry", catalogue(), ids=lambda entry: entry.name)
def test_an_entry_can_be_asked_for_and_is_imported_by_a_format_that_is_there(entry):
    for url in (*entry.urls, *entry.beside):
        check_address(url)
    assert entry.importer is None or entry.importer in model_formats.names()
    assert bool(entry.urls) != (entry.licence.gate == "publisher")


def test_addresses_of_files_are_not_shared():
    urls = [url for entry in catalogue() for url in entry.urls]
    assert len(set(urls)) == len(urls)


def test_words_and_filters_narrow_the_search():
    every = search_catalogue()
    assert every == catalogue()
    brain = search_catalogue(["BRAIN", "t1"], modality="mr")
    assert "meshnet-18" in {entry.name for entry in brain}
    assert all("MR" in entry.modality for entry in brain)
    assert {entry.task for entry in search_catalogue(task="risk")} == {"risk"}
    assert all("MIT" in entry.licence.name for entry in search_catalogue(licence="mit"))
    commercial = search_catalogue(licence="commercial")
    assert {entry.licence.commercial_use for entry in commercial} == {"allowed"}
    assert search_catalogue(["no such word"]) == ()


def test_a_name_that_is_not_there_is_answered_with_near_ones():
    assert find_entry("hd-bet").area == ("brain",)
    with pytest.raises(UsageError, match=r"Did you mean .*hd-bet"):
        find_entry("hdbet")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('title = "One"', 'heading = "One"'), "heading"),
        (("https://example.org/one.zip", "http://example.org/one.zip"), "urls"),
        (('paper = "none"', f'paper = "none"\nsha256 = "{"0" * 64}"'), "where its publisher states it"),
        (('name = "one"', 'name = "One"'), "no name of a model"),
        (('urls = ["https://example.org/one.zip"]', ""), "has an address"),
        (('area = ["brain"]', 'area = ["head"]'), "area"),
        (("[[model]]", "[[model"), "not valid"),
    ],
)
def test_a_catalogue_that_is_not_sound_is_refused(change, said):
    assert len(read_catalogue(ENTRY)) == 1
    with pytest.raises(ModelError, match=said):
        read_catalogue(ENTRY.replace(*change))


def test_a_name_that_stands_twice_is_refused():
    with pytest.raises(ModelError, match="a name stands twice: one"):
        read_catalogue(ENTRY + ENTRY)
