"""Shortcuts: what was put in, or is documented, is found; what is not there is not."""

from __future__ import annotations

from dataclasses import replace

import jsonschema
import numpy as np
import pytest
from PIL import Image, ImageDraw
from tests.evaluation.audit.made_pictures import made_pictures, write_pictures

from hounsfield.cli.schemas import command_schema
from hounsfield.core.errors import UsageError
from hounsfield.evaluation.audit import (
    PictureColumns,
    audit_record,
    audit_shortcuts,
    read_picture_table,
    shortcut_sections,
)
from hounsfield.evaluation.audit.picture_properties import FAMILIES, picture_properties
from hounsfield.evaluation.audit.picture_table import THIRDS
from hounsfield.evaluation.audit.probes import plan_probes, probe
from hounsfield.evaluation.audit.shortcuts import TEXT_COLUMN, cramers_v


def _family(audit, name):
    return next(one for one in audit.from_families if one.probe.source == name)


def _column(audit, name):
    return next(one for one in audit.columns if one.column == name)


def _verdicts(audit):
    return {one.key: one.verdict for one in shortcut_sections(audit)}


def test_a_frame_around_the_ill_is_found(tmp_path):
    audit = audit_shortcuts(made_pictures(tmp_path, shortcut="frame"))
    assert _family(audit, "border").is_strong
    assert _verdicts(audit)["shortcut-label"] == "found"
    assert not _column(audit, "site").is_usable


def test_a_site_that_goes_with_the_label_and_shows_in_the_picture_is_usable(tmp_path):
    audit = audit_shortcuts(made_pictures(tmp_path, shortcut="site"))
    site = _column(audit, "site")
    assert site.is_usable
    assert site.cramers_v == pytest.approx(0.7, abs=0.2)
    assert site.label_from_column.probe.auroc.value == pytest.approx(0.85, abs=0.1)
    assert "'site' is read off all properties with an AUROC of" in shortcut_sections(audit)[1].said[0]


def test_pictures_without_a_shortcut_are_not_accused(tmp_path):
    audit = audit_shortcuts(made_pictures(tmp_path, seed=3))
    assert not any(
        one.is_strong for one in audit.from_families if one.probe.source not in {"grey", "spectrum"}
    )
    assert _verdicts(audit)["shortcut-label"] != "found"
    assert _verdicts(audit)["shortcut-columns"] == "clear"


def test_a_permuted_label_is_clear_although_the_frame_is_there(tmp_path):
    table = made_pictures(tmp_path, shortcut="frame")
    order = np.repeat(np.random.default_rng(1).permutation(60), 2) * 2 + np.tile([0, 1], 60)
    assert _verdicts(audit_shortcuts(replace(table, label=table.label[order])))["shortcut-label"] == "clear"


def test_features_of_a_model_are_probed_beside_the_picture(tmp_path):
    table = made_pictures(tmp_path, shortcut="site")
    audit = audit_shortcuts(table, features=lambda picture: np.array([picture.shape[0], picture.mean()]))
    assert _column(audit, "site").read_off_model.is_strong
    columns = shortcut_sections(audit)[1].tables[0].columns
    assert "read off the model" in columns


def test_burned_in_text_is_probed_in_the_features_of_a_model(tmp_path):
    rng = np.random.default_rng(4)
    (tmp_path / "images").mkdir()
    rows = ["file,patient_id,finding"]
    for number in range(60):
        picture = Image.fromarray(rng.normal(60, 3, (200, 200)).astype(np.uint8))
        if number % 2:
            ImageDraw.Draw(picture).text((20, 20), "PORTABLE SUPINE", fill=230)
        picture.save(tmp_path / "images" / f"{number}.png")
        rows.append(f"images/{number}.png,P{number},{'ill' if rng.random() < 0.5 else 'well'}")
    (tmp_path / "labels.csv").write_text("\n".join(rows), encoding="utf-8")
    table = read_picture_table(tmp_path, PictureColumns("finding"))
    audit = audit_shortcuts(table, features=lambda picture: np.array([picture[20:32, 20:100].mean()]))
    text = _column(audit, TEXT_COLUMN)
    assert text.read_off_picture is None
    assert text.read_off_model.is_strong
    assert not text.is_usable  # it does not go with the finding
    assert not audit_shortcuts(table).columns


def test_permutations_move_whole_groups_and_the_p_value_holds_its_level():
    # Labels and features are alike within patients and have nothing to do with each other.
    rejected = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        groups = np.repeat(np.arange(40), rng.integers(1, 6, 40)).astype(str)
        of_group = np.unique(groups, return_inverse=True)[1]
        features = rng.normal(size=(40, 4))[of_group] + 0.2 * rng.normal(size=(groups.size, 4))
        values = np.where(rng.random(40)[of_group] < 0.5, "a", "b")
        plan = plan_probes(groups.tolist(), seed=seed, n_permutations=99)
        taken = of_group[plan.permutations[0]]
        assert all(np.unique(taken[of_group == own]).size == 1 for own in range(40))
        found = probe(plan, features, values, target="t", source="s")
        rejected += found is not None and found.p <= 0.05
    # 7.5 expected; 1 in 200 such tests has more than 15.
    assert rejected <= 15


