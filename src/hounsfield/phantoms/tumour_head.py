"""A head with a glioma as a map of tissues, sampled finer than the voxels.

Coordinates: LPS millimetres from the middle of the brain. Sizes are those of an adult (textbook ranges). The
shapes are ellipsoids; the cortex is folded along the zero lines of a random field, so that its ribbon follows the
sulci. Tumour parts are nested by construction: one distance from the tumour's centre, three limits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from hounsfield.phantoms.mr_signal import Tissue

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Field = NDArray[np.float32]
    Labels = NDArray[np.uint8]
    Point = tuple[float, float, float]

# Label: its place in this table. Air first.
TISSUES: dict[str, Tissue] = {
    "air": Tissue(1000.0, 50.0, 0.0),
    "fat": Tissue(380.0, 70.0, 0.9),
    "muscle": Tissue(1420.0, 32.0, 0.8, 0.15),
    "bone": Tissue(600.0, 1.0, 0.08),
    "fluid": Tissue(4300.0, 1500.0, 1.0),
    "grey": Tissue(1820.0, 99.0, 0.82, 0.02),
    "white": Tissue(1084.0, 69.0, 0.70, 0.01),
    "vessel": Tissue(1930.0, 120.0, 0.55, 1.2),  # density lowered: flow carries part of the signal away
    "plexus": Tissue(1700.0, 150.0, 0.85, 0.7),
    "oedema": Tissue(1550.0, 150.0, 0.85, 0.01),
    "enhancing": Tissue(1600.0, 125.0, 0.85, 0.45),
    "necrosis": Tissue(2600.0, 350.0, 0.92),
}
LABEL = {name: number for number, name in enumerate(TISSUES)}
SKULL_INSIDE: Point = (67.0, 84.0, 66.0)
SKULL_MM, SCALP_MM, MENINGES_MM = 6.0, 6.0, 2.0
CORTEX_MM, SULCUS_MM = 3.0, 0.7
FOLD_MM, FOLD_SLOPE_MM, FOLD_DEPTH_MM = (
    10.0,
    11.0,
    18.0,
)  # grain of the folds, mm for a unit of the field, depth of sulci
SEPTUM: Point = (0.0, -6.0, 10.0)  # where midline shift is measured: at the septum pellucidum
SHIFT_REACH_MM, MOST_PUSH_MM = 32.0, 15.0
BORDER_MM, BORDER_GRAIN_MM = 3.2, 7.0  # unevenness of the tumour's border

# (label, centre, half axes), right and left; the later lies over the earlier.
DEEP: tuple[tuple[str, Point, Point], ...] = (
    ("grey", (10.0, 9.0, 1.0), (8.0, 13.0, 8.0)),  # thalamus
    ("grey", (26.0, -5.0, 1.0), (5.0, 15.0, 9.0)),  # putamen
    ("grey", (16.0, -20.0, 9.0), (5.0, 9.0, 8.0)),  # head of the caudate nucleus
    ("fluid", (10.5, -24.0, 9.0), (5.0, 11.0, 7.0)),  # lateral ventricle: frontal horn,
    ("fluid", (11.5, 4.0, 15.0), (6.0, 24.0, 6.0)),  # body,
    ("fluid", (21.0, 30.0, 6.0), (5.5, 17.0, 6.5)),  # atrium and occipital horn
    ("plexus", (18.0, 22.0, 9.0), (2.6, 7.0, 3.0)),
)
MIDDLE: tuple[tuple[str, Point, Point], ...] = (
    ("fluid", (0.0, 5.0, -4.0), (2.2, 11.0, 9.0)),
)  # third ventricle


@dataclass(frozen=True, slots=True)
class Tumour:
    """centre_mm, and diameters of whole tumour, core and necrosis (mm) before the border is made uneven."""

    centre_mm: Point
    whole_mm: float
    core_mm: float
    necrosis_mm: float


@dataclass(frozen=True, slots=True)
class Places:
    """Sample positions along the axes (mm), each shaped to broadcast as (z, y, x)."""

    z_mm: Field
    y_mm: Field
    x_mm: Field

    @property
    def shape(self) -> tuple[int, int, int]:
        """Numbers of samples."""
        return self.z_mm.size, self.y_mm.size, self.x_mm.size

    def depth_mm(self, centre: Point, half: Point, x_mm: Field | None = None) -> Field:
        """About the distance to the surface of an ellipsoid, positive inside."""
        x = (self.x_mm if x_mm is None else x_mm) - centre[0]
        y, z = self.y_mm - centre[1], self.z_mm - centre[2]
        radius = np.sqrt((x / half[0]) ** 2 + (y / half[1]) ** 2 + (z / half[2]) ** 2)
        slope = np.sqrt((x / half[0] ** 2) ** 2 + (y / half[1] ** 2) ** 2 + (z / half[2] ** 2) ** 2)
        return np.asarray(radius * (1.0 - radius) / np.maximum(slope, 1e-6), dtype=np.float32)

    def random_field(self, rng: np.random.Generator, grain_mm: float) -> Field:
        """Smooth field of standard deviation 1, made on a grid of a third of the grain."""
        step_mm = grain_mm / 3
        low = [float(axis.min()) - 2 * step_mm for axis in (self.z_mm, self.y_mm, self.x_mm)]
        sizes = [
            int(np.ceil((float(axis.max()) - start) / step_mm)) + 4
            for axis, start in zip((self.z_mm, self.y_mm, self.x_mm), low, strict=True)
        ]
        coarse = ndimage.gaussian_filter(rng.standard_normal(sizes, dtype=np.float32), 1.5)
        fine = coarse / coarse.std()
        for axis, (places, start) in enumerate(zip((self.z_mm, self.y_mm, self.x_mm), low, strict=True)):
            fine = _along(fine, axis, (places.ravel() - start) / step_mm)
        return np.asarray(fine, dtype=np.float32)


def _along(values: Field, axis: int, at: Field) -> Field:
    """Linear interpolation along one axis at fractional indices."""
    low = np.floor(at).astype(int)
    part = (at - low).astype(np.float32).reshape([-1 if k == axis else 1 for k in range(3)])
    below, above = np.take(values, low, axis=axis), np.take(values, low + 1, axis=axis)
    return np.asarray(below + (above - below) * part, dtype=np.float32)


def midline_shift_mm(push_mm: float) -> float:
    """Where the septum comes to lie when pushed: x = push exp(-x^2 / (2 reach^2)), solved by iteration."""
    x = push_mm
    for _ in range(60):
        x = push_mm * float(np.exp(-(x**2) / (2 * SHIFT_REACH_MM**2)))
    return x


def tissue_map(rng: np.random.Generator, places: Places, tumour: Tumour | None, push_mm: float) -> Labels:
    """Labels (z, y, x) of every sample. push_mm: of the middle of the brain, positive to the patient's left."""
    labels = np.zeros(places.shape, dtype=np.uint8)
    inside = places.depth_mm((0.0, 0.0, 0.0), SKULL_INSIDE)
    _add_outside(labels, places, inside)
    brain = _add_brain(labels, places, inside, rng)
    _add_deep(labels, places, push_mm, brain)
    _add_vessels(labels, places, inside)
    if tumour is not None:
        _add_tumour(labels, places, tumour, brain, rng)
    return labels


