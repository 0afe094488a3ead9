"""How a model of others becomes a bundle: which format, whose words, which codes."""

import pytest
from tests.tiny_volume_bundle import volume_card

from hounsfield.core.errors import ModelError, UsageError
from hounsfield.zoo.model_formats import (
    UNSTATED,
    ImportRequest,
    import_model,
    imported_card,
    named_classes,
    source_digest,
)

SAID = {
    name: getattr(volume_card(), name)
    for name in ("classes", "outputs", "task", "modality", "network", "preprocessing", "volume")
}


@pytest.fixture
def request_for(tmp_path):
    path = tmp_path / "Task_501 (final).pth"
    path.write_bytes(b"weights")

    def make(**changes):
        return ImportRequest(path, tmp_path / "models", **changes)

    return make


def test_a_file_of_no_known_format_is_told_with_the_formats(request_for):
    with pytest.raises(ModelError, match=r"Task_501 \(final\).pth is of no known format"):
        import_model(request_for())


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        import_model(ImportRequest(tmp_path / "none", tmp_path))


def test_what_nobody_stated_is_named_and_not_made_up(request_for):
    card = imported_card(request_for(), "test", SAID)
    assert card.name == "task-501-final"
    assert card.origin.unstated == tuple(sorted(UNSTATED))
    assert card.origin.source_sha256 == source_digest(request_for().path)
    assert card.licence == UNSTATED["licence"]
    assert card.split_digest is None


def test_the_user_s_word_goes_before_the_file_s(request_for):
    facts = {"licence": "MIT", "title": "Organs"}
    card = imported_card(request_for(name="organs", facts=facts), "test", {**SAID, "title": "From the file"})
    assert (card.name, card.title, card.licence) == ("organs", "Organs", "MIT")
    assert "licence" not in card.origin.unstated


def test_facts_that_no_card_has_are_refused(request_for):
    with pytest.raises(UsageError, match="would not be valid"):
        imported_card(request_for(facts={"lizenz": "MIT"}), "test", SAID)


def test_a_name_that_cannot_be_one(request_for):
    with pytest.raises(UsageError, match="cannot name a bundle"):
        request_for(name="../up").bundle_name()


def test_codes_are_short_and_differ():
    names = ["left lung upper lobe", "left lung upper lobe wall", "lung", "Lunge (li.)"]
    classes = named_classes(names)
    assert [c.name for c in classes] == names
    assert len({c.value for c in classes}) == 4
    assert all(len(c.value) <= 16 for c in classes)
    with pytest.raises(ModelError, match="without a name"):
        named_classes(["lung", " "])
