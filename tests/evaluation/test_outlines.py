"""Outlines judged without a model: figures by hand, files side by side, empties apart, and what is refused."""

from __future__ import annotations

import json

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.cli.test_command import hu
from tests.results.readings import headers_of, reading_of, series_of, write_all

from hounsfield.cli.schemas import command_schema
from hounsfield.core import Region
from hounsfield.core.code import LESION, LUNG, MORPHOLOGICALLY_ABNORMAL_STRUCTURE
from hounsfield.core.errors import GeometryError, StudyError, UsageError
from hounsfield.evaluation import Scale, evaluate_masks, judge_masks, overlap_of, pair_masks, read_masks

sitk = pytest.importorskip("SimpleITK")

MM = Scale((2.0, 1.0, 1.0), "mm", 0.002, "mL", 1.0)
SHAPE = (12, 24, 24)


def cube(z, y, x, size=6, depth=4, shape=SHAPE):
    made = np.zeros(shape, dtype=bool)
    made[z : z + depth, y : y + size, x : x + size] = True
    return made


def one(truth, found, case="c", patient="p", structure="1", scale=MM):
    return overlap_of(truth, found, scale, case=case, patient=patient, structure=structure)


def test_figures_of_a_shifted_cube_by_hand():
    # 4 x 6 x 6 voxels of 2 mm3, moved by 2 of 6 along x: 4 / 6 overlap; the face that is left lies 2 mm away.
    row = one(cube(2, 4, 4), cube(2, 4, 6))
    assert row.dice == pytest.approx(2 / 3)
    assert row.truth_amount == row.found_amount == pytest.approx(144 * 0.002)
    assert row.hd95 == pytest.approx(2.0)
    assert (row.n_lesions, row.n_lesions_hit, row.n_marks, row.n_false_marks) == (1, 1, 1, 0)
    whole = one(cube(2, 4, 4), cube(2, 4, 4))
    assert (whole.dice, whole.surface_dice, whole.hd95) == (1.0, 1.0, 0.0)


def test_empty_outlines_are_told_apart():
    nothing = np.zeros(SHAPE, dtype=bool)
    assert one(nothing, nothing) is None
    missed, invented = one(cube(1, 1, 1), nothing), one(nothing, cube(1, 1, 1))
    assert (missed.dice, missed.surface_dice, missed.hd95) == (0.0, 0.0, np.inf)
    assert (missed.in_truth, missed.is_found, invented.in_truth) == (True, False, False)
    assert missed.to_json()["hd95"] is None


def test_lesions_are_counted_by_parts_that_touch():
    truth = cube(0, 0, 0, 3, 2) | cube(0, 10, 10, 3, 2) | cube(6, 0, 18, 3, 2)
    found = cube(1, 2, 2, 3, 2) | cube(8, 15, 0, 3, 2)
    row = one(truth, found)
    assert (row.n_lesions, row.n_lesions_hit, row.n_marks, row.n_false_marks) == (3, 1, 2, 1)
    # Corner to corner is one part.
    assert one(cube(0, 0, 0, 2, 2) | cube(2, 2, 2, 2, 2), truth).n_lesions == 1


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_overlap_is_the_same_wherever_it_lies_and_mirrored(seed):
    rng = np.random.default_rng(seed)
    small = rng.random((2, 5, 6, 6)) < 0.4
    placed = np.zeros((2, *SHAPE), dtype=bool)
    placed[:, 3:8, 9:15, 2:8] = small
    near, far = one(small[0], small[1]), one(placed[0], placed[1])
    assert near == far
    turned = one(small[1], small[0])
    assert turned.dice == near.dice
    assert turned.hd95 == pytest.approx(near.hd95)


@pytest.fixture
def judged():
    """Six patients with two cases each; the last case has nothing to find, the one before was missed."""
    rows, patients = [], {}
    for k in range(12):
        case, patient = f"c{k}", f"p{k // 2}"
        patients[case] = patient
        truth = cube(2, 4, 4) if k < 11 else np.zeros(SHAPE, bool)
        found = np.zeros(SHAPE, bool) if k == 10 else cube(2, 4, 4 + k % 3)
        row = one(truth, found, case, patient)
        rows += [row] if row is not None else []
    return rows, evaluate_masks(rows, MM, patients=patients, n_resamples=300, seed=2)