def _add_outside(labels: Labels, places: Places, inside: Field) -> None:
    """Face, scalp, skull and the fluid around the brain."""
    face = places.depth_mm((0.0, -38.0, -78.0), (54.0, 56.0, 60.0))
    neck = np.hypot(places.x_mm / 58.0, (places.y_mm - 20.0) / 62.0) + 0.0 * places.z_mm
    below = places.z_mm < -40.0
    labels[(face > 0) | ((neck < 1.0) & below)] = LABEL["muscle"]
    labels[(face > 0) & (face < 5.0)] = LABEL["fat"]
    labels[inside > -(SKULL_MM + SCALP_MM)] = LABEL["fat"]
    labels[inside > -SKULL_MM] = LABEL["bone"]
    labels[inside > 0] = LABEL["fluid"]


def _add_brain(labels: Labels, places: Places, inside: Field, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Cerebrum, cerebellum and brain stem; returns where brain is."""
    folds = places.random_field(rng, FOLD_MM)
    # Small on the zero lines of the field: sulci, down to FOLD_DEPTH_MM; and at the surface of the brain.
    to_sulcus = FOLD_SLOPE_MM * np.abs(folds) + np.maximum(inside - FOLD_DEPTH_MM, 0.0)
    to_fissure = np.abs(places.x_mm) + np.maximum(14.0 - places.z_mm - 0.2 * np.abs(places.y_mm), 0.0)
    from_fluid = np.minimum(np.minimum(inside - MENINGES_MM, to_sulcus), to_fissure) - SULCUS_MM
    cerebrum = (inside > MENINGES_MM) & (places.z_mm > -46.0 + 0.12 * places.y_mm)
    labels[cerebrum & (from_fluid > 0)] = LABEL["grey"]
    labels[cerebrum & (from_fluid > CORTEX_MM)] = LABEL["white"]
    cerebellum = np.minimum(places.depth_mm((0.0, 42.0, -46.0), (44.0, 30.0, 20.0)), inside - 1.5)
    labels[cerebellum > 0] = LABEL["grey"]
    labels[(cerebellum > 3.0) & (np.abs(folds) > 0.5)] = LABEL["white"]
    stem = places.depth_mm((0.0, 14.0, -52.0), (14.0, 13.0, 46.0)) > 0
    stem &= places.z_mm < -8.0
    labels[stem] = LABEL["white"]
    return np.asarray((labels == LABEL["grey"]) | (labels == LABEL["white"]))


def _add_deep(labels: Labels, places: Places, push_mm: float, brain: NDArray[np.bool_]) -> None:
    """Deep nuclei and ventricles, pushed to the side around the septum."""
    squared = (places.x_mm - SEPTUM[0]) ** 2 + (places.y_mm - SEPTUM[1]) ** 2 + (places.z_mm - SEPTUM[2]) ** 2
    x_mm = np.asarray(places.x_mm - push_mm * np.exp(-squared / (2 * SHIFT_REACH_MM**2)), dtype=np.float32)
    # White matter in the middle first: corpus callosum and what surrounds the ventricles.
    within, inside = _ellipsoid(places, x_mm, (0.0, 0.0, 6.0), (36.0, 46.0, 20.0))
    labels[within][inside & brain[within]] = LABEL["white"]
    for name, centre, half in DEEP:
        for side in (1.0, -1.0):
            within, inside = _ellipsoid(places, x_mm, (side * centre[0], centre[1], centre[2]), half)
            labels[within][inside] = LABEL[name]
    for name, centre, half in MIDDLE:
        within, inside = _ellipsoid(places, x_mm, centre, half)
        labels[within][inside] = LABEL[name]
    # The septum: a thin sheet between the frontal horns and bodies.
    septum = (np.abs(x_mm) < 0.9) & (np.abs(places.y_mm + 8.0) < 24.0) & (np.abs(places.z_mm - 11.0) < 6.0)
    labels[septum] = LABEL["white"]


def _ellipsoid(
    places: Places, x_mm: Field, centre: Point, half: Point
) -> tuple[tuple[slice, slice, slice], NDArray[np.bool_]]:
    """The part of the samples around an ellipsoid, and where in it lies inside; x_mm: pushed positions."""
    margin = (MOST_PUSH_MM, 0.0, 0.0)
    window = []
    for axis, k in ((places.z_mm, 2), (places.y_mm, 1), (places.x_mm, 0)):
        reach = half[k] + margin[k]
        first, last = np.searchsorted(axis.ravel(), (centre[k] - reach, centre[k] + reach))
        window.append(slice(int(first), int(last)))
    in_z, in_y, in_x = window
    radius = ((x_mm[in_z, in_y, in_x] - centre[0]) / half[0]) ** 2
    radius = radius + ((places.y_mm[:, in_y] - centre[1]) / half[1]) ** 2
    radius = radius + ((places.z_mm[in_z] - centre[2]) / half[2]) ** 2
    return (in_z, in_y, in_x), np.asarray(radius < 1.0)


def _add_vessels(labels: Labels, places: Places, inside: Field) -> None:
    """Sagittal sinus along the vault, and arteries at the base: what lights up after contrast in every head."""
    sinus = (np.abs(places.x_mm) < 4.5) & (inside > 0.0) & (inside < 5.0) & (places.z_mm > -8.0)
    labels[sinus & (places.y_mm > -60.0)] = LABEL["vessel"]
    for x, y in ((0.0, -4.0), (14.0, -14.0), (-14.0, -14.0)):
        tube = np.hypot(places.x_mm - x, places.y_mm - y) + 0.0 * places.z_mm
        labels[(tube < 2.6) & (places.z_mm > -52.0) & (places.z_mm < -24.0)] = LABEL["vessel"]


def _add_tumour(
    labels: Labels, places: Places, tumour: Tumour, brain: NDArray[np.bool_], rng: np.random.Generator
) -> None:
    """Oedema in white matter around a core that replaces tissue; the core enhances but for its necrosis."""
    centre = tumour.centre_mm
    away = np.sqrt(
        (places.x_mm - centre[0]) ** 2
        + (places.y_mm - centre[1]) ** 2
        + ((places.z_mm - centre[2]) * 1.1) ** 2
    )
    uneven = places.random_field(rng, BORDER_GRAIN_MM)
    # One uneven distance for all three parts, the outermost most uneven: whole holds core holds necrosis.
    whole = (away + 1.8 * BORDER_MM * uneven < tumour.whole_mm / 2) & (labels == LABEL["white"])
    core = (away + BORDER_MM * uneven < tumour.core_mm / 2) & brain
    # One piece: islands that the uneven border leaves beyond it are no second tumour.
    piece = _largest_piece(whole | core)
    whole, core = whole & piece, core & piece
    necrosis = core & (away + 0.6 * BORDER_MM * uneven < tumour.necrosis_mm / 2)
    for name, part in (("oedema", whole), ("enhancing", core), ("necrosis", necrosis)):
        labels[part] = LABEL[name]


def _largest_piece(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest part whose samples touch by their faces."""
    pieces, n_pieces = ndimage.label(mask)
    if n_pieces < 2:
        return mask
    return np.asarray(pieces == 1 + int(np.argmax(np.bincount(pieces.ravel())[1:])))
