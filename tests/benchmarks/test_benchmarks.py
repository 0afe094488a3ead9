"""The benchmarks' own arithmetic; their tables are printed by commands and not tested here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from benchmarks._guard_sets import PictureSet, painted_over, thinned
from benchmarks._table import heading, table, wilson_interval
from benchmarks.brain_tumour_mr import Results, figures
from benchmarks.guard import Answer, Row
from benchmarks.guard import curve as guard_curve
from benchmarks.read_chest_phantom import measure, processes_below, pss_mb
from benchmarks.resampling import JOBS, PROMISED_HU

from benchmarks import classification_runtimes, segmentation_objects, sliding_window, surface_distances

COMMANDS = (
    "body_composition",
    "brain_tumour_baseline",
    "brain_tumour_calibration",
    "brain_tumour_mr",
    "calibration",
    "classification_runtimes",
    "explanations",
    "guard",
    "inspect_folder",
    "intervals",
    "lrp",
    "lung_dice",
    "mean_film",
    "pet_figures",
    "radiograph_quality",
    "read_chest_phantom",
    "reading_ct",
    "resampling",
    "segmentation_objects",
    "sliding_window",
    "surface_distances",
)


def test_wilson_interval_of_a_published_example():
    """Newcombe 1998, Stat Med 17:857, table I: 81 of 263 gives 0.2553 to 0.3662; 0 of 20 gives 0 to 0.1611."""
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson_interval(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


def test_fraction_of_nothing_has_no_interval():
    with pytest.raises(ValueError, match="no cases"):
        wilson_interval(0, 0)


def test_table_is_aligned():
    lines = table(("name", "n"), [("long name", 1), ("b", 22)]).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[2] == "| long name | 1  |"


def test_heading_says_machine_versions_and_input():
    said = heading("Title", inputs="three files")
    assert "numpy " in said
    assert "cores" in said
    assert "input: three files" in said


def test_figures_of_a_perfect_and_of_a_wrong_reader():
    labels = [0, 1, 2] * 4
    perfect = np.eye(3)[labels]
    for probabilities, expected in ((perfect, 1.0), (np.roll(perfect, 1, axis=1), 0.0)):
        results = Results(
            ("a", "b", "c"),
            labels,
            [f"g{i // 3}" for i in range(12)],
            probabilities.tolist(),
            [expected] * 12,
            {"grad-cam": [expected] * 12},
        )
        found = figures(results)
        assert found["accuracy"].value == expected
        assert found["Dice, mean"].value == expected
        assert found["pointing game grad-cam"].value == expected
        assert found["expected calibration error"].value == pytest.approx(1 - expected)
    assert figures(Results(("a", "b", "c"), labels, list("abcabcabcabc"), perfect.tolist(), [1.0] * 12, {}))[
        "macro AUROC"
    ].value == pytest.approx(1.0)


def guard_row(name, distances, limit=1.0, kind="foreign", groups=None):
    """A row whose pictures lie at these distances; infinite ones were refused by another gate."""
    answers = tuple(Answer(d > limit, limit < d < np.inf, d) for d in distances)
    files = tuple(Path(f"{name}{k}") for k in range(len(distances)))
    return Row(PictureSet(name, kind, files, tuple(groups or map(str, files))), answers)


def test_row_as_the_card_holds_it():
    detection = guard_row("noise", [2.0] * 50).as_detection()
    assert (detection.refused_fraction, detection.high95, detection.n_groups) == (1.0, 1.0, 50)
    assert detection.low95 == pytest.approx(50 / (50 + 1.959964**2), abs=1e-4)


def test_slices_of_one_volume_count_as_one():
    """Twenty slices of one patient, all refused, show no more than one refusal does."""
    detection = guard_row("volume", [2.0] * 20, groups=["one"] * 20).as_detection()
    assert detection.low95 == pytest.approx(wilson_interval(1, 1)[0], abs=1e-4)


def test_operating_curve_by_hand():
    right = guard_row("right", np.arange(1, 101) / 100, kind="right")
    near, far = guard_row("near", [0.505] * 4), guard_row("far", [np.inf, 5.0])
    found = guard_curve(right, [near, far], 0.8)
    at = dict(zip(found.thresholds, found.false_refusals, strict=True))
    assert at[0.8] == pytest.approx(0.2)
    assert found.false_refusals[-1] == 0.0
    near_shares = dict(zip(found.thresholds, found.detection["near"], strict=True))
    assert near_shares[0.5] == 1.0
    assert near_shares[0.8] == 0.0
    assert set(found.detection["far"]) == {1.0}
    # 50 of 100 right pictures lie nearer than those at 0.505, and all of them nearer than the far ones.
    assert found.area["near"].value == pytest.approx(0.5)
    assert found.area["far"].value == 1.0


def test_painting_over_takes_the_lesion_away_and_leaves_the_rest():
    rng = np.random.default_rng(0)
    picture = 80 + rng.normal(0, 5, (64, 64))
    mask = np.zeros((64, 64), dtype=bool)
    mask[20:30, 30:42] = True
    picture[mask] += 100
    healed = painted_over(picture, mask)
    assert healed[mask].mean() == pytest.approx(80, abs=4)
    np.testing.assert_array_equal(healed[50:], picture[50:])


@pytest.mark.parametrize(("n_files", "most", "expected"), [(5, 10, 5), (100, 7, 7), (3, 3, 3)])
def test_thinning_keeps_first_and_last(n_files, most, expected):
    kept = thinned(list(range(n_files)), most)
    assert len(kept) == expected
    assert (kept[0], kept[-1]) == (0, n_files - 1)


def test_memory_of_the_whole_tree_is_seen():
    """A child's child that holds 80 MB: its pages count, those of the empty parent hardly."""
    grandchild = "b = bytearray(80_000_000); b[::4096] = b'x' * len(b[::4096]); import time; time.sleep(0.6)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grandchild!r}])"
    wall_s, cpu_s, rss_mb, tree_mb = measure([sys.executable, "-c", parent])
    assert 80 < tree_mb < 200
    assert rss_mb > 80
    assert wall_s > 0.6
    assert cpu_s > 0


