"""A synthetic chest film: thicknesses turned into photons, photons into a presented picture.

Line integrals of three tissues, scatter, the detector's blur, Poisson noise by the dose, the logarithm, and
grey for presentation. Texture of the lung is a field whose power falls with the third power of frequency.
The truth (cardiothoracic ratio, widths, outlines, boxes) is that of the analytic shapes, before noise and blur.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import ndimage

from hounsfield.core import Grid, Silent
from hounsfield.core.errors import UsageError
from hounsfield.core.progress import step
from hounsfield.phantoms.film_frontal import FrontalBuild, draw_build, frontal, vessels_mm
from hounsfield.phantoms.film_lateral import lateral
from hounsfield.phantoms.film_lesions import (
    AERATED,
    box_px,
    plant_effusion,
    plant_nodule,
    plant_opacity,
    plant_pneumothorax,
)
from hounsfield.phantoms.film_marker import draw_marker
from hounsfield.phantoms.phantom import Phantom

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.core import Progress
    from hounsfield.phantoms.film_frontal import Field, Frontal

# Linear attenuation (1/mm) at 60 keV, about the mean energy of a 120 kV beam behind a patient.
# Source: NIST XCOM mass attenuation 0.206 (water) and 0.315 cm2/g (cortical bone, ICRU 44, 1.92 g/cm3).
SOFT_PER_MM, BONE_PER_MM = 0.0206, 0.0604
FILM_MM = 390.0  # a detector of 43 x 43 cm, collimated to the chest
ABOVE_LUNGS_MM = 46.0
# Photons per mm2 and microgray of the RQA5 beam. Source: IEC 62220-1:2003, table 2.
PHOTONS_PER_MM2_UGY = 30174.0
TARGET_INDEX = 250.0  # exposure index 100 x microgray (IEC 62494-1); a usual target for chests
SCATTER_SHARE, SCATTER_MM = 0.30, 45.0  # behind a grid, as a part of the mean primary around it
TEXTURE_MM, TEXTURE_EXPONENT = 3.0, 3.0  # of the lung's thickness; anatomy's power falls about with f^-3
# Presentation lowers broad differences and raises detail, as the processing of every vendor does; values by eye.
COARSE_MM, COARSE_GAIN, DETAIL_GAIN = 25.0, 0.85, 1.6
# Greys of the lungs' middle and of the spine: those of the real films in benchmarks/radiograph_quality.py.
DARK_GREY, LIGHT_GREY = 0.36, 0.95
LARGEST_GREY = 4095
VIEWS = ("PA", "AP", "LL")
View = Literal["PA", "AP", "LL"]


@dataclass(frozen=True, slots=True)
class ChestFilmParameters:
    """What a chest film phantom is made from; equal parameters give equal pixels.

    view: PA, AP or LL. sex: M or F; age_years: 18 to 99; ctr: cardiothoracic ratio, 0.3 to 0.75 (frontal
    views); None draws each from the seed. nodule_mm, opacity_mm: diameters; effusion_mm: height above the
    costophrenic angle; pneumothorax_mm: gap at the apex; 0 plants none (frontal views only). marker: letter
    burned in at the upper corner on its side. exposure_index: 100 x air kerma at the detector in microgray, 20
    to 5000; the noise follows. site_gain: contrast of the presentation, 0.3 to 2; blur_mm: sigma of the detector's blur, 0 to
    3. photometric: MONOCHROME1 stores the same picture with white as 0. Raises UsageError outside these ranges.
    """

    seed: int = 1
    matrix_px: int = 512
    view: View = "PA"
    sex: Literal["M", "F"] | None = None
    age_years: int | None = None
    ctr: float | None = None
    nodule_mm: float = 0.0
    opacity_mm: float = 0.0
    effusion_mm: float = 0.0
    pneumothorax_mm: float = 0.0
    marker: Literal["none", "L", "R"] = "L"
    exposure_index: float = 250.0
    site_gain: float = 1.0
    blur_mm: float = 0.3
    photometric: Literal["MONOCHROME1", "MONOCHROME2"] = "MONOCHROME2"

    def __post_init__(self) -> None:
        limits: tuple[tuple[str, float, float, float], ...] = (
            ("seed", self.seed, 0, 2**63 - 1),
            ("matrix_px", self.matrix_px, 128, 3072),
            ("exposure_index", self.exposure_index, 20.0, 5000.0),
            ("site_gain", self.site_gain, 0.3, 2.0),
            ("blur_mm", self.blur_mm, 0.0, 3.0),
            *(() if self.ctr is None else (("ctr", self.ctr, 0.3, 0.75),)),
            *(() if self.age_years is None else (("age_years", self.age_years, 18, 99),)),
            *(
                (name, getattr(self, name), least, most)
                for name, least, most in PLANTED
                if getattr(self, name)
            ),
        )
        for name, value, least, most in limits:
            if not least <= value <= most:
                raise UsageError(f"{name} is {value}; choose {least:g} to {most:g}")
        choices: tuple[tuple[str, Any, tuple[Any, ...]], ...] = (
            ("view", self.view, VIEWS),
            ("sex", self.sex, ("M", "F", None)),
            ("marker", self.marker, ("none", "L", "R")),
            ("photometric", self.photometric, ("MONOCHROME1", "MONOCHROME2")),
        )
        for name, value, allowed in choices:
            if value not in allowed:
                raise UsageError(f"{name} is {value!r}; choose {', '.join(str(one) for one in allowed)}")
        planted = [name for name, *_ in PLANTED if getattr(self, name)] + ["ctr"] * (self.ctr is not None)
        if self.view == "LL" and planted:
            raise UsageError(f"{', '.join(planted)} can be chosen for frontal views only: take view PA or AP")


PLANTED = (
    ("nodule_mm", 5.0, 40.0),
    ("opacity_mm", 20.0, 120.0),
    ("effusion_mm", 10.0, 150.0),
    ("pneumothorax_mm", 5.0, 80.0),
)


def make_chest_film(p: ChestFilmParameters | None = None, *, progress: Progress | None = None) -> Phantom:
    """Make the film: array uint16 (1, y, x) of 12 bits for presentation, as stored; the grid has no affine.

    truth: sex and age, view, for frontal views `ctr` with both distances of the heart's border from the midline
    and the thoracic width in mm and pixels, `exposure_index`, and `planted` with place, size and box of each.
    masks: right-lung, left-lung, heart (lungs, heart for LL) and what was planted.
    """
    p = p or ChestFilmParameters()
    said = progress or Silent()
    rng = np.random.Generator(np.random.PCG64(p.seed))
    sex = p.sex or ("M", "F")[int(rng.integers(2))]
    drawn_age = int(rng.integers(20, 90))
    build = draw_build(rng, sex=sex, view=p.view, ratio=p.ctr)
    spacing_mm = FILM_MM / p.matrix_px
    shift_mm = rng.uniform(-10.0, 10.0, 2)
    axis = (np.arange(p.matrix_px) + 0.5) * spacing_mm
    x = (axis - FILM_MM / 2 + shift_mm[0])[None, :]
    y = (axis - ABOVE_LUNGS_MM + shift_mm[1])[:, None]
    step(said, "chest film: anatomy", 0.1)
    planted: dict[str, Any] = {}
    if p.view == "LL":
        chest = lateral(x, y, build)
        chest.lung = np.clip(chest.lung - vessels_mm(x, y, rng, build), 0.0, None)
    else:
        chest = frontal(x, y, build, sex=sex, view=p.view)
        chest.lung = np.clip(chest.lung - vessels_mm(x, y, rng, build), 0.0, None)
        planted = _plant(chest, x, y, p, build)
    step(said, "chest film: beam", 0.6)
    grey = _presented(chest, p, spacing_mm)
    if p.marker != "none":
        draw_marker(grey, p.marker, LARGEST_GREY)
    stored = LARGEST_GREY - grey if p.photometric == "MONOCHROME1" else grey
    grid = Grid((1, p.matrix_px, p.matrix_px))
    truth: dict[str, Any] = {
        "view": p.view,
        "sex": sex,
        "age_years": p.age_years or drawn_age,
        "spacing_mm": spacing_mm,
        "exposure_index": p.exposure_index,
        "planted": planted,
        "definition": "outlines and widths are those of the analytic shapes, before blur and noise; right and left are "
        "the patient's",
    }
    if p.view != "LL":
        truth |= _widths(build, spacing_mm)
    masks = {name: np.asarray(mask)[None] for name, mask in chest.masks.items()}
    return Phantom("chest-film", stored[None].astype(np.uint16), grid, "1", asdict(p), truth, masks)


def _widths(build: FrontalBuild, spacing_mm: float) -> dict[str, float]:
    millimetres = {
        "right_heart": build.right_heart_mm,
        "left_heart": build.left_heart_mm,
        "thorax": build.width_mm,
    }
    both = {f"{name}_mm": value for name, value in millimetres.items()}
    both |= {f"{name}_px": value / spacing_mm for name, value in millimetres.items()}
    return {"ctr": build.ratio, **both}


def _plant(chest: Frontal, x: Field, y: Field, p: ChestFilmParameters, build: FrontalBuild) -> dict[str, Any]:
    """Plant what was asked for, each from a stream of its own, so that one does not move another."""
    made: dict[str, Any] = {}
    streams = [np.random.Generator(np.random.PCG64([p.seed, number])) for number in range(1, 5)]
    if p.pneumothorax_mm:
        made["pneumothorax"] = plant_pneumothorax(chest, x, y, streams[0], build, p.pneumothorax_mm)
    if p.opacity_mm:
        made["opacity"] = plant_opacity(chest, x, y, streams[1], p.opacity_mm)
    if p.nodule_mm:
        made["nodule"] = plant_nodule(chest, x, y, streams[2], p.nodule_mm)
    if p.effusion_mm:
        made["effusion"] = plant_effusion(chest, x, y, streams[3], build, p.effusion_mm)
    return {name: {**told, "box_px_yxyx": box_px(chest.masks[name])} for name, told in made.items()}


def _presented(chest: Frontal, p: ChestFilmParameters, spacing_mm: float) -> NDArray[np.int64]:
    """Grey 0 to 4095 with bone bright, from thicknesses."""
    rng = np.random.Generator(np.random.PCG64([p.seed, 0]))
    texture = TEXTURE_MM * _power_law(rng, chest.lung.shape[0])
    lung = np.clip(chest.lung + texture * (chest.lung / max(float(chest.lung.max()), 1.0)), 0.0, None)
    line = SOFT_PER_MM * (chest.body - AERATED * lung) + BONE_PER_MM * chest.bone
    primary = np.exp(-line)
    scatter = SCATTER_SHARE * ndimage.gaussian_filter(primary, SCATTER_MM / spacing_mm, mode="nearest")
    signal = primary + scatter
    behind_lung = float(np.median(signal[chest.lung > 0.5 * chest.lung.max()]))
    photons = p.exposure_index / 100.0 * PHOTONS_PER_MM2_UGY * spacing_mm**2 / behind_lung
    blurred = ndimage.gaussian_filter(signal, p.blur_mm / spacing_mm, mode="nearest")
    counts = rng.poisson(np.clip(blurred * photons, 0.0, 1e9))
    density = -np.log(np.maximum(counts, 1) / photons)
    coarse = ndimage.gaussian_filter(-np.log(blurred), COARSE_MM / spacing_mm, mode="nearest")
    balanced = COARSE_GAIN * coarse + DETAIL_GAIN * (density - coarse)
    dark = float(np.median(balanced[chest.lung > 0.5 * chest.lung.max()]))
    light = float(np.percentile(balanced[chest.body > 0], 99.8))
    fraction = DARK_GREY + (LIGHT_GREY - DARK_GREY) * (balanced - dark) / (light - dark)
    fraction = 0.5 + p.site_gain * (fraction - 0.5)
    return np.asarray(np.rint(np.clip(fraction, 0.0, 1.0) * LARGEST_GREY), dtype=np.int64)


def _power_law(rng: np.random.Generator, n: int) -> Field:
    """A random field of unit deviation whose power falls with frequency^-TEXTURE_EXPONENT; waves below 60 px."""
    frequency = np.hypot(np.fft.fftfreq(n)[:, None], np.fft.rfftfreq(n)[None, :])
    amplitude = np.where(frequency > 1.0 / 60.0, np.maximum(frequency, 1e-6) ** (-TEXTURE_EXPONENT / 2), 0.0)
    made = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((n, n))) * amplitude, s=(n, n))
    return np.asarray(made / made.std())