def test_means_medians_and_limits_are_those_of_the_cases(judged):
    rows, evaluation = judged
    figures = evaluation.structures[0].figures
    true = [row for row in rows if row.in_truth]
    apart = np.array([row.found_amount - row.truth_amount for row in true])
    assert figures["dice"].value == pytest.approx(np.mean([row.dice for row in true]))
    assert figures["dice_median"].value == pytest.approx(np.median([row.dice for row in true]))
    assert figures["hd95_median"].value == pytest.approx(np.median([row.hd95 for row in true]))
    found = [row.hd95 for row in true if row.is_found]
    assert figures["hd95_mean_of_found"].value == pytest.approx(np.mean(found))
    assert figures["size_error"].value == pytest.approx(apart.mean())
    assert figures["size_error_low"].value == pytest.approx(apart.mean() - 1.959964 * apart.std(ddof=1))
    assert figures["size_error_percent"].value == pytest.approx(-100 / 11)
    assert figures["lesion_sensitivity"].value == pytest.approx(10 / 11)
    assert figures["lesion_ppv"].value == pytest.approx(10 / 11)
    assert figures["lesion_f1"].value == pytest.approx(20 / 22)
    assert figures["false_lesions_per_case"].value == pytest.approx(1 / 12)
    assert evaluation.macro["dice"].value == figures["dice"].value


def test_empties_are_counted_and_every_figure_has_an_interval(judged):
    _, evaluation = judged
    own = evaluation.structures[0]
    assert (own.n_cases, own.n_missed, own.n_invented, own.n_without) == (11, 1, 1, 0)
    for name, interval in own.figures.items():
        assert interval.low <= interval.value <= interval.high, name


def test_median_distance_is_infinite_where_most_were_missed():
    nothing = np.zeros(SHAPE, bool)
    rows = [one(cube(1, 1, 1), nothing if k < 5 else cube(1, 1, 1), f"c{k}", f"p{k}") for k in range(8)]
    patients = {row.case: row.patient for row in rows}
    figures = evaluate_masks(rows, MM, patients=patients, n_resamples=200).structures[0].figures
    assert figures["hd95_median"].value == np.inf
    assert figures["hd95_median"].low == 0.0
    assert figures["hd95_mean_of_found"].value == 0.0


def save(path, labels, spacing_zyx=(2.0, 1.0, 1.0), origin=(0.0, 0.0, 0.0)):
    image = sitk.GetImageFromArray(np.asarray(labels, dtype=np.uint8))
    image.SetSpacing(spacing_zyx[::-1])
    image.SetOrigin(origin)
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(path))


@pytest.fixture
def folders(tmp_path):
    """Five cases of two labels in NIfTI, found ones in NRRD; label 2 is moved by one voxel more in each case."""
    for k in range(5):
        labels = cube(2, 4, 4) * 1 + cube(7, 12, 8, 5, 3) * 2
        found = cube(2, 4, 4) * 1 + cube(7, 12, 8 + k, 5, 3) * 2
        save(tmp_path / f"truth/case_{k}.nii.gz", labels)
        save(tmp_path / f"found/case_{k}.nrrd", found)
        picture = np.random.default_rng(k).normal(50, 10, SHAPE) + 100 * (labels > 0)
        save(tmp_path / f"images/case_{k}_0000.nii.gz", picture.clip(0, 255))
    return tmp_path


def test_label_maps_of_two_formats_meet_by_name(folders):
    pairs = pair_masks(folders / "found", folders / "truth", names={"2": "tumour"})
    evaluation = judge_masks(pairs, n_resamples=100)
    assert [own.structure for own in evaluation.structures] == ["1", "tumour"]
    assert evaluation.structures[0].figures["dice"].value == 1.0
    expected = np.mean([2 * (5 - k) / 10 for k in range(5)])
    assert evaluation.structures[1].figures["dice"].value == pytest.approx(expected)
    assert evaluation.structures[1].figures["hd95_median"].value == pytest.approx(2.0)
    assert (evaluation.scale.length, evaluation.scale.amount, evaluation.scale.tolerance) == ("mm", "mL", 2.0)
    size = [row.truth_amount for row in evaluation.overlaps if row.structure == "1"]
    assert size == pytest.approx([0.288] * 5)