def test_own_process_is_in_the_tree():
    assert os.getpid() in processes_below(os.getpid())
    assert pss_mb(os.getpid()) > 1


def test_failing_command_ends_the_benchmark_with_its_words():
    with pytest.raises(SystemExit, match="out of luck"):
        measure([sys.executable, "-c", "import sys; sys.exit('out of luck')"])


@pytest.mark.slow
def test_segmentations_are_equal_on_reading_back(tmp_path):
    """At a small size: our file and one of highdicom's, read by both; other voxels end the run."""
    labels = segmentation_objects.make_labels((12, 32, 32))
    assert set(np.unique(labels)) == set(range(segmentation_objects.N_CLASSES + 1))
    np.save(tmp_path / "labels.npy", labels)
    segmentation_objects.write_source(tmp_path / "ct", *labels.shape[:2])
    for who in (segmentation_objects.OURS, "0"):
        written = segmentation_objects.child(tmp_path, "write", who, "seg.dcm", 1)
        assert written["file_mb"] > 0
        for reader in (segmentation_objects.OURS, "label map"):
            assert segmentation_objects.child(tmp_path, "read", reader, "seg.dcm", 1)["wall_s"] > 0
    np.save(tmp_path / "labels.npy", labels[::-1])
    with pytest.raises(SystemExit, match="reads other voxels"):
        segmentation_objects.child(tmp_path, "read", segmentation_objects.OURS, "seg.dcm", 1)


def test_broken_promises_of_segmentations_are_named():
    def row(ratio, extra, kind="BINARY", verb="write", who=segmentation_objects.OURS):
        return [verb, kind, who, "1", "1", "1", ratio, "0.5", extra, ""]

    assert segmentation_objects.judged([row("1.20", "1.00"), row("9", "9", who="highdicom, RLE")]) == []
    [slow] = segmentation_objects.judged([row("1.21", "0.10", "LABELMAP, RLE", "read")])
    assert "read LABELMAP, RLE, hounsfield: 1.21 times" in slow
    assert len(segmentation_objects.judged([row("1.00", "1.01")])) == 1


