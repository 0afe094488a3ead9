"""What is true of a synthetic head: its bleed, as ABC/2 takes it, and its midline, as the rule of its shift takes it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.phantoms import head_shapes as shapes
from hounsfield.phantoms.head_anatomy import MONRO_Y_MM, MONRO_Z_MM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.phantoms.head_anatomy import Head
    from hounsfield.phantoms.head_bleed import Ellipsoid
    from hounsfield.phantoms.head_ct import HeadCtParameters

ONE_SIDED = frozenset({"intraparenchymal", "subdural", "epidural"})


def in_scanner(place_mm: tuple[float, float, float], rotation_deg: float) -> list[float]:
    """A point of the head in LPS millimetres; the head may be rotated in the axial plane."""
    angle = math.radians(rotation_deg)
    x, y, z = place_mm
    turned = (x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle), z)
    return [round(float(one), 3) for one in turned]


def bleed_truth(p: HeadCtParameters, blood_mm3: NDArray[np.float64], mask_ml: float) -> dict[str, Any]:
    """Of every kind of bleed. blood_mm3: on every slice, counted in parts of voxels; mask_ml: of whole voxels."""
    return {
        "kind": p.bleed,
        "side": p.side if p.bleed in ONE_SIDED else "both",
        "volume_ml": p.bleed_ml,
        "counted_volume_ml": float(blood_mm3.sum() / 1000.0),
        "mask_volume_ml": mask_ml,
        "hu": p.blood_hu,
        "slice_areas_cm2": [round(float(v / p.thickness_mm / 100.0), 5) for v in blood_mm3],
        "slice_spacing_cm": p.thickness_mm / 10.0,
    }


def ellipsoid_truth(
    ellipsoid: Ellipsoid, planes_mm: NDArray[np.float64], p: HeadCtParameters
) -> dict[str, Any]:
    """Lengths of an ellipsoid by its formula. planes_mm: those of the slice on which it is largest.

    a_cm, b_cm: of its section on that slice, as ABC/2 takes them: an ellipse is smaller off the middle, and the
    mean area over the slice stands for it.
    """
    a_mm, b_mm, c_mm = ellipsoid.half_axes_mm
    off = (planes_mm - ellipsoid.centre_mm[2]) / c_mm
    smaller = math.sqrt(float(np.mean(np.maximum(1.0 - off**2, 0.0))))
    return {
        "centre_mm": in_scanner(ellipsoid.centre_mm, p.rotation_deg),
        "half_axes_mm": [float(v) for v in ellipsoid.half_axes_mm],
        "a_cm": 2.0 * max(a_mm, b_mm) * smaller / 10.0,
        "b_cm": 2.0 * min(a_mm, b_mm) * smaller / 10.0,
        "abc2_of_axes_ml": 4.0 * a_mm * b_mm * c_mm / 1000.0,
        "oedema_mm": p.oedema_mm,
    }


def midline_truth(head: Head, rotation_deg: float) -> dict[str, Any]:
    """By construction: around the foramina of Monro the septum is pushed by exactly the shift."""
    y, z = (np.array([[v]], dtype=np.float32) for v in (MONRO_Y_MM, MONRO_Z_MM))
    half_mm = float(shapes.half_width_mm(y, z)[0, 0])
    septum_mm = float(head.midline_mm(y, z)[0, 0])
    places = {"septum": septum_mm, "right_inner_table": -half_mm, "left_inner_table": half_mm}
    return {
        "shift_mm": abs(septum_mm),
        "towards": "none" if septum_mm == 0 else "right" if septum_mm < 0 else "left",
        "inner_table_width_mm": 2.0 * half_mm,
        "inner_table_to_septum_mm": half_mm + septum_mm,
        "measured_from": "the inner table of the patient's right side",
        "rotation_deg": rotation_deg,
        **{
            name: {"centre_mm": in_scanner((x_mm, MONRO_Y_MM, MONRO_Z_MM), rotation_deg)}
            for name, x_mm in places.items()
        },
    }
