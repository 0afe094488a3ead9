"""A screening mammogram of four views: tissue of known density, a mass and a cluster of calcifications.

Made as the picture arises: thickness of fat and of fibroglandular tissue along each ray, attenuation near
20 keV, blur of the detector, Poisson noise of the photons, logarithm, evening out of the thinner edge. Scatter,
beam hardening and the processing of a vendor are not modelled. The two views of a breast share density, mass
and cluster, not their texture.

Linear attenuation at 20 keV (per cm): adipose 0.456, fibroglandular 0.802, infiltrating ductal carcinoma 0.844
(Johns and Yaffe 1987, Phys Med Biol 32:675). Calcifications: calcium oxalate monohydrate 9 to hydroxyapatite
20 (mass coefficients of NIST for the elements, densities 2.2 and 3.16 g/ml).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hounsfield.core import Silent
from hounsfield.core.errors import UsageError
from hounsfield.core.progress import step
from hounsfield.phantoms.breast_lesions import MARGINS, Margin, make_cluster
from hounsfield.phantoms.breast_shape import BreastView
from hounsfield.phantoms.mammogram_view import VENDORS, Findings, Mass, Vendor, ViewMaker
from hounsfield.phantoms.phantom import PhantomStudy

if TYPE_CHECKING:
    from hounsfield.core import Progress
    from hounsfield.phantoms.phantom import Phantom

KIND = "mammogram"
Side = Literal["L", "R"]
Density = Literal["a", "b", "c", "d"]
# Fibroglandular part of the volume in %, within the limits 3.5, 7.5 and 15.5 between the grades of a volumetric
# scale (Volpara). BI-RADS a to d is a reader's pattern and no percentage: a phantom has no reader.
DENSITY_PERCENT = {"a": (2.2, 3.3), "b": (3.8, 7.2), "c": (7.8, 15.0), "d": (16.0, 28.0)}
VIEWS = (("R", "CC"), ("L", "CC"), ("R", "MLO"), ("L", "MLO"))


@dataclass(frozen=True, slots=True)
class MammogramParameters:
    """What a mammogram phantom is made from; equal parameters give equal pixels.

    density: grade a to d of both breasts. mass: margin (none, round, spiculated), mass_diameter_mm 5 to 30,
    mass_side. n_calcifications: 0 or 2 to 20 specks of 0.1 to 0.5 mm, calcification_side. pixel_mm: 0.05 to 0.4;
    above 0.1 specks are all but lost to partial volume. photons_per_mm2: behind the full thickness, 1e4 to 1e7; usual
    5e5 (100 microgray at 5000 per mm2 and microgray; IEC 62220-1-2). texture_exponent: 2.5 to 3.5. vendor: how values
    are stored: plain, inverted (MONOCHROME1), or sigmoid (VOI LUT Function SIGMOID, background not zero).
    Raises UsageError outside these ranges.
    """

    seed: int = 1
    density: Density = "b"
    mass: Margin = "spiculated"
    mass_diameter_mm: float = 14.0
    mass_side: Side = "L"
    n_calcifications: int = 9
    calcification_side: Side = "R"
    pixel_mm: float = 0.1
    photons_per_mm2: float = 5e5
    texture_exponent: float = 3.0
    vendor: Vendor = "plain"

    def __post_init__(self) -> None:
        choices: tuple[tuple[str, str, tuple[str, ...]], ...] = (
            ("density", self.density, tuple(DENSITY_PERCENT)),
            ("mass", self.mass, MARGINS),
            ("mass_side", self.mass_side, ("L", "R")),
            ("calcification_side", self.calcification_side, ("L", "R")),
            ("vendor", self.vendor, VENDORS),
        )
        limits: tuple[tuple[str, float, float, float], ...] = (
            ("seed", self.seed, 0, 2**63 - 1),
            ("mass_diameter_mm", self.mass_diameter_mm, 5.0, 30.0),
            ("n_calcifications", self.n_calcifications, 0, 20),
            ("pixel_mm", self.pixel_mm, 0.05, 0.4),
            ("photons_per_mm2", self.photons_per_mm2, 1e4, 1e7),
            ("texture_exponent", self.texture_exponent, 2.5, 3.5),
        )
        for name, chosen, allowed in choices:
            if chosen not in allowed:
                raise UsageError(f"{name} is {chosen!r}; choose one of {', '.join(allowed)}")
        for name, value, low, high in limits:
            if not low <= value <= high:
                raise UsageError(
                    f"{name} is {value}, outside {low:g} to {high:g} that the mammogram can show"
                )
        if self.n_calcifications == 1:
            raise UsageError("n_calcifications is 1: a cluster has 2 or more; give 0 for none")


def make_mammogram(
    parameters: MammogramParameters | None = None, *, progress: Progress | None = None
) -> PhantomStudy:
    """Make the four views: images `R-CC`, `L-CC`, `R-MLO`, `L-MLO`, each uint16 (1, y, x) as stored.

    Pictures of the right breast have the chest wall at their right edge. truth of the study: density, and for mass
    and cluster the side and the place from the nipple. truth of an image: side, view, nipple, what of mass and
    specks lies where (pixel, counted from 0), thickness. masks: `breast`, `pectoral-muscle` (MLO), `mass` (its
    core), `calcifications` (every pixel that a speck touches). Density is exact by construction: the
    fibroglandular part of the volume of the breast without muscle, skin, mass and specks. Deterministic by seed.
    """
    chosen, progress = parameters or MammogramParameters(), progress or Silent()
    # Woman, findings and views have each their own numbers: with and without a finding, the tissue is the same.
    rng, of_findings = _numbers(chosen.seed, 0), _numbers(chosen.seed, 1)
    density_percent = float(rng.uniform(*DENSITY_PERCENT[chosen.density]))
    # Compressed breasts: mostly 40 to 70 mm thick, nipple 60 to 90 mm from the chest wall (chosen).
    size = {"depth": float(rng.uniform(66.0, 80.0)), "half": float(rng.uniform(60.0, 70.0))}
    thickness_mm = float(rng.uniform(42.0, 60.0))
    mass_place, cluster_place = _place(of_findings, size["depth"]), _place(of_findings, size["depth"])
    calcium_per_cm, border_seed = float(of_findings.uniform(9.0, 20.0)), int(of_findings.integers(2**31))
    specks = make_cluster(of_findings, chosen.n_calcifications)
    mass = (
        Mass(mass_place, chosen.mass_diameter_mm, chosen.mass, border_seed) if chosen.mass != "none" else None
    )
    images: dict[str, Phantom] = {}
    for k, (side, view) in enumerate(VIEWS):
        step(progress, f"{KIND} phantom: {side} {view}", k / len(VIEWS))
        of_view = _numbers(chosen.seed, 2 + k)
        breast = _breast_view(of_view, view, size, thickness_mm)
        findings = Findings(
            mass if side == chosen.mass_side else None,
            specks if side == chosen.calcification_side else (),
            cluster_place,
            calcium_per_cm,
        )
        images[f"{side}-{view}"] = ViewMaker(chosen, side, breast, density_percent, of_view).make(findings)
    truth: dict[str, Any] = {
        "density": {
            "volumetric_percent": density_percent,
            "grade": chosen.density,
            "scale": "fibroglandular part of the volume, limits 3.5, 7.5, 15.5 % (volumetric software); no reader's grade",
        },
        "mass": None
        if mass is None
        else {"side": chosen.mass_side, "from_nipple_mm": _named(mass.place_mm), "margin": mass.margin},
        "cluster": {
            "side": chosen.calcification_side,
            "from_nipple_mm": _named(cluster_place),
            "attenuation_per_cm": calcium_per_cm,
        }
        if specks
        else None,
    }
    return PhantomStudy(KIND, asdict(chosen), truth, images)


def _numbers(seed: int, stream: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64([seed, stream]))


def _place(rng: np.random.Generator, depth_mm: float) -> tuple[float, float, float]:
    """Behind, lateral of and above the nipple; well inside both views and before the muscle."""
    return (
        float(rng.uniform(22.0, 0.5 * depth_mm)),
        float(rng.uniform(-18.0, 22.0)),
        float(rng.uniform(-18.0, 12.0)),
    )


def _named(place_mm: tuple[float, float, float]) -> dict[str, float]:
    return dict(zip(("behind", "lateral", "above"), place_mm, strict=True))


def _breast_view(
    rng: np.random.Generator, view: str, size: dict[str, float], thickness_mm: float
) -> BreastView:
    """A view of a breast of that size; sides and views differ by a few per cent, as compression does."""
    depth = size["depth"] * float(rng.uniform(0.97, 1.03))
    half = size["half"] * float(rng.uniform(0.97, 1.03))
    thickness = thickness_mm * float(rng.uniform(0.96, 1.04))
    if view == "CC":
        return BreastView("CC", depth, half * 1.05, half, thickness)
    muscle = (float(rng.uniform(34.0, 46.0)), float(rng.uniform(-6.0, 8.0)))
    return BreastView("MLO", depth, half * 1.65, half * 1.02, thickness, muscle)