def test_a_probe_reads_what_is_there_and_judges_only_values_of_enough_groups():
    rng = np.random.default_rng(0)
    values = np.array(["a"] * 40 + ["b"] * 40 + ["c"] * 40 + ["rare"] * 5)
    features = np.stack([values == "a", values == "b"], axis=1) + rng.normal(0, 0.3, (125, 2))
    plan = plan_probes([str(n) for n in range(125)], seed=0, n_permutations=99)
    found = probe(plan, features, values, target="t", source="s")
    assert found.values == ("a", "b", "c")
    assert found.auroc.value > 0.9
    assert found.p == pytest.approx(0.01)
    few = plan_probes([str(n) for n in range(20)], seed=0, n_permutations=9)
    assert probe(few, features[:20], np.array(["a", "b"] * 10), target="t", source="s") is None


def test_association_is_zero_without_and_one_with_a_rule():
    first = np.array(["a", "a", "b", "b"])
    assert cramers_v(first, np.array(["x", "y", "x", "y"])) == pytest.approx(0.0)
    assert cramers_v(first, np.array(["x", "x", "y", "y"])) == pytest.approx(1.0)
    assert cramers_v(first, np.array(["x"] * 4)) == 0.0


def test_properties_measure_what_their_names_say():
    picture = np.zeros((40, 20), dtype=np.float32)
    picture[10:, 5:] = np.random.default_rng(0).uniform(50, 200, (30, 15))
    found = picture_properties(picture, 1600)
    assert set(found) == set(FAMILIES)
    assert np.exp(found["size"]) == pytest.approx([40, 20, 2])
    assert found["border"][0] == pytest.approx(10 / 40)  # empty rows on top
    assert found["border"][3] == 0.0  # none at the bottom
    assert found["border"][6] == pytest.approx(5 / 20)
    assert found["spectrum"][-1] == pytest.approx(np.log(2))
    assert all(np.isfinite(one).all() for one in picture_properties(np.full((9, 9), 3.0), 10).values())


def test_numbers_become_thirds_and_a_value_stands_against_the_rest(tmp_path):
    write_pictures(tmp_path)
    table = read_picture_table(tmp_path, PictureColumns("finding=ill", acquisition=("age",)))
    assert set(table.columns["age"].tolist()) == set(THIRDS)
    assert set(table.label.tolist()) == {"ill", "not ill"}


@pytest.mark.parametrize(
    ("columns", "table", "says"),
    [
        (PictureColumns("finding"), "other.csv", "there is no table other.csv"),
        (PictureColumns("disease"), "labels.csv", "no column 'disease'; it has file, patient_id"),
        (PictureColumns("finding", image="picture"), "labels.csv", "no column 'picture'"),
        (PictureColumns("finding", only=("ill",)), "labels.csv", "has one value among the pictures kept"),
        (PictureColumns("finding", acquisition=("scanner",)), "labels.csv", "no column 'scanner'"),
    ],
)
def test_what_the_table_lacks_is_named(tmp_path, columns, table, says):
    write_pictures(tmp_path, n=8)
    with pytest.raises(UsageError, match=says):
        read_picture_table(tmp_path, columns, table=table)


def test_too_few_groups_are_refused(tmp_path):
    with pytest.raises(UsageError, match="4 groups are too few to read 'finding'"):
        audit_shortcuts(made_pictures(tmp_path, n=8))


def test_the_record_fits_the_schema(tmp_path):
    record = audit_record(shortcut_sections(audit_shortcuts(made_pictures(tmp_path))), title="t")
    jsonschema.Draft202012Validator(command_schema("audit")).validate(record)
    assert record["sections"][1]["record"]["columns"][0]["column"] == "site"


@pytest.mark.real_data
@pytest.mark.slow
@pytest.mark.parametrize(
    ("folder", "label", "column"),
    [
        # READMEs: size of the source predicts haemorrhage; matrix sizes and follow-up numbers differ between films with
        # and without finding; nearly all films of one hospital are COVID-19.
        ("head_ct_haemorrhage", "haemorrhage", "source_width"),
        ("nih_cxr", "no_finding", "orig_height"),
        ("nih_cxr", "no_finding", "follow_up"),
        ("covid_cxr", "finding=COVID-19", "location"),
    ],
)
def test_documented_shortcuts_of_real_sets_are_found(real_data, folder, label, column):
    audit = audit_shortcuts(
        read_picture_table(real_data / folder, PictureColumns(label, acquisition=(column,)))
    )
    assert _column(audit, column).is_usable
    assert _verdicts(audit)["shortcut-columns"] == "found"


@pytest.mark.real_data
@pytest.mark.slow
def test_real_sets_with_permuted_labels_are_clear(real_data):
    columns = PictureColumns("haemorrhage", acquisition=("source_width",))
    table = read_picture_table(real_data / "head_ct_haemorrhage", columns)
    mixed = np.random.default_rng(2).permutation(table.label)
    assert _verdicts(audit_shortcuts(replace(table, label=mixed)))["shortcut-columns"] == "clear"


@pytest.mark.real_data
@pytest.mark.slow
def test_the_size_of_the_picture_tells_no_tumour_but_tells_pictures_from_the_web(real_data):
    """README: tumour slices are all 192 x 192; those without tumour come from elsewhere."""
    root, tumours = real_data / "brain_tumour_mri", ("glioma", "meningioma", "pituitary")
    audit = audit_shortcuts(read_picture_table(root, PictureColumns("label", only=tumours)))
    assert _family(audit, "size").probe.auroc.value == pytest.approx(0.5)
    assert not _family(audit, "size").is_beyond_chance
    audit = audit_shortcuts(read_picture_table(root, PictureColumns("label=none")))
    assert _family(audit, "size").is_strong
