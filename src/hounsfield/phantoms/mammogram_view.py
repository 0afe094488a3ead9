"""One view of the mammogram phantom: from tissue along the rays to stored values."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import ndimage

from hounsfield.core import Grid
from hounsfield.phantoms.breast_lesions import mass_thickness_mm, speck_thickness_mm
from hounsfield.phantoms.phantom import Phantom
from hounsfield.phantoms.power_law import power_law_field
from hounsfield.phantoms.side_marker import marker

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.phantoms.breast_lesions import Margin, Speck
    from hounsfield.phantoms.breast_shape import BreastView
    from hounsfield.phantoms.mammogram import MammogramParameters

    Field = NDArray[np.float32]

Vendor = Literal["plain", "inverted", "sigmoid"]
VENDORS: tuple[Vendor, ...] = ("plain", "inverted", "sigmoid")
FAT_PER_CM, GLAND_PER_CM, MASS_PER_CM = 0.456, 0.802, 0.844  # 20 keV, see mammogram.py
MUSCLE_PART = 0.5  # of the thickness, where the pectoral muscle is
SKIN_MM = 1.5
BLUR_MM = 0.05  # standard deviation of the detector: half of the contrast is left at about 3.7 per mm
PICTURE_MM = (160.0, 92.0)  # height and width of the picture
# Grey of fat through the whole breast, and grey for one unit of the logarithm.
FAT_GREY, GREY_PER_UNIT, WHITE = 900, 1500, 4095
BACKGROUND_GREY = {"plain": 0, "inverted": 0, "sigmoid": 90}
CONTRAST = 0.95  # steepness of the border between gland and fat
MARKER_MM, MARKER_GREY = 5.0, 3600
NIPPLE_LEVEL = {"CC": 0.5, "MLO": 0.58}  # part of the height of the picture above the nipple


@dataclass(frozen=True, slots=True)
class Mass:
    """A mass: place behind, lateral of and above the nipple (mm), diameter and margin; seed of its border."""

    place_mm: tuple[float, float, float]
    diameter_mm: float
    margin: Margin
    seed: int


@dataclass(frozen=True, slots=True)
class Findings:
    """What is in the breast of a view: its mass, its specks, and where the middle of the cluster lies."""

    mass: Mass | None
    specks: tuple[Speck, ...]
    cluster_mm: tuple[float, float, float]
    calcium_per_cm: float


class ViewMaker:
    """The work of making one view; all of it with the chest wall on the left, mirrored at the end for the right side."""

    def __init__(
        self,
        parameters: MammogramParameters,
        side: str,
        breast: BreastView,
        density_percent: float,
        rng: np.random.Generator,
    ) -> None:
        self.parameters, self.side, self.breast = parameters, side, breast
        self.density_percent, self.rng = density_percent, rng
        rows, columns = (round(mm / parameters.pixel_mm) for mm in PICTURE_MM)
        self.shape = (rows, columns)
        self.nipple_row = rows * NIPPLE_LEVEL[breast.view]
        self.height = ((self.nipple_row - np.arange(rows)) * parameters.pixel_mm)[:, None].astype(np.float32)
        self.depth = ((np.arange(columns) + 0.5) * parameters.pixel_mm)[None, :].astype(np.float32)

    def make(self, findings: Findings) -> Phantom:
        """The view with its masks and truth."""
        inside_mm = self.breast.inside_mm(self.depth, self.height)
        thickness_mm = self.breast.thickness_at(inside_mm)
        muscle_mm = self.breast.muscle_inside_mm(self.depth, self.height)
        masks = {"breast": inside_mm > 0}
        if self.breast.muscle_mm is not None:
            masks["pectoral-muscle"] = (muscle_mm > 0) & masks["breast"]
        gland = self.gland(inside_mm, thickness_mm, muscle_mm)
        per_cm = FAT_PER_CM + gland * (GLAND_PER_CM - FAT_PER_CM)
        exponent = np.asarray(thickness_mm * per_cm / 10.0, dtype=np.float32)
        truth: dict[str, Any] = {"mass": None, "specks": []}
        if findings.mass is not None:
            masks["mass"], truth["mass"] = self._add_mass(exponent, gland, findings.mass)
        if findings.specks:
            masks["calcifications"], truth["specks"] = self._add_specks(exponent, findings)
        grey = self._grey(exponent, thickness_mm, masks["breast"])
        return self._phantom(grey, masks, truth)

    def gland(self, inside_mm: Field, thickness_mm: Field, muscle_mm: Field) -> Field:
        """Fibroglandular part along each ray; its sum over the breast is the chosen density."""
        p, breast = self.parameters, self.breast
        texture = power_law_field(self.rng, self.shape, p.pixel_mm, p.texture_exponent)
        # Gland lies as a cone behind the nipple; fat under the skin and before the muscle.
        cone = ((self.depth - 0.60 * breast.depth_mm) / (0.42 * breast.depth_mm)) ** 2
        cone = cone + ((self.height + 2.0) / (0.62 * breast.down_mm)) ** 2
        beneath = np.clip((inside_mm - SKIN_MM) / 8.0, 0.0, 1.0)
        likely = CONTRAST * (texture - 0.55 * np.minimum(cone, 6.0)) - 6.0 * (1.0 - beneath) ** 2
        counted = (inside_mm > SKIN_MM) & (muscle_mm <= 0)
        weights = np.where(counted, thickness_mm, 0.0)
        # Every fourth pixel is enough to find the level; the rest is scaled to be exact.
        level = self._level(likely[::4, ::4], weights[::4, ::4])
        gland = 1.0 / (1.0 + np.exp(-np.clip(likely + level, -30, 30)))
        wanted = self.density_percent / 100.0
        gland *= (
            wanted * float(weights.sum(dtype=np.float64)) / float((gland * weights).sum(dtype=np.float64))
        )
        gland = np.clip(gland, 0.0, 1.0)
        muscle = MUSCLE_PART * np.clip(muscle_mm / 1.5 + 0.5, 0.0, 1.0) * (1.0 + 0.08 * texture)
        skin = np.clip(1.0 - inside_mm / SKIN_MM, 0.0, 1.0)
        return np.asarray(np.clip(np.maximum(gland, np.maximum(muscle, skin)), 0.0, 1.0), dtype=np.float32)

    def _level(self, likely: Field, weights: Field) -> float:
        """What has to be added so that the mean over the breast is the density."""
        chosen = weights > 0
        values, weight = likely[chosen], weights[chosen]
        low, high = -30.0, 30.0
        for _ in range(30):
            level = (low + high) / 2
            found = float((weight / (1.0 + np.exp(-np.clip(values + level, -30, 30)))).sum() / weight.sum())
            low, high = (level, high) if found < self.density_percent / 100.0 else (low, level)
        return (low + high) / 2

    def _pixel(self, place_mm: tuple[float, float, float]) -> tuple[float, float]:
        """Row and column, chest wall on the left, of a place from the nipple."""
        depth, height = self.breast.place_of(*place_mm)
        pixel_mm = self.parameters.pixel_mm
        return self.nipple_row - height / pixel_mm, depth / pixel_mm - 0.5

    def _add_mass(
        self, exponent: Field, gland: Field, mass: Mass
    ) -> tuple[NDArray[np.bool_], dict[str, Any]]:
        """Put the mass in the place of what was there."""
        row, column = self._pixel(mass.place_mm)
        pixel_mm = self.parameters.pixel_mm
        y = ((np.arange(self.shape[0]) - row) * pixel_mm)[:, None].astype(np.float32)
        x = ((np.arange(self.shape[1]) - column) * pixel_mm)[None, :].astype(np.float32)
        reach = 1.5 * mass.diameter_mm
        near = np.ix_(np.abs(y[:, 0]) < reach, np.abs(x[0]) < reach)
        rng = np.random.Generator(np.random.PCG64(mass.seed))
        thickness, core = mass_thickness_mm(
            rng, y[near[0][:, 0]], x[:, near[1][0]], mass.diameter_mm, mass.margin
        )
        there = FAT_PER_CM + gland[near] * (GLAND_PER_CM - FAT_PER_CM)
        exponent[near] += np.maximum(MASS_PER_CM - there, 0.0) * thickness / 10.0
        mask = np.zeros(self.shape, dtype=np.bool_)
        mask[near] = core
        return mask, {
            "centre_px": self._shown(row, column),
            "diameter_mm": mass.diameter_mm,
            "margin": mass.margin,
        }

    def _add_specks(
        self, exponent: Field, findings: Findings
    ) -> tuple[NDArray[np.bool_], list[dict[str, Any]]]:
        """Add every speck with its partial volume."""
        mask, listed = np.zeros(self.shape, dtype=np.bool_), []
        for speck in findings.specks:
            place = tuple(a + b for a, b in zip(findings.cluster_mm, speck.place_mm, strict=True))
            row, column = self._pixel((place[0], place[1], place[2]))
            where, thickness = speck_thickness_mm(self.shape, self.parameters.pixel_mm, speck, (row, column))
            exponent[where] += (findings.calcium_per_cm - GLAND_PER_CM) * thickness / 10.0
            mask[where] |= thickness > 0
            listed.append(
                {
                    "centre_px": self._shown(row, column),
                    "diameter_mm": speck.diameter_mm,
                    "largest_mean_thickness_mm": float(thickness.max(initial=0.0)),
                }
            )
        return mask, listed

    def _grey(self, exponent: Field, thickness_mm: Field, breast: NDArray[np.bool_]) -> Field:
        """Photons behind the breast, counted, and shown: white where much was absorbed."""
        p = self.parameters
        area_mm2 = p.pixel_mm**2
        full = thickness_mm > 0.99 * self.breast.thickness_mm
        usual = float(exponent[full].mean())
        open_field = p.photons_per_mm2 * area_mm2 * np.exp(usual)
        photons = ndimage.gaussian_filter(np.exp(-exponent), BLUR_MM / p.pixel_mm) * open_field
        counted = self.rng.poisson(photons)
        seen = -np.log((counted + 0.5) / open_field)
        # The thinner edge is evened out, as presentation processing does, as if fat filled it up.
        evened = seen - FAT_PER_CM * thickness_mm / 10.0
        grey = np.where(breast, FAT_GREY + GREY_PER_UNIT * evened, BACKGROUND_GREY[p.vendor])
        if p.vendor == "sigmoid":
            grey = grey + np.where(breast, 0.0, 4.0 * self.rng.standard_normal(self.shape))
        return np.asarray(np.clip(np.rint(grey), 0, WHITE), dtype=np.float32)

    def _shown(self, row: float, column: float) -> list[float]:
        """Row and column in the picture as stored."""
        last = self.shape[1] - 1
        return [float(row), float(last - column if self.side == "R" else column)]

    def _phantom(self, grey: Field, masks: dict[str, NDArray[np.bool_]], truth: dict[str, Any]) -> Phantom:
        """Mirror the right side, set the marker, and store as the vendor does."""
        p, view = self.parameters, self.breast.view
        if self.side == "R":
            grey = grey[:, ::-1]
            masks = {name: mask[:, ::-1] for name, mask in masks.items()}
        stored = grey.astype(np.uint16)
        drawn = marker(f"{self.side} {view}", round(MARKER_MM / p.pixel_mm))
        margin = round(4.0 / p.pixel_mm)
        first = margin if self.side == "R" else self.shape[1] - margin - drawn.shape[1]
        stored[margin : margin + drawn.shape[0], first : first + drawn.shape[1]][drawn] = MARKER_GREY
        if p.vendor == "inverted":
            stored = (WHITE - stored).astype(np.uint16)
        nipple = self._shown(self.nipple_row, self.breast.depth_mm / p.pixel_mm - 0.5)
        record = {
            "side": self.side,
            "view": view,
            "pixel_spacing_mm": p.pixel_mm,
            "thickness_mm": self.breast.thickness_mm,
            "nipple_px": nipple,
            "chest_wall": "right edge" if self.side == "R" else "left edge",
            **truth,
        }
        return Phantom(
            "mammogram",
            stored[None],
            Grid((1, *self.shape), None, None),
            "1",
            asdict(p),
            record,
            {name: mask[None] for name, mask in masks.items()},
            f"{self.side}-{view}",
        )
