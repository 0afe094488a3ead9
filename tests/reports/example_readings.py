"""Small readings of every kind, made by hand, for the tests of reports."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product

import numpy as np

from hounsfield.core import (
    Condition,
    ExplanationMap,
    Finding,
    Grid,
    Image,
    InputReference,
    Measurement,
    ModelReference,
    Provenance,
    Reading,
    Region,
    Series,
    SourceFrame,
    Study,
)
from hounsfield.core import code as codes

# Axial, head last: rows run to the left, columns to the back (LPS columns z, y, x).
AXIAL = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
# Every way to lay the array's axes along the patient's, in either direction.
ALL_LAYOUTS = [
    AXIAL[:, list(order)] * np.array(signs)
    for order in permutations(range(3))
    for signs in product((1.0, -1.0), repeat=3)
]


def affine(directions, spacing_mm=(1.0, 1.0, 1.0), origin_mm=(0.0, 0.0, 0.0)):
    """A 4x4 affine from unit columns, spacing along (z, y, x) and origin."""
    matrix = np.eye(4)
    matrix[:3, :3] = directions * np.asarray(spacing_mm)
    matrix[:3, 3] = origin_mm
    return matrix


def ball(grid, centre_index, radius_mm):
    """Mask of the voxels within `radius_mm` of an index."""
    index = np.stack(np.indices(grid.shape), axis=-1).astype(float)
    distance_mm = np.linalg.norm(
        grid.index_to_mm(index - np.asarray(centre_index, float)) - grid.affine[:3, 3], axis=-1
    )
    return distance_mm <= radius_mm


def measurement(name="volume", value=12.34, region=None, **changes):
    """A volume in ml by a rule, with fields changed."""
    fields = {
        "quantity": codes.VOLUME,
        "unit": "ml",
        "rule": "region-volume",
        "rule_version": "1.0.0",
        "regions": (region,) if region else (),
    }
    return Measurement(name=name, value=value, **{**fields, **changes})


def lungs(shape=(24, 32, 40)):
    """Reading, image and study of a CT with two lungs; the right one is the larger."""
    grid = Grid(shape, affine(AXIAL, (2.0, 1.0, 1.0)), "1.2.9")
    array = np.full(shape, 40, dtype=np.int16)
    right = ball(grid, (12, 16, 10), 8.0)
    left = ball(grid, (12, 16, 30), 7.0)
    array[right | left] = -860
    frames = tuple(SourceFrame(f"1.2.3.{k}") for k in range(shape[0]))
    reading = Reading.complete(
        findings=[
            Finding(
                "lung-density",
                codes.LUNG_DENSITY,
                "indeterminate",
                "The kernel is sharp, so the index is not valid.",
                site=codes.LUNG,
            )
        ],
        measurements=[
            measurement(value=2845.31, region="right-lung", uncertainty=31.2),
            measurement(value=2410.7, region="left-lung"),
            measurement(
                "mean",
                -861.23,
                "left-lung",
                quantity=codes.MEAN_ATTENUATION,
                unit="[hnsf'U]",
                rule="mean-attenuation",
            ),
        ],
        regions=[
            Region("right-lung", codes.LUNG, grid, right, laterality=codes.RIGHT),
            Region("left-lung", codes.LUNG, grid, left, laterality=codes.LEFT),
        ],
        conditions=[
            Condition("contrast-unstated", "warning", "The header does not state contrast (0018,0010).")
        ],
    )
    series = Series(
        "1.9",
        "image",
        "CT",
        "1.2.9.9",
        "Thorax 1.0 B30f",
        "HU",
        grid,
        {"KVP": 120, "ConvolutionKernel": "B30f"},
        source=frames,
    )
    reading = replace(
        reading,
        application="lung_ct",
        title="Lungs on CT",
        uid="2.25.42",
        study_instance_uid="1.2.8",
        inputs=(
            InputReference(
                "thorax", "1.9", "CT", "1.2.8", "1.2.9.9", series.sop_instance_uids, (), "ab" * 32
            ),
        ),
        provenance=Provenance("lung_ct", "1.0.0", "0.1.0", "rule", (), {"run": 1.5}),
    )
    return reading, Image(array, grid, "HU", frames), study(series)


def study(*series, **tags):
    """A study of a person who does not exist."""
    known = {
        "PatientName": "Phantom^J\u00f6rg \u0416\u0434\u0430\u043d",
        "PatientID": "PH-0001",
        "PatientBirthDate": "19560412",
        "PatientSex": "F",
        "StudyDate": "20260312",
    }
    return Study("1", tuple(series), "1.2.8", {**known, **tags})


CARD = {
    "title": "Tumour classes",
    "intended_use": "Research on contrast-enhanced T1 slices.",
    "not_for": ["Children."],
    "evidence_level": "internal test only",
    "licence": "Apache-2.0",
    "data": [{"name": "Slices", "licence": "CC BY 4.0", "n_cases": 600, "n_groups": 200}],
    "metrics": [
        {
            "name": "auroc",
            "value": 0.962,
            "low95": 0.941,
            "high95": 0.981,
            "n": 160,
            "n_groups": 58,
            "part": "test",
            "by_class": {"glioma": {"value": 0.95, "low95": 0.91, "high95": 0.98}},
        }
    ],
    "baselines": [
        {"name": "thumbnails", "metrics": [{"name": "auroc", "value": 0.885, "n": 160, "part": "test"}]}
    ],
    "calibrator": {
        "name": "temperature",
        "fitted_on": "tuning part",
        "ece_after": {"value": 0.02, "low95": 0.01, "high95": 0.04},
    },
    "thresholds": {
        "glioma": {"present_from": 0.8, "absent_to": 0.1, "chosen_on": "tuning part", "purpose": "95 %"}
    },
    "guard": {
        "method": "mahalanobis",
        "threshold": 31.25,
        "false_refusal_rate": {"refused_fraction": 0.0125},
        "detection": [{"name": "chest films", "n": 200, "refused_fraction": 0.995}],
    },
}


def tumour():
    """Reading, image and study of one slice without millimetres, read by a model, with a map."""
    shape = (1, 64, 48)
    grid = Grid(shape)
    mask = np.zeros(shape, dtype=bool)
    mask[0, 20:30, 10:22] = True
    heat = np.zeros(shape, dtype=np.float32)
    heat[0, 22:28, 12:20] = 1.0
    rng = np.random.default_rng(3)
    image = Image(rng.integers(0, 255, shape, dtype=np.uint8), grid, "1")
    findings = [
        Finding(
            "meningioma",
            codes.MENINGIOMA,
            "present",
            "The calibrated probability is above the threshold.",
            probability=0.9531,
            calibrator="temperature",
            site=codes.BRAIN,
            regions=("tumour",),
        ),
        Finding(
            "glioma",
            codes.GLIOMA,
            "absent",
            "The calibrated probability is below the threshold.",
            probability=0.012,
            calibrator="temperature",
            site=codes.BRAIN,
        ),
    ]
    reading = Reading.complete(
        findings=findings,
        measurements=[
            measurement("area", 120.0, "tumour", quantity=codes.AREA, unit="{pixels}", rule="region-area")
        ],
        regions=[Region("tumour", codes.LESION_OF_BRAIN, grid, mask)],
        maps=[
            ExplanationMap(
                "grad-cam", codes.GRAD_CAM, "meningioma", grid, heat, "It hit in 71 % of 160 slices."
            )
        ],
    )
    reading = replace(
        reading,
        application="brain_tumour_mr",
        title="Brain tumour",
        inputs=(InputReference("slice", "slice.png", None, None, None, (), ("slice.png",), "cd" * 32),),
        provenance=Provenance(
            "brain_tumour_mr",
            "1.0.0",
            "0.1.0",
            "model",
            (ModelReference("brain-tumour-mr", "1.0.0", "ef" * 32, CARD),),
        ),
    )
    series = Series("slice.png", "raster", unit="1", grid=grid, files=("slice.png",))
    return reading, image, Study("slice.png", (series,))


def uptake(n_lesions=5):
    """Reading, image and study of a PET with `n_lesions` hot balls of falling size."""
    shape = (60, 40, 40)
    grid = Grid(shape, affine(AXIAL, (4.0, 4.0, 4.0)), "1.2.7")
    array = np.ones(shape, dtype=np.float32)
    regions = []
    for k in range(n_lesions):
        hot = ball(
            grid, (4 + 52 * k // max(1, n_lesions - 1), 8 + 5 * (k % 5), 10 + 3 * (k % 7)), 14.0 - 0.8 * k
        )
        array[hot] = 8.0
        regions.append(Region(f"lesion-{k + 1}", codes.LESION, grid, hot))
    measurements = [
        measurement(
            "suv-max",
            8.0,
            r.name,
            quantity=codes.SUV_BW,
            unit="g/ml{SUVbw}",
            rule="suv-max",
            derivation=codes.MAXIMUM,
        )
        for r in regions
    ]
    findings = [
        Finding(
            r.name, codes.INCREASED_UPTAKE, "indeterminate", "It may be physiological.", regions=(r.name,)
        )
        for r in regions
    ]
    reading = replace(
        Reading.complete(findings=findings, measurements=measurements, regions=regions),
        title="Tracer uptake",
        application="pet_metabolic",
    )
    return reading, Image(array, grid, "SUVbw"), study()


def refused():
    """A refused reading and its study; no image could be built."""
    reading = Reading.refused(
        Condition(
            "suv-weight-missing", "refusal", "The series states no patient weight. Add it and read again."
        ),
        Condition("suv-note", "note", "Decay correction is START."),
    )
    return replace(reading, title="Tracer uptake", application="pet_metabolic"), study()
