"""A nodule on ultrasound by its descriptors: border, inside, bright foci, and what the beam does behind it.

Descriptors are those of ACR TI-RADS (Tessler 2017, J Am Coll Radiol 14:587), spelt as the rule
`acr-tirads-2017` takes them; `spiculated` is added for the breast. Echo strengths follow their definitions:
hypoechoic lies between gland and strap muscle, very hypoechoic below strap muscle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Field = NDArray[np.float32]
    Mask = NDArray[np.bool_]

COMPOSITIONS = ("cystic", "spongiform", "mixed", "solid")
MARGINS = ("smooth", "ill_defined", "lobulated_irregular", "extrathyroidal", "spiculated")
FOCI = ("none", "comet_tail", "macrocalcification", "peripheral", "punctate")
# Decibels against the gland.
ECHO_DB = {
    "hyperechoic": 6.0,
    "isoechoic": 0.0,
    "hypoechoic": -9.0,
    "very_hypoechoic": -17.0,
    "anechoic": -30.0,
}
FLUID_DB = -30.0
CALCIUM_DB = 20.0
SHADOW_DB, ENHANCEMENT_DB, RIM_SHADOW_DB = -18.0, 6.0, -5.0
WAVES = {
    "smooth": 0.015,
    "ill_defined": 0.02,
    "lobulated_irregular": 0.10,
    "extrathyroidal": 0.03,
    "spiculated": 0.05,
}
BLEND_MM = {"ill_defined": 1.6}
SHARP_MM = 0.12
HALO_MM, HALO_DB = 0.6, -11.0
PUNCTATE_MM, MACRO_MM = 0.35, (1.6, 2.8)  # punctate: below 1 mm, without a shadow


@dataclass(frozen=True, slots=True)
class Nodule:
    """Descriptors of one nodule and half axes (mm) across and along the beam in one plane."""

    composition: str
    echogenicity: str
    margin: str
    foci: tuple[str, ...]
    half_width_mm: float
    half_height_mm: float

    def border(self, rng: np.random.Generator, angle: Field) -> Field:
        """Radius over that of the ellipse, by angle; its area is that of the ellipse."""
        height = WAVES[self.margin]
        waves = range(2, 5) if height < 0.05 else range(3, 9)
        border = np.ones_like(angle)
        for n in waves:
            share = float(rng.uniform(0.5, 1.0)) * height / np.sqrt(len(waves) / 2)
            border = border + share * np.cos(n * angle + float(rng.uniform(0, 2 * np.pi)))
        if self.margin == "spiculated":
            border = border + self._spikes(rng, angle)
        return np.asarray(border, dtype=np.float32)

    @staticmethod
    def _spikes(rng: np.random.Generator, angle: Field) -> Field:
        n = int(rng.integers(11, 17))
        spikes = np.zeros_like(angle)
        for k in range(n):
            turn = 2 * np.pi * (k + float(rng.uniform(-0.3, 0.3))) / n
            away = np.abs((angle - turn + np.pi) % (2 * np.pi) - np.pi)
            spikes = np.maximum(spikes, float(rng.uniform(0.18, 0.42)) * np.clip(1.0 - away / 0.13, 0.0, 1.0))
        return spikes


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A nodule in a picture (y, x): its mask, echo strength against the gland where it is, how much of each pixel
    is nodule (0 to 1), and the decibels that the beam gains or loses behind.
    """

    mask: Mask
    strength_db: Field
    part: Field
    behind_db: Field


def draw(rng: np.random.Generator, nodule: Nodule, y_mm: Field, x_mm: Field, pixel_mm: float) -> Drawn:
    """Draw `nodule` around (0, 0); y runs along the beam, away from the probe."""
    u, v = x_mm / nodule.half_width_mm, y_mm / nodule.half_height_mm
    reach, angle = np.hypot(u, v), np.arctan2(v, u)
    turns = np.linspace(-np.pi, np.pi, 2048, endpoint=False, dtype=np.float32)
    border = nodule.border(rng, turns)
    border = border / np.sqrt((border**2).mean())
    limit = np.interp(angle, turns, border, period=2 * np.pi)
    mask = reach < limit
    inward_mm = (limit - reach) * min(nodule.half_width_mm, nodule.half_height_mm)
    blend_mm = BLEND_MM.get(nodule.margin, SHARP_MM)
    part = np.clip(inward_mm / (2 * blend_mm) + 0.5, 0.0, 1.0).astype(np.float32)
    strength_db, fluid = _inside(rng, nodule, (u, v), mask, pixel_mm)
    if nodule.echogenicity == "isoechoic":
        # Without its dark halo a nodule as bright as the gland could not be seen.
        strength_db[(inward_mm > 0) & (inward_mm < HALO_MM)] = HALO_DB
    behind_db = np.zeros(mask.shape, dtype=np.float32)
    # Sound loses less in fluid: tissue behind it is brighter, by the depth of fluid in the column.
    column_mm = fluid.sum(axis=0) * pixel_mm
    behind_db += _behind(mask) * np.minimum(column_mm / 8.0, 1.0)[None, :] * np.float32(ENHANCEMENT_DB)
    _add_foci(rng, nodule, (u, v, inward_mm), (strength_db, behind_db, part), pixel_mm)
    return Drawn(mask, strength_db, part, behind_db)


