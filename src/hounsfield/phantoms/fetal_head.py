"""A fetal head in the plane of its circumference, by a convex probe: an ellipse of exactly known perimeter.

Head circumference follows the INTERGROWTH-21st standard at the chosen age (Papageorghiou 2014, Lancet
384:869), the cephalic index a mean of 78.3 % with 4.4 % (Hadlock 1981, AJR 137:83). Inside: midline, cavum septi
pellucidi, thalami, choroid plexus; no cerebellum, as the plane asks.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage, special

from hounsfield.core import Grid, Silent
from hounsfield.core.errors import UsageError
from hounsfield.core.progress import step
from hounsfield.measures.intergrowth_biometry_2014 import hc_mm as standard_hc_mm
from hounsfield.phantoms.phantom import Phantom
from hounsfield.phantoms.ultrasound_speckle import Sector, amplitude, envelope, log_compressed, scatterers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.core import Progress

    Field = NDArray[np.float32]

KIND = "fetal-head-us"
CEPHALIC_INDEX = (0.783, 0.044)
SKULL_PART = 0.022  # thickness of the shown skull over the occipito-frontal diameter
RANGE_DB = 60.0
WALL_DB, FLUID_DB, SKULL_DB, BRAIN_DB, MIDLINE_DB, PLEXUS_DB = -26.0, -52.0, -3.0, -36.0, -14.0, -20.0
THALAMUS_DB, CAVUM_DB = -43.0, -54.0
SIDE_LOSS_DB = 28.0  # of skull along the beam against skull across it
SKULL_SHADOW_DB = -3.0
NOISE_DB = (-66.0, -48.0)
# A pulse of two cycles at 4 MHz is 0.8 mm long, half of it in depth (0.16 mm as standard deviation); a beam of 0.6 degrees.
PULSE_PX, BEAM_PX = 0.8, 1.0
RADIUS_MM, OPENING_DEG, N_LINES, STEP_MM = 50.0, 66.0, 256, 0.2


@dataclass(frozen=True, slots=True)
class FetalHeadParameters:
    """What a fetal head phantom is made from; equal parameters give equal pixels.

    ga_weeks: 14 to 40. hc_z: standard deviations of the circumference from its mean, -3 to 3; None draws it by
    the seed within 1.5. pixel_mm: 0.2 to 1. Raises UsageError outside these ranges.
    """

    seed: int = 1
    ga_weeks: float = 24.0
    hc_z: float | None = None
    pixel_mm: float = 0.4

    def __post_init__(self) -> None:
        limits: tuple[tuple[str, float, float, float], ...] = (
            ("seed", self.seed, 0, 2**63 - 1),
            ("ga_weeks", self.ga_weeks, 14.0, 40.0),
            ("hc_z", self.hc_z or 0.0, -3.0, 3.0),
            ("pixel_mm", self.pixel_mm, 0.2, 1.0),
        )
        for name, value, low, high in limits:
            if not low <= value <= high:
                raise UsageError(
                    f"{name} is {value}, outside {low:g} to {high:g} that the fetal head can show"
                )


@dataclass(frozen=True, slots=True)
class Head:
    """Outer border of the skull: half axes (mm) along brow to occiput and across, centre, and turn of the long axis."""

    half_long_mm: float
    half_short_mm: float
    centre_mm: tuple[float, float]  # x, depth
    turn_deg: float

    @classmethod
    def of_circumference(
        cls, hc_mm: float, cephalic_index: float, centre_mm: tuple[float, float], turn_deg: float
    ) -> Head:
        """The ellipse of that perimeter: 4 a E(1 - (b/a)^2), E the complete elliptic integral."""
        unit = 4.0 * float(special.ellipe(1.0 - cephalic_index**2))
        return cls(hc_mm / unit, cephalic_index * hc_mm / unit, centre_mm, turn_deg)

    @property
    def circumference_mm(self) -> float:
        """Perimeter, exact."""
        ratio = self.half_short_mm / self.half_long_mm
        return float(4.0 * self.half_long_mm * special.ellipe(1.0 - ratio**2))

    def along_across_mm(self, x_mm: Field, depth_mm: Field) -> tuple[Field, Field]:
        """Coordinates of the head: u towards the brow, v away from the probe."""
        turn = np.radians(self.turn_deg)
        dx, dy = x_mm - self.centre_mm[0], depth_mm - self.centre_mm[1]
        u, v = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
        return np.asarray(u, dtype=np.float32), np.asarray(v, dtype=np.float32)


def make_fetal_head(
    parameters: FetalHeadParameters | None = None, *, progress: Progress | None = None
) -> Phantom:
    """Make the picture: uint8 (1, y, x).

    truth: hc_mm (exact perimeter of the outer border), BPD outer to outer and outer to inner, OFD, cephalic index,
    centre and half axes in pixels, turn of the long axis (clockwise on the picture, degrees). masks: `head` (all
    within the outer border), `skull`. Deterministic by seed.
    """
    chosen, progress = parameters or FetalHeadParameters(), progress or Silent()
    step(progress, f"{KIND} phantom", 0.0)
    rng = np.random.Generator(np.random.PCG64(chosen.seed))
    mean_mm, sd_mm = standard_hc_mm(chosen.ga_weeks)
    z = float(np.clip(rng.standard_normal(), -1.5, 1.5)) if chosen.hc_z is None else chosen.hc_z
    index = float(np.clip(CEPHALIC_INDEX[0] + CEPHALIC_INDEX[1] * rng.standard_normal(), 0.70, 0.86))
    size = Head.of_circumference(mean_mm + z * sd_mm, index, (0.0, 0.0), 0.0)
    depth_mm = float(rng.uniform(22.0, 30.0)) + size.half_short_mm
    head = Head(
        size.half_long_mm,
        size.half_short_mm,
        (float(rng.uniform(-4.0, 4.0)), depth_mm),
        float(rng.uniform(-12.0, 12.0)),
    )
    sector = Sector(
        depth_mm + head.half_short_mm + 24.0, OPENING_DEG, chosen.pixel_mm, N_LINES, STEP_MM, RADIUS_MM
    )
    picture = _picture(head, sector, rng)
    return Phantom(
        KIND,
        picture[None],
        Grid((1, *picture.shape), None, None),
        "1",
        asdict(chosen),
        _truth(head, sector, z),
        _masks(head, sector),
    )


def _skull_mm(head: Head) -> float:
    return SKULL_PART * 2 * head.half_long_mm


def _masks(head: Head, sector: Sector) -> dict[str, NDArray[np.bool_]]:
    x, depth = sector.pixel_places_mm()
    u, v = head.along_across_mm(x, depth)
    inside = np.hypot(u / head.half_long_mm, v / head.half_short_mm) < 1.0
    skull_mm = _skull_mm(head)
    brain = np.hypot(u / (head.half_long_mm - skull_mm), v / (head.half_short_mm - skull_mm)) < 1.0
    return {"head": inside[None], "skull": (inside & ~brain)[None]}


def _truth(head: Head, sector: Sector, z: float) -> dict[str, Any]:
    pixel_mm, (_, columns) = sector.pixel_mm, sector.shape_yx
    row = (head.centre_mm[1] + sector.sag_mm) / pixel_mm - 0.5
    column = head.centre_mm[0] / pixel_mm + (columns - 1) / 2
    bpd_mm = 2 * head.half_short_mm
    return {
        "hc_mm": head.circumference_mm,
        "hc_z": z,
        "bpd_outer_outer_mm": bpd_mm,
        "bpd_outer_inner_mm": bpd_mm - _skull_mm(head),
        "ofd_mm": 2 * head.half_long_mm,
        "cephalic_index": head.half_short_mm / head.half_long_mm,
        "centre_px": [row, column],
        "half_axes_px": [head.half_long_mm / pixel_mm, head.half_short_mm / pixel_mm],
        "turn_deg": head.turn_deg,
        "pixel_spacing_mm": pixel_mm,
        "probe_px": [round(sector.sag_mm / pixel_mm), columns // 2],
        "definition": "exact: perimeter of the ellipse along the outer border of the skull",
    }


def _picture(head: Head, sector: Sector, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Uterus, fluid and head as the probe shows them."""
    x, depth, range_mm, angle = sector.sample_places_mm()
    u, v = head.along_across_mm(x, depth)
    strength_db = _around(head, (u, v), range_mm, rng)
    reach = np.hypot(u / head.half_long_mm, v / head.half_short_mm)
    inside = reach < 1.0
    _add_brain(strength_db, head, u, v, inside)
    skull_mm = _skull_mm(head)
    inner = np.hypot(u / (head.half_long_mm - skull_mm), v / (head.half_short_mm - skull_mm))
    skull = inside & (inner >= 1.0)
    # The skull reflects where it lies across the beam and all but vanishes where it lies along it.
    turn = np.radians(head.turn_deg)
    normal_u, normal_v = u / head.half_long_mm**2, v / head.half_short_mm**2
    beam_u = np.sin(angle) * np.cos(turn) + np.cos(angle) * np.sin(turn)
    beam_v = np.cos(angle) * np.cos(turn) - np.sin(angle) * np.sin(turn)
    across = np.abs(normal_u * beam_u + normal_v * beam_v) / np.maximum(np.hypot(normal_u, normal_v), 1e-9)
    strength_db[skull] = (SKULL_DB - SIDE_LOSS_DB * (1.0 - across))[skull]
    behind = np.logical_or.accumulate(skull, axis=0) & ~skull
    strength_db += np.float32(SKULL_SHADOW_DB) * behind
    noise_db = NOISE_DB[0] + (NOISE_DB[1] - NOISE_DB[0]) * range_mm / sector.depth_mm
    noise = scatterers(rng, x.shape) * amplitude(noise_db.astype(np.float32))
    echo = np.asarray(scatterers(rng, x.shape) * amplitude(strength_db) + noise, dtype=np.complex64)
    return sector.scan_converter().picture(log_compressed(envelope(echo, (PULSE_PX, BEAM_PX)), RANGE_DB))


