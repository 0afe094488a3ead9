"""Which series an application takes, and the reason that it gives for each other one."""

from __future__ import annotations

import numpy as np
import pytest

from hounsfield.core import Application, Condition, Grid, Needs, Reading, Role, Series, Study
from hounsfield.pipeline import judge, select

AFFINE = np.array([[0, 0, 1.0, 0], [0, 1.0, 0, 0], [2.0, 0, 0, 0], [0, 0, 0, 1]])
THORAX = Role("thorax", modalities=("CT",), unit="HU", spacing_mm=3.0, min_slices=3)


def ct(key="1.2", *, shape=(5, 4, 4), affine=AFFINE, frame="1.9", **changes) -> Series:
    fields = {
        "kind": "image",
        "modality": "CT",
        "unit": "HU",
        "grid": Grid(shape, affine, frame),
        "tags": {},
        "files": (f"{key}.dcm",),
    }
    return Series(key, **{**fields, **changes})


def codes(series: Series, role: Role = THORAX) -> list[str]:
    return [reason.code for reason in judge(series, role)]


def test_plain_series_is_taken():
    assert codes(ct()) == []


@pytest.mark.parametrize(
    ("series", "code", "says"),
    [
        (ct(modality="PT"), "modality-not-taken", "CT is needed"),
        (ct(modality=None), "modality-unstated", "--state FILE=MODALITY:UNIT"),
        (ct(kind="raster", modality=None), "raster-not-taken", "DICOM original"),
        (ct(kind="other"), "not-an-image", "not an image series"),
        (ct(conditions=(Condition("localizer", "note", "This is a scout."),)), "localizer", "scout"),
        (ct(unit=None), "unit-not-met", "unstated unit"),
        (ct(affine=None), "millimetres-unstated", "no position"),
        (ct(shape=(2, 4, 4)), "too-few-slices", "at least 3 slices"),
        (ct(affine=AFFINE * np.array([2, 1, 1, 1])), "slices-too-far-apart", "4.00 mm apart"),
    ],
)
def test_reason_is_named_and_says_what_to_do(series, code, says):
    (reason,) = judge(series, THORAX)
    assert reason.code == code
    assert says in reason.text
    assert reason.severity == "refusal"


def test_refusals_of_the_series_are_the_reasons():
    refusal = Condition("positions-repeat", "refusal", "Slices 3 and 4 lie at the same place.")
    assert judge(ct(conditions=(refusal,)), THORAX) == (refusal,)


def test_missing_unit_is_explained_by_what_made_it_missing():
    reason = Condition("suv-weight-missing", "refusal", "PatientWeight (0010,1030) is absent: no SUV.")
    pet = ct(modality="PT", unit="Bq/ml", conditions=(reason,))
    assert judge(pet, Role("pet", modalities=("PT",), unit="SUVbw")) == (reason,)
    assert judge(pet, Role("pet", modalities=("PT",))) == ()


def test_a_role_for_one_slice_refuses_a_volume():
    assert codes(ct(), Role("slice", modalities=("CT",), geometry="slice")) == ["not-a-single-slice"]
    assert codes(ct(kind="raster", shape=(1, 4, 4)), Role("slice", geometry="slice", raster=True)) == []


def app(*roles: Role) -> Application:
    refusal = Condition("never", "refusal", "Never runs.")
    return Application("fake", "Fake", "1", Needs(roles), lambda inputs: Reading.refused(refusal))


def test_companion_of_the_same_frame_of_reference_comes_first():
    pet = ct("pet", modality="PT", unit="SUVbw", frame="1.5")
    far, near = ct("far", frame="1.4"), ct("near", frame="1.5")
    study = Study("s", (far, pet, near))
    selection = select(study, app(Role("pet", modalities=("PT",)), Role("ct", modalities=("CT",))))
    assert [{role: s.key for role, s in match.items()} for match in selection.matches] == [
        {"pet": "pet", "ct": "near"}
    ]


def test_missing_companion_is_a_reason_unless_optional():
    study = Study("s", (ct(),))
    pet = Role("pet", modalities=("PT",))
    assert [v.reasons[0].code for v in select(study, app(THORAX, pet)).verdicts] == ["companion-missing"]
    optional = Role("pet", modalities=("PT",), optional=True)
    assert len(select(study, app(THORAX, optional)).matches) == 1


def test_a_near_miss_is_of_the_right_kind():
    study = Study("s", (ct("thin", shape=(2, 4, 4)), ct("pet", modality="PT")))
    assert [v.series.key for v in select(study, app(THORAX)).near_misses] == ["thin"]