def test_names_that_say_mask_and_black_and_white_pictures_are_read_too(tmp_path):
    save(tmp_path / "case_mask.nii.gz", cube(1, 1, 1) * 3)
    assert list(read_masks(tmp_path / "case_mask.nii.gz", {"3": "liver"}).boxes) == ["liver"]
    Image.fromarray(cube(0, 2, 3, depth=1)[0]).save(tmp_path / "film.png")
    assert list(read_masks(tmp_path / "film.png", {}).boxes) == ["1"]
    Image.fromarray(cube(0, 2, 3, depth=1)[0] * np.uint8(255)).save(tmp_path / "grey.png")
    assert list(read_masks(tmp_path / "grey.png", {}).boxes) == ["1"]


def test_pictures_without_spacing_are_judged_in_pixels(tmp_path):
    for k in range(3):
        for folder, shift in (("truth", 0), ("found", k)):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(cube(0, 4, 4 + shift, depth=1)[0]).save(tmp_path / folder / f"{k}.png")
    evaluation = judge_masks(pair_masks(tmp_path / "found", tmp_path / "truth"), n_resamples=100)
    assert (evaluation.scale.length, evaluation.scale.amount) == ("px", "px")
    assert [row.hd95 for row in evaluation.overlaps] == pytest.approx([0.0, 1.0, 2.0])


def test_segmentation_objects_are_judged_by_the_names_of_their_segments(tmp_path):
    """Two segments of a DICOM SEG that overlap, against the same moved by a voxel along x."""
    series = series_of(headers_of())
    for folder, shift in (("truth", 0), ("found", 1)):
        masks = [np.zeros(series.grid.shape, dtype=bool) for _ in range(2)]
        masks[0][1:4, 2:8, 2 + shift : 8 + shift] = True
        masks[1][2, 3:5, 3:7] = True
        names = ("lung", LUNG), ("lesion", LESION)
        regions = [
            Region(name, code, series.grid, mask, category=MORPHOLOGICALLY_ABNORMAL_STRUCTURE)
            for (name, code), mask in zip(names, masks, strict=True)
        ]
        parts = {"regions": tuple(regions), "measurements": (), "findings": (), "maps": ()}
        write_all(tmp_path / "r" / folder, series, reading_of(series, **parts))
        (tmp_path / folder).mkdir()
        made = tmp_path / "r" / folder / "dicom/segmentation.dcm"
        made.rename(tmp_path / folder / "case.dcm")
    evaluation = judge_masks(pair_masks(tmp_path / "found", tmp_path / "truth"), n_resamples=100)
    dice = {own.structure: own.figures["dice"].value for own in evaluation.structures}
    assert dice == {"lung": pytest.approx(5 / 6), "lesion": 1.0}


def test_grids_that_differ_are_refused_with_both(folders):
    save(folders / "found/case_3.nrrd", cube(2, 4, 4), spacing_zyx=(2.5, 1.0, 1.0))
    with pytest.raises(GeometryError, match=r"grids of case case_3 differ: .*2 x 1 x 1 mm.*2.5 x 1 x 1 mm"):
        judge_masks(pair_masks(folders / "found", folders / "truth"))
    save(folders / "found/case_3.nrrd", cube(2, 4, 4), origin=(5.0, 0.0, 0.0))
    with pytest.raises(GeometryError, match="nearest neighbour"):
        judge_masks(pair_masks(folders / "found", folders / "truth"))


def test_case_without_prediction_is_refused_or_counts_as_missed(folders):
    (folders / "found/case_4.nrrd").unlink()
    with pytest.raises(UsageError, match="1 of 5 cases in truth have no partner in found: case_4"):
        pair_masks(folders / "found", folders / "truth")
    pairs = pair_masks(folders / "found", folders / "truth", missing_as_empty=True)
    assert pairs.left_out == ("1 cases without prediction count as found empty: case_4",)
    evaluation = judge_masks(pairs, n_resamples=100)
    assert [own.n_missed for own in evaluation.structures] == [1, 1]
    assert evaluation.structures[0].figures["dice"].value == pytest.approx(0.8)


def test_prediction_without_truth_is_left_out_and_told(folders):
    save(folders / "found/extra.nrrd", cube(1, 1, 1))
    pairs = pair_masks(folders / "found", folders / "truth")
    assert pairs.left_out == ("1 predictions without truth were left out: extra",)
    assert len(pairs.truth) == 5