def _around(head: Head, uv: tuple[Field, Field], range_mm: Field, rng: np.random.Generator) -> Field:
    """Maternal tissue, the wall of the uterus, and fluid around the head."""
    u, v = uv
    patches = ndimage.gaussian_filter(rng.standard_normal(u.shape, dtype=np.float32), (16.0, 10.0))
    strength_db = np.asarray(WALL_DB + 3.0 * patches / patches.std(), dtype=np.float32)
    near = range_mm < 9.0
    strength_db = np.where(near, strength_db + 5.0 * np.sin(range_mm * 2.1), strength_db).astype(np.float32)
    fluid = np.hypot(u / (head.half_long_mm + 9.0), v / (head.half_short_mm + 7.0)) < 1.0
    strength_db[fluid] = FLUID_DB
    return strength_db


def _add_brain(strength_db: Field, head: Head, u: Field, v: Field, inside: NDArray[np.bool_]) -> None:
    """Draw what the plane of the circumference shows; changes `strength_db`."""
    a, b = head.half_long_mm, head.half_short_mm
    strength_db[inside] = BRAIN_DB
    for side in (-1.0, 1.0):
        thalamus = np.hypot((u + 0.10 * a) / (0.20 * a), (v - side * 0.17 * b) / (0.15 * b)) < 1.0
        strength_db[thalamus] = THALAMUS_DB
    # The half next to the probe is hidden by reverberation: plexus and ventricle are shown in the far one.
    ventricle = np.hypot((u + 0.42 * a) / (0.30 * a), (v - 0.42 * b) / (0.15 * b)) < 1.0
    plexus = np.hypot((u + 0.45 * a) / (0.20 * a), (v - 0.42 * b) / (0.11 * b)) < 1.0
    strength_db[ventricle & inside], strength_db[plexus & inside] = FLUID_DB, PLEXUS_DB
    midline = (np.abs(v) < max(0.6, 0.012 * a)) & (np.abs(u) < 0.93 * a)
    cavum = (np.abs(v) < 0.085 * b) & (u > 0.36 * a) & (u < 0.62 * a)
    wall = (np.abs(v) < 0.085 * b + 0.7) & (u > 0.36 * a - 0.7) & (u < 0.62 * a + 0.7)
    strength_db[midline & inside] = MIDLINE_DB
    strength_db[wall], strength_db[cavum] = MIDLINE_DB - 3.0, CAVUM_DB
