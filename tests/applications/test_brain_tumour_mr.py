"""The brain tumour application: what it refuses, and what it says of what it reads."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
from tests.tiny_bundle import head_slice, map_evidence, write_tiny_bundle

from hounsfield.applications.brain_tumour_mr import area, header_conditions, judge, read_brain_tumour_mr
from hounsfield.core import Grid, Image, Inputs, Region, Series, Study
from hounsfield.core.code import LESION_OF_BRAIN
from hounsfield.core.errors import ModelError
from hounsfield.inference import load_model
from hounsfield.zoo import InferenceSettings

AFFINE = np.array([[0, 0, 0.5, 0], [0, 0.4, 0, 0], [6.0, 0, 0, 0], [0, 0, 0, 1]])
T1_TAGS = {
    "EchoTime": 12.0,
    "RepetitionTime": 500.0,
    "ContrastBolusAgent": "Gadovist",
    "BodyPartExamined": "HEAD",
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    bundle = write_tiny_bundle(
        tmp_path_factory.mktemp("models"),
        calibrated=True,
        guarded=True,
        inference=InferenceSettings(mask_threshold=0.01),
        explanations=map_evidence(grad_cam=0.5, lrp_epsilon=0.6, saliency=0.4),
    )
    return load_model(bundle)


def series(array, *, affine=None, kind="raster", modality=None, tags=None, description=""):
    array = np.asarray(array)
    image = Image(array, Grid(array.shape[:3], affine), "1")
    return Series(
        "slice.png",
        kind,
        modality,
        description=description,
        unit="1",
        grid=image.grid,
        tags=MappingProxyType(tags or {}),
        files=("slice.png",),
        load_image=lambda: image,
    )


def mr(array=None, **options):
    options = {"affine": AFFINE, "kind": "image", "modality": "MR", "tags": T1_TAGS, **options}
    return series(head_slice()[None] if array is None else array, **options)


def read(model, one, **asked):
    return read_brain_tumour_mr(
        Inputs(Study("study", (one,)), {"slice": one}, models={"brain-tumour-mr": model}, **asked)
    )


def codes(reading):
    return [condition.code for condition in reading.conditions]


def test_every_class_is_listed_with_its_calibrated_probability(model):
    reading = read(model, mr())
    assert reading.status == "complete"
    assert [finding.name for finding in reading.findings] == ["glioma", "meningioma", "pituitary-tumour"]
    assert sum(finding.probability for finding in reading.findings) == pytest.approx(1.0)
    expected = model.run(head_slice()).probabilities
    np.testing.assert_allclose([finding.probability for finding in reading.findings], expected)
    assert {finding.calibrator for finding in reading.findings} == {"temperature"}


def test_tumour_is_outlined_on_the_slice_and_belongs_to_the_leading_class(model):
    reading = read(model, mr())
    region = reading.region("tumour")
    assert region.mask.shape == (1, 96, 80)
    np.testing.assert_array_equal(region.mask[0], model.run(head_slice()).mask >= 0.01)
    leading = max(reading.findings, key=lambda finding: finding.probability)
    assert [finding.regions for finding in reading.findings if finding is not leading] == [(), ()]
    assert leading.regions == ("tumour",)
    (measured,) = reading.measurements
    assert measured.value == pytest.approx(region.n_voxels * 0.5 * 0.4)
    assert measured.unit == "mm2"


def test_maps_explain_the_leading_class_and_say_what_they_are_worth(model):
    reading = read(model, mr())
    leading = max(reading.findings, key=lambda finding: finding.probability)
    assert [explained.name for explained in reading.maps] == ["lrp-epsilon", "grad-cam"]
    assert all(explained.finding == leading.name for explained in reading.maps)
    assert all(explained.values.shape == (1, 96, 80) for explained in reading.maps)
    assert "60% (95 % interval 40% to 60%)" in reading.maps[0].evidence
    assert "50% (95 % interval 40% to 60%)" in reading.maps[1].evidence


def test_other_maps_are_shown_when_asked_for(model):
    found = read(model, mr(), explain=("hires-cam",))
    assert [(one.name, "not measured" in one.evidence) for one in found.maps] == [("hires-cam", True)]


def test_limits_of_the_model_stand_in_every_reading(model):
    assert {"tumour-assumed", "evidence-limited"} <= set(codes(read(model, mr())))


def test_same_slice_gives_the_same_reading(model):
    assert read(model, mr()).to_json() == read(model, mr()).to_json()


def test_picture_without_header_is_read_with_a_warning(model):
    reading = read(model, series(head_slice()[None]))
    assert reading.status == "complete"
    assert "sequence-unstated" in codes(reading)
    (measured,) = reading.measurements
    assert (measured.unit, measured.value) == ("{pixels}", reading.region("tumour").n_voxels)


def test_grey_picture_stored_as_colour_is_read_alike(model):
    grey = np.round(np.clip(head_slice(), 0, 255))
    coloured = np.repeat(grey[None, ..., None], 3, axis=-1).astype(np.uint8)
    coloured[..., 0] += (coloured[..., 0] < 255) & (
        np.indices(grey.shape).sum(axis=0) % 2 == 0
    )  # as JPEG does
    reading = read(model, series(coloured))
    plain = read(model, series(grey[None]))
    found, expected = ([finding.probability for finding in one.findings] for one in (reading, plain))
    np.testing.assert_allclose(found, expected, atol=0.02)


def test_colour_picture_is_refused(model):
    coloured = np.repeat(head_slice()[None, ..., None], 3, axis=-1)
    coloured[0, 10:30, 10:30, 0] += 60
    reading = read(model, series(coloured))
    assert reading.status == "refused"
    assert "colour picture" in reading.conditions[-1].text


@pytest.mark.parametrize("shape_yx", [(63, 200), (200, 63), (16, 16)])
def test_tiny_picture_is_refused(model, shape_yx):
    reading = read(model, series(head_slice(shape_yx=shape_yx)[None]))
    assert reading.status == "refused"
    assert "at least 64 on each side" in reading.conditions[-1].text


def test_even_picture_is_refused(model):
    almost = np.zeros((1, 90, 90))
    almost[0, 0, 0] = 1
    assert "no contrast" in read(model, series(almost)).conditions[-1].text


def test_several_time_points_are_refused(model):
    array = np.stack([head_slice()[None]] * 2)
    image = Image(array, Grid((1, 96, 80)), "1")
    one = Series("x", "image", "MR", grid=image.grid, load_image=lambda: image, files=("x",))
    assert "one slice is needed" in read(model, one).conditions[-1].text.lower()


def test_foreign_picture_is_refused_with_its_distance(model):
    noise = np.random.default_rng(0).normal(100, 20, (1, 96, 80))
    reading = read(model, series(noise))
    assert reading.status == "refused"
    refusal = reading.conditions[-1]
    assert refusal.code == "not-a-contrast-t1-slice"
    prediction = model.run(noise[0])
    assert f"{prediction.guard_distance:.4g}" in refusal.text
    assert f"{prediction.guard_threshold:.4g}" in refusal.text


@pytest.mark.parametrize(
    ("tags", "description", "says"),
    [
        ({"EchoTime": 95.0}, "", "echo time is 95 ms"),
        ({}, "AX T2 TSE", "'T2'"),
        ({}, "FLAIR_sag", "'FLAIR'"),
        ({"ProtocolName": "ep2d_DWI"}, "", "'DWI'"),
        ({"BodyPartExamined": "KNEE"}, "", "'KNEE'"),
        ({"ContrastBolusAgent": "NONE"}, "", "no contrast agent was given"),
    ],
)
def test_header_that_speaks_against_it_refuses(model, tags, description, says):
    reading = read(model, mr(tags={**T1_TAGS, **tags}, description=description))
    assert reading.status == "refused"
    assert reading.conditions[-1].code == "not-a-contrast-t1-slice"
    assert says in reading.conditions[-1].text


@pytest.mark.parametrize(
    ("tags", "description", "expected"),
    [
        ({"ContrastBolusAgent": "Gadovist"}, "T1", []),
        ({}, "T1 SE post Gd", []),
        ({}, "t1_mprage_sag +C", []),
        ({"EchoTime": 9.0}, "AX T1 FLAIR", ["contrast-unstated"]),
        ({}, "", ["contrast-unstated"]),
        ({"EchoTime": "unreadable", "BodyPartExamined": "BRAIN"}, "postcentral gyrus", ["contrast-unstated"]),
    ],
)
def test_what_is_not_stated_is_a_warning(tags, description, expected):
    found = header_conditions(mr(tags=tags, description=description))
    assert [condition.code for condition in found] == expected
    assert all(condition.severity == "warning" for condition in found)


def test_scores_without_calibrator_stay_scores(tmp_path):
    settings = InferenceSettings(mask_threshold=0.01)
    reading = read(load_model(write_tiny_bundle(tmp_path, inference=settings)), mr())
    assert {finding.presence for finding in reading.findings} == {"indeterminate"}
    assert all(finding.probability is None and finding.score is not None for finding in reading.findings)
    assert "guard-absent" in codes(reading)


def test_slice_on_which_no_tumour_is_outlined_is_refused(tmp_path):
    settings = InferenceSettings(mask_threshold=1.0)
    bundle = write_tiny_bundle(tmp_path, calibrated=True, guarded=True, inference=settings)
    reading = read(load_model(bundle), mr())
    assert reading.status == "refused"
    assert reading.findings == ()
    assert reading.conditions[-1].code == "outline-empty"
    assert "nor does this say that the slice is free of tumour" in reading.conditions[-1].text
    # The guard's verdict is told, and nothing that would be a result.
    assert reading.certainty.guard.verdict == "known"
    assert reading.certainty.possible is None


def test_model_that_outlines_nothing_says_so(tmp_path):
    class WithoutMask:
        """The model as it is, but for the outline."""

        def __init__(self, model):
            self.model = model

        def __getattr__(self, name):
            return getattr(self.model, name)

        def run(self, picture):
            return replace(self.model.run(picture), mask=None)

    reading = read(WithoutMask(load_model(write_tiny_bundle(tmp_path, calibrated=True))), mr())
    assert reading.status == "complete"
    assert reading.regions == ()
    assert reading.measurements == ()
    assert "outline-absent" in codes(reading)


def test_bundle_of_other_classes_is_refused(tmp_path):
    from tests.tiny_bundle import tiny_card

    classes = [c.model_copy(update={"name": c.name + "x"}) for c in tiny_card().classes]
    with pytest.raises(ModelError, match=r"has the classes gliomax, .*this application reads glioma"):
        read(load_model(write_tiny_bundle(tmp_path, classes=classes)), mr())


@pytest.mark.parametrize(
    ("probability", "presence"),
    [(0.95, "present"), (0.6, "present"), (0.59, "indeterminate"), (0.11, "indeterminate"), (0.1, "absent")],
)
def test_thresholds_are_closed_on_the_decided_side(probability, presence):
    found, reason = judge(probability, {"present_from": 0.6, "absent_to": 0.1})
    assert found == presence
    assert "given that the slice shows a glioma, meningioma or pituitary tumour" in reason


def test_area_of_a_known_square():
    mask = np.zeros((1, 20, 20), dtype=bool)
    mask[0, 3:8, 4:8] = True
    square = Region("tumour", LESION_OF_BRAIN, Grid(mask.shape, AFFINE), mask)
    assert area(square).value == pytest.approx(5 * 0.4 * 4 * 0.5)