def _behind(mask: Mask) -> Mask:
    """Pixels below the mask, in its columns."""
    return np.asarray(np.logical_or.accumulate(mask, axis=0) & ~mask)


def _inside(
    rng: np.random.Generator, nodule: Nodule, uv: tuple[Field, Field], mask: Mask, pixel_mm: float
) -> tuple[Field, Mask]:
    """Echo strength against the gland, and where fluid is."""
    strength_db = np.full(mask.shape, ECHO_DB[nodule.echogenicity], dtype=np.float32)
    u, v = uv
    if nodule.composition == "solid":
        fluid = np.zeros(mask.shape, dtype=np.bool_)
    elif nodule.composition == "cystic":
        fluid = np.hypot(u, v) < 0.93
    elif nodule.composition == "mixed":
        x, y = float(rng.uniform(-0.2, 0.2)), float(rng.uniform(-0.15, 0.15))
        fluid = np.hypot((u - x) / 0.62, (v - y) / 0.58) < 1.0
    else:
        # Spongiform: small cystic spaces take more than half of the nodule.
        cells = ndimage.gaussian_filter(rng.standard_normal(mask.shape, dtype=np.float32), 0.42 / pixel_mm)
        fluid = cells > np.quantile(cells[mask], 0.42)
    fluid = fluid & mask
    strength_db[fluid] = FLUID_DB
    return strength_db, fluid


def _add_foci(
    rng: np.random.Generator,
    nodule: Nodule,
    places: tuple[Field, Field, Field],
    into: tuple[Field, Field, Field],
    pixel_mm: float,
) -> None:
    """Draw the bright foci into strength, what lies behind, and the part of each pixel that is nodule."""
    u, v, inward_mm = places
    strength_db, behind_db, part = into
    x_mm, y_mm = u * nodule.half_width_mm, v * nodule.half_height_mm
    if "peripheral" in nodule.foci:
        rim = (np.abs(inward_mm) < 0.35) & (np.arctan2(v, u) < 2.2)  # most of the border, with a gap
        strength_db[rim], part[rim] = CALCIUM_DB - 5.0, 1.0
        behind_db += _behind(rim) * np.float32(RIM_SHADOW_DB)
    for kind, n in (("macrocalcification", 1), ("punctate", int(rng.integers(6, 11))), ("comet_tail", 3)):
        if kind not in nodule.foci:
            continue
        for _ in range(n):
            turn, far = float(rng.uniform(0, 2 * np.pi)), 0.62 * float(np.sqrt(rng.uniform(0.0, 1.0)))
            x, y = far * np.cos(turn) * nodule.half_width_mm, far * np.sin(turn) * nodule.half_height_mm
            wide = float(rng.uniform(*MACRO_MM)) / 2 if kind == "macrocalcification" else PUNCTATE_MM / 2
            wide = max(wide, 0.75 * pixel_mm)
            spot = np.hypot(x_mm - x, (y_mm - y) * (1.6 if kind == "macrocalcification" else 1.0)) < wide
            strength_db[spot] = CALCIUM_DB
            if kind == "macrocalcification":
                behind_db += _behind(spot) * np.float32(SHADOW_DB)
            if kind == "comet_tail":
                down = y_mm - y
                tail = (down > 0) & (down < 2.4) & (np.abs(x_mm - x) < 0.28 * (1.0 - down / 2.4))
                # Reverberation: stripes that fade with depth.
                stripes = CALCIUM_DB - 3.0 - 7.0 * down - 6.0 * (np.floor(down / 0.3) % 2)
                strength_db[tail] = np.maximum(strength_db, stripes)[tail]