def test_file_that_is_no_label_map_is_refused(folders):
    save(folders / "found/case_0.nrrd", np.zeros(SHAPE))
    noise = sitk.GetImageFromArray(np.random.default_rng(0).normal(size=SHAPE).astype(np.float32))
    sitk.WriteImage(noise, str(folders / "found/case_1.nrrd"))
    with pytest.raises(StudyError, match=r"case_1\.nrrd holds \d+ values from .* and is no label map"):
        judge_masks(pair_masks(folders / "found", folders / "truth"))


def test_image_of_another_size_is_refused(folders):
    save(folders / "images/case_2_0000.nii.gz", np.zeros((5, 24, 24)))
    pairs = pair_masks(folders / "found", folders / "truth", images=folders / "images")
    with pytest.raises(
        GeometryError, match=r"case_2_0000\.nii\.gz holds 5 x 24 x 24, the outlines have 12 x 24 x 24"
    ):
        judge_masks(pairs, n_resamples=100)


def test_two_files_of_one_case_are_refused(folders):
    save(folders / "found/case_0.nii.gz", cube(1, 1, 1))
    with pytest.raises(UsageError, match=r"case_0\.nii\.gz and case_0\.nrrd for one case"):
        pair_masks(folders / "found", folders / "truth")


def test_spacing_that_only_some_files_state_is_refused(folders):
    Image.fromarray(cube(0, 2, 3, depth=1)[0]).save(folders / "truth/film.png")
    Image.fromarray(cube(0, 2, 3, depth=1)[0]).save(folders / "found/film.png")
    with pytest.raises(UsageError, match="case film states no spacing, others do otherwise"):
        judge_masks(pair_masks(folders / "found", folders / "truth"))


def test_outlines_that_are_all_empty_are_refused(tmp_path):
    save(tmp_path / "a/1.nii.gz", np.zeros(SHAPE))
    save(tmp_path / "b/1.nii.gz", np.zeros(SHAPE))
    with pytest.raises(UsageError, match="no case holds an outline"):
        judge_masks(pair_masks(tmp_path / "a", tmp_path / "b"))


def test_command_writes_page_with_pictures_and_prints_the_record(folders, monkeypatch, capsys):
    patients = "case,patient_id\n" + "".join(f"case_{k},{k // 2}\n" for k in range(5))
    (folders / "patients.csv").write_text(patients, encoding="utf-8")
    words = ["evaluate", "--masks", folders / "found", "--truth", folders / "truth", "--resamples", 100]
    words += ["--images", folders / "images", "--patients", folders / "patients.csv", "--name", "2=tumour"]
    words += ["--tolerance-mm", 1, "--out", folders / "out"]
    code, printed, err = hu(monkeypatch, capsys, *words, "--json")
    assert code == 0, err
    record = json.loads(printed)
    jsonschema.Draft202012Validator(command_schema("evaluate")).validate(record)
    assert record == json.loads((folders / "out/evaluation.json").read_text("utf-8"))
    assert (record["n_cases"], record["n_patients"]) == (5, 3)
    assert record["masks"]["tolerance"] == 1.0
    page = (folders / "out/evaluation.html").read_text("utf-8")
    assert page.count("data:image/png") == 8
    assert "http" not in page.replace("http://www.w3.org", "")
    code, printed, _ = hu(monkeypatch, capsys, *words)
    assert "tumour" in printed


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--masks", "found"], "--masks needs --truth"),
        (["--masks", "absent", "--truth", "truth"], "no folder absent of masks"),
        (["--masks", "found", "--truth", "empty"], "of truth is empty"),
        (["--masks", "images", "--truth", "truth"], "no name is in both folders. truth: case_0"),
        (["--masks", "found", "--truth", "truth", "--labels", "l.csv"], "--labels does not go with --masks"),
        (["--masks", "found", "--truth", "truth", "--name", "2"], "--name 2 is not of the form NUMBER=NAME"),
    ],
)
def test_wrong_words_are_named(folders, monkeypatch, capsys, words, says):
    monkeypatch.chdir(folders)
    (folders / "empty").mkdir()
    code, _, err = hu(monkeypatch, capsys, "evaluate", *words, "--out", "out")
    assert (code, says in err) == (2, True), err
