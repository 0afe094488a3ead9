"""Stills of one nodule in two planes, by a linear probe: the thyroid or the breast, with every descriptor known.

The truth is exact by construction: half axes of the ellipse whose area the border keeps, and the descriptors it
was drawn from.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hounsfield.core import Grid, Silent
from hounsfield.core.errors import UsageError
from hounsfield.core.progress import step
from hounsfield.phantoms.nodule_shape import COMPOSITIONS, ECHO_DB, FOCI, MARGINS, Drawn, Nodule, draw
from hounsfield.phantoms.phantom import Phantom, PhantomStudy
from hounsfield.phantoms.soft_tissue_layers import GLAND_DB, SURROUNDINGS, Layers
from hounsfield.phantoms.ultrasound_speckle import WHITE, amplitude, envelope, log_compressed, scatterers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.core import Progress

    Field = NDArray[np.float32]

KIND = "us-nodule"
PLANES = ("transverse", "longitudinal")
PIXEL_MM = 0.08
WIDTH_MM, DEPTH_MM = 44.0, 40.0
ARM_PX = 7  # half length of a calliper's cross
BORDER_PX = 16  # black frame of the picture around the calibrated region
RANGE_DB, NOISE_DB = (
    60.0,
    (-66.0, -50.0),
)  # of the receiver at the skin and at the end, gain over depth applied
# A pulse of two cycles at 10 MHz is 0.3 mm long, half of it in depth; a beam 0.4 mm wide: standard deviations.
PULSE_MM, BEAM_MM = 0.07, 0.16
# Height over width across, and length over width: taller than wide, or wider than tall.
HEIGHT_PART = {"wider": (0.60, 0.80), "taller": (1.15, 1.35)}
LENGTH_PART = (1.05, 1.25)
BEYOND_MM = 2.0  # how far a nodule with extrathyroidal extension reaches out of the gland


@dataclass(frozen=True, slots=True)
class UsNoduleParameters:
    """What a nodule phantom is made from; equal parameters give equal pixels.

    subject: thyroid or breast. largest_mm: largest of the three dimensions, 4 to 26 (taller ones at most 18).
    composition, echogenicity, shape, margin, foci: descriptors as acr-tirads-2017 takes them; `spiculated` and only
    it is for the breast, `extrathyroidal` only for the thyroid. callipers: burn marks at the ends of the axes into
    the pixels. Raises UsageError for what cannot be, such as an anechoic solid nodule.
    """

    seed: int = 1
    subject: Literal["thyroid", "breast"] = "thyroid"
    largest_mm: float = 16.0
    composition: str = "solid"
    echogenicity: str = "hypoechoic"
    shape: str = "wider"
    margin: str = "smooth"
    foci: tuple[str, ...] = ("none",)
    callipers: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.foci, str):
            object.__setattr__(self, "foci", (self.foci,))
        choices: tuple[tuple[str, str, tuple[str, ...]], ...] = (
            ("subject", self.subject, tuple(SURROUNDINGS)),
            ("composition", self.composition, COMPOSITIONS),
            ("echogenicity", self.echogenicity, tuple(ECHO_DB)),
            ("shape", self.shape, tuple(HEIGHT_PART)),
            ("margin", self.margin, MARGINS),
            *(("foci", one, FOCI) for one in self.foci),
        )
        for name, chosen, allowed in choices:
            if chosen not in allowed:
                raise UsageError(f"{name} is {chosen!r}; choose one of {', '.join(allowed)}")
        if not 0 <= self.seed < 2**63:
            raise UsageError(f"seed is {self.seed}, outside 0 to 2^63")
        largest = 18.0 if self.shape == "taller" else 26.0
        if not 4.0 <= self.largest_mm <= largest:
            raise UsageError(
                f"largest_mm is {self.largest_mm}, outside 4 to {largest:g} that fits into the gland"
            )
        self._check_together()

    def _check_together(self) -> None:
        """Refuse descriptors that exclude each other."""
        wrong = (
            (
                (self.composition == "cystic") != (self.echogenicity == "anechoic"),
                "anechoic and cystic go together",
            ),
            (not self.foci or ("none" in self.foci and len(self.foci) > 1), "give foci, or `none` alone"),
            (
                self.margin == "spiculated" and self.subject != "breast",
                "a spiculated margin is for the breast",
            ),
            (
                self.margin == "extrathyroidal" and self.subject != "thyroid",
                "extrathyroidal extension is for the thyroid",
            ),
        )
        for is_so, says in wrong:
            if is_so:
                raise UsageError(f"{says}: no such nodule can be drawn")


def make_us_nodule(
    parameters: UsNoduleParameters | None = None, *, progress: Progress | None = None
) -> PhantomStudy:
    """Make both stills: images `transverse` and `longitudinal`, each uint8 (1, y, x).

    truth of the study: descriptors, three dimensions in cm (across, along the beam, lengthwise) and volume of the
    ellipsoid. truth of an image: centre and half axes in pixels, spacing, calibrated box. masks: `nodule`.
    Deterministic by seed.
    """
    chosen, progress = parameters or UsNoduleParameters(), progress or Silent()
    rng = np.random.Generator(np.random.PCG64(chosen.seed))
    height, length = float(rng.uniform(*HEIGHT_PART[chosen.shape])), float(rng.uniform(*LENGTH_PART))
    width_mm = chosen.largest_mm / max(1.0, height, length)
    dimensions_mm = (width_mm, width_mm * height, width_mm * length)
    images: dict[str, Phantom] = {}
    for k, plane in enumerate(PLANES):
        step(progress, f"{KIND} phantom: {plane}", k / len(PLANES))
        across_mm = dimensions_mm[0] if plane == "transverse" else dimensions_mm[2]
        images[plane] = _still(chosen, plane, (across_mm, dimensions_mm[1]), rng)
    truth: dict[str, Any] = {
        "descriptors": {
            "composition": chosen.composition,
            "echogenicity": chosen.echogenicity,
            "shape": chosen.shape,
            "margin": chosen.margin,
            "foci": list(chosen.foci),
        },
        "dimensions_cm": [mm / 10.0 for mm in dimensions_mm],
        "maximum_cm": max(dimensions_mm) / 10.0,
        "volume_ml": float(np.pi / 6 * np.prod(dimensions_mm) / 1000.0),
        "definition": "exact: axes of the ellipse whose area the border keeps; waves and spikes of the border besides",
    }
    return PhantomStudy(KIND, asdict(chosen), truth, images)


def _still(
    chosen: UsNoduleParameters, plane: str, size_mm: tuple[float, float], rng: np.random.Generator
) -> Phantom:
    """One picture; size_mm: of the nodule across and along the beam."""
    rows, columns = round(DEPTH_MM / PIXEL_MM), round(WIDTH_MM / PIXEL_MM)
    y_mm = ((np.arange(rows) + 0.5) * PIXEL_MM)[:, None].astype(np.float32)
    x_mm = ((np.arange(columns) - (columns - 1) / 2) * PIXEL_MM)[None, :].astype(np.float32)
    layers = SURROUNDINGS[chosen.subject](rng, y_mm, x_mm, PIXEL_MM, plane=plane)
    half_x, half_y = size_mm[0] / 2, size_mm[1] / 2
    centre_x, centre_y = float(rng.uniform(-2.0, 2.0)), _centre_depth(chosen, layers, half_y, rng)
    nodule = Nodule(chosen.composition, chosen.echogenicity, chosen.margin, chosen.foci, half_x, half_y)
    drawn = draw(rng, nodule, y_mm - centre_y, x_mm - centre_x, PIXEL_MM)
    grey = _grey(layers, drawn, y_mm, rng)
    picture = np.zeros((rows + 2 * BORDER_PX, columns + 2 * BORDER_PX), dtype=np.uint8)
    inner = (slice(BORDER_PX, BORDER_PX + rows), slice(BORDER_PX, BORDER_PX + columns))
    picture[inner] = np.rint(grey)
    mask = np.zeros(picture.shape, dtype=np.bool_)
    mask[inner] = drawn.mask
    centre_px = (centre_y / PIXEL_MM - 0.5 + BORDER_PX, centre_x / PIXEL_MM + (columns - 1) / 2 + BORDER_PX)
    half_px = (half_y / PIXEL_MM, half_x / PIXEL_MM)
    if chosen.callipers:
        _burn_callipers(picture, centre_px, half_px)
    truth = {
        "plane": plane,
        "pixel_spacing_mm": PIXEL_MM,
        "region_box_yx": [BORDER_PX, BORDER_PX + rows - 1, BORDER_PX, BORDER_PX + columns - 1],
        "centre_px": list(centre_px),
        "half_axes_px": list(half_px),
    }
    grid = Grid((1, *picture.shape), None, None)
    return Phantom(KIND, picture[None], grid, "1", asdict(chosen), truth, {"nodule": mask[None]}, plane)


def _centre_depth(
    chosen: UsNoduleParameters, layers: Layers, half_y: float, rng: np.random.Generator
) -> float:
    """Depth of the centre: in the gland, or out of its front by BEYOND_MM."""
    if chosen.margin == "extrathyroidal":
        return layers.front_mm + half_y - BEYOND_MM
    low, high = layers.front_mm + half_y + 1.0, layers.back_mm - half_y - 1.0
    return float(rng.uniform(low, high)) if low < high else (low + high) / 2


def _grey(layers: Layers, drawn: Drawn, y_mm: Field, rng: np.random.Generator) -> Field:
    """Tissue and nodule as the machine shows them."""
    outside = amplitude(layers.strength_db)
    inside = amplitude((GLAND_DB + drawn.strength_db).astype(np.float32))
    mean = outside + drawn.part * (inside - outside)
    mean = mean * amplitude((layers.behind_db + drawn.behind_db).astype(np.float32))
    noise_db = NOISE_DB[0] + (NOISE_DB[1] - NOISE_DB[0]) * y_mm / DEPTH_MM
    echo = scatterers(rng, mean.shape) * mean + scatterers(rng, mean.shape) * amplitude(
        noise_db.astype(np.float32)
    )
    seen = envelope(np.asarray(echo, dtype=np.complex64), (PULSE_MM / PIXEL_MM, BEAM_MM / PIXEL_MM))
    return log_compressed(seen, RANGE_DB)


def _burn_callipers(
    picture: NDArray[np.uint8], centre_px: tuple[float, float], half_px: tuple[float, float]
) -> None:
    """Crosses at the four ends of the axes, white as a machine draws them; changes `picture`."""
    row, column = centre_px
    for down, right in ((half_px[0], 0.0), (-half_px[0], 0.0), (0.0, half_px[1]), (0.0, -half_px[1])):
        y, x = round(row + down), round(column + right)
        picture[y - ARM_PX : y + ARM_PX + 1, x : x + 2] = WHITE
        picture[y : y + 2, x - ARM_PX : x + ARM_PX + 1] = WHITE