@pytest.mark.parametrize("name", COMMANDS)
def test_every_benchmark_explains_itself(name):
    answer = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", "--help"], check=True, capture_output=True, text=True
    )
    assert f"python -m benchmarks.{name}" in " ".join(answer.stdout.split())


def test_resampling_measures_ours_beside_the_peers_and_compares_their_values():
    """On a volume of a few slices; TorchIO is named with its remedy where it is not installed."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.resampling",
        "--slices",
        "30",
        "--side",
        "48",
        "--repeat",
        "1",
    ]
    answer = subprocess.run([*command, "--orders", "linear"], check=True, capture_output=True, text=True)
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in answer.stdout.splitlines() if "|" in line
    ]
    found = {row[1]: row for row in rows if row[0] == "linear"}
    assert set(JOBS["linear"]) == set(found)
    assert float(found["SimpleITK"][-1]) < PROMISED_HU
    assert float(found["scipy affine_transform"][-1]) < PROMISED_HU
    assert found["TorchIO"][2] == "absent: pip install torchio" or float(found["TorchIO"][-1]) < PROMISED_HU


@pytest.mark.slow
def test_distances_between_outlines_name_absent_peers_and_are_judged():
    """At a small size, where no ratio means anything: rows of ours, and of each peer or its remedy."""
    command = [sys.executable, "-m", "benchmarks.surface_distances", "--slices", "20", "--side", "32"]
    answer = subprocess.run(
        [*command, "--repeat", "1", "--scenes", "near"], check=False, capture_output=True, text=True
    )
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in answer.stdout.splitlines()]
    found = {row[1]: row for row in rows if row and row[0] == "near"}
    assert set(found) == set(surface_distances.METHODS)
    for peer, (_, _, remedy) in surface_distances.PEERS.items():
        row = found[peer]
        is_equal = row[-1] and float(row[-1]) <= surface_distances.PROMISED_DIFFERENCE
        assert row[2] == f"absent: {remedy}" or is_equal


def test_broken_promises_of_distances_are_named():
    def row(name, ratio, difference):
        return ["near", name, "1", "1", "1", ratio, "4, goal 30", "1", difference]

    assert surface_distances.judged([row("surface-distance", "2.0", "1e-07"), row("MONAI", "4.0", "0")]) == []
    assert surface_distances.judged([["near", "MONAI", "absent", *[""] * 6]]) == []
    [slow] = surface_distances.judged([row("MONAI", "3.9", "0.0e+00")])
    assert "3.9 times as fast as MONAI" in slow
    [other] = surface_distances.judged([row("surface-distance", "9", "1.0e-05")])
    assert "differs from surface-distance by 1.0e-05" in other


def test_broken_promises_of_windows_are_named():
    assert sliding_window.judged("windows", 2.6, 0.7, -0.0019, has_bf16=True) == []
    assert sliding_window.judged("windows", 1.5, 0.5, 0.0, has_bf16=False) == []
    [slow] = sliding_window.judged("whole CT", 5.9, 0.5, 0.0, has_bf16=True)
    assert "5.90 times MONAI's speed, 6.0 promised" in slow
    assert len(sliding_window.judged("windows", 2.0, 0.8, 0.002, has_bf16=True)) == 3
    assert len(sliding_window.judged("whole CT", 6.0, 0.5, 0.1, has_bf16=True)) == 1
    assert len(sliding_window.judged("whole CT", 6.0, 0.5, -0.002, has_bf16=True)) == 1


def test_broken_promises_of_classification_are_named():
    ratios = {"torch eager fp32": 1.0, "openvino bf16": 2.5, "openvino int8": 4.5}
    assert classification_runtimes.judged_speed("net", "1", ratios) == []
    slow = classification_runtimes.judged_speed("net", "16", {**ratios, "openvino int8": 4.4})
    assert slow == ["net, batch of 16, int8: 4.40 times torch's speed, 4.5 promised"]
    assert len(classification_runtimes.judged_speed("net", "1", {"a": 2.0, "b int8": 3.0})) == 2
