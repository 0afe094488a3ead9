"""MR of a head with a glioma in four contrasts on one grid: T1, T1 after contrast, T2 and FLAIR.

Made as the picture arises: tissues finer than the voxels, signal by the equations of the sequences, their mean over
each voxel (partial volume, slices of even profile), coil shading, Rician noise. Nothing moves between the series.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core import Grid, Silent
from hounsfield.core.errors import UsageError
from hounsfield.core.progress import step
from hounsfield.core.uid import derive_uid
from hounsfield.phantoms.mr_signal import MrSequence, coil_shading, rician
from hounsfield.phantoms.phantom import Phantom, PhantomStudy
from hounsfield.phantoms.tumour_head import (
    LABEL,
    MOST_PUSH_MM,
    TISSUES,
    Places,
    Tumour,
    midline_shift_mm,
    tissue_map,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.core import Progress

    Field = NDArray[np.float32]
    Labels = NDArray[np.uint8]

KIND = "brain-tumour-mr"
FINER_YX, FINEST_SLICE_MM = 2, 1.3
WHITE_SIGNAL = (
    500.0,
    900.0,
)  # of white matter in the stored numbers: MR has no unit, every series its own scale
LARGEST_STORED = 4095
SEQUENCES: tuple[MrSequence, ...] = (
    MrSequence("t1", "T1 SE", 500.0, 12.0),
    MrSequence("t1c", "T1 SE post contrast", 500.0, 12.0, after_contrast=True),
    MrSequence("t2", "T2 TSE", 4500.0, 95.0, echo_train=15),
    MrSequence("flair", "FLAIR", 9000.0, 120.0, inversion_ms=2480.0, echo_train=21),
)
# Parts of the tumour as masks; the unions that are judged, from the inside outwards.
PARTS = {"necrotic-core": "necrosis", "enhancing-tumour": "enhancing", "oedema": "oedema"}
UNIONS = {
    "tumour-core": ("necrotic-core", "enhancing-tumour"),
    "whole-tumour": ("necrotic-core", "enhancing-tumour", "oedema"),
}


@dataclass(frozen=True, slots=True)
class BrainTumourMrParameters:
    """What a brain tumour phantom is made from; equal parameters give equal voxels.

    n_slices of slice_mm (0.8 to 6), matrix_px (64 to 256) of pixel_mm (0.8 to 3.5). whole_mm, core_mm, necrosis_mm:
    diameters before the border is made uneven; whole_mm 0: no tumour, else 20 to 80 with core_mm at least 8 below and
    necrosis_mm below the core. push_mm: of the midline away from the tumour, 0 to 15. noise: standard deviation as
    part of the signal of white matter, 0 to 0.2. bias: largest change by the coil, 0 to 0.5. Raises UsageError
    outside these ranges.
    """

    seed: int = 1
    n_slices: int = 64
    slice_mm: float = 2.4
    matrix_px: int = 96
    pixel_mm: float = 2.2
    whole_mm: float = 56.0
    core_mm: float = 34.0
    necrosis_mm: float = 18.0
    push_mm: float = 4.0
    noise: float = 0.03
    bias: float = 0.25

    def __post_init__(self) -> None:
        limits: tuple[tuple[str, float, float, float], ...] = (
            ("seed", self.seed, 0, 2**63 - 1),
            ("n_slices", self.n_slices, 8, 256),
            ("slice_mm", self.slice_mm, 0.8, 6.0),
            ("matrix_px", self.matrix_px, 64, 256),
            ("pixel_mm", self.pixel_mm, 0.8, 3.5),
            ("push_mm", self.push_mm, 0.0, MOST_PUSH_MM),
            ("noise", self.noise, 0.0, 0.2),
            ("bias", self.bias, 0.0, 0.5),
        )
        if self.whole_mm != 0:
            limits += (
                ("whole_mm", self.whole_mm, 20.0, 80.0),
                ("core_mm", self.core_mm, 10.0, self.whole_mm - 8.0),
                ("necrosis_mm", self.necrosis_mm, 0.0, self.core_mm - 6.0),
            )
        for name, value, low, high in limits:
            if not low <= value <= high:
                raise UsageError(
                    f"{name} is {value}, outside {low:g} to {high:g} that the brain tumour phantom can show"
                )
        if self.matrix_px * self.pixel_mm < 200.0:
            raise UsageError("matrix_px x pixel_mm is below 200 mm: the head would not fit")


def make_brain_tumour_mr(
    parameters: BrainTumourMrParameters | None = None, *, progress: Progress | None = None
) -> PhantomStudy:
    """Make the four series: images `t1`, `t1c`, `t2`, `flair`, each uint16 (z, y, x), axial, on one grid.

    masks of every image: `necrotic-core`, `enhancing-tumour`, `oedema`, nested in `tumour-core` and `whole-tumour`, and
    `brain` (grey and white matter and tumour): voxels that are more than half of it. truth: volumes summed from the
    samples finer than voxels, centre, side, midline shift at the septum. Deterministic by seed.
    """
    chosen, progress = parameters or BrainTumourMrParameters(), progress or Silent()
    rng = np.random.Generator(np.random.PCG64(chosen.seed))
    side = 1.0 if rng.uniform() < 0.5 else -1.0
    centre = (
        side * float(rng.uniform(26.0, 36.0)),
        float(rng.uniform(-34.0, 26.0)),
        float(rng.uniform(4.0, 26.0)),
    )
    tumour = Tumour(centre, chosen.whole_mm, chosen.core_mm, chosen.necrosis_mm) if chosen.whole_mm else None
    push_mm = -side * chosen.push_mm if tumour is not None else 0.0
    grid, finer_z = _grid(chosen), max(1, round(chosen.slice_mm / FINEST_SLICE_MM))
    step(progress, f"{KIND} phantom: tissues", 0.0)
    samples = _Samples(tissue_map(rng, _places(chosen, finer_z), tumour, push_mm), finer_z)
    masks, volumes_ml = _masks(samples, grid)
    truth: dict[str, Any] = {
        "tumour": None
        if tumour is None
        else {
            "centre_mm": [round(v, 3) for v in centre],
            "side": "L" if side > 0 else "R",
            "volumes_ml": {name: volumes_ml[name] for name in (*PARTS, *UNIONS)},
        },
        "brain_volume_ml": volumes_ml["brain"],
        "midline_shift_mm": midline_shift_mm(abs(push_mm)),
        "definition": "volumes: samples finer than voxels, noiseless; masks: more than half of the voxel; midline shift: "
        "septum pellucidum against the falx",
    }
    shading = coil_shading(rng, grid.shape, chosen.bias)
    images: dict[str, Phantom] = {}
    for k, sequence in enumerate(SEQUENCES):
        step(progress, f"{KIND} phantom: {sequence.name}", (k + 1) / (len(SEQUENCES) + 1))
        array, white = _series(samples, sequence, shading, chosen, rng)
        record = {
            "sequence": sequence.name,
            "white_matter_signal": white,
            "noise_deviation": chosen.noise * white,
        }
        images[sequence.name] = Phantom(KIND, array, grid, "1", asdict(chosen), record, masks, sequence.name)
    return PhantomStudy(KIND, asdict(chosen), truth, images)


def _grid(p: BrainTumourMrParameters) -> Grid:
    """Axial, from the feet to the head, with the middle of the brain in the middle."""
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = p.slice_mm, p.pixel_mm, p.pixel_mm, 1.0
    corner_mm = -(p.matrix_px - 1) / 2 * p.pixel_mm
    affine[:3, 3] = corner_mm, corner_mm, -(p.n_slices - 1) / 2 * p.slice_mm
    return Grid((p.n_slices, p.matrix_px, p.matrix_px), affine, derive_uid("phantom", KIND, repr(p)))


def _places(p: BrainTumourMrParameters, finer_z: int) -> Places:
    """Samples: `finer_z` in each slice, FINER_YX in each row and column."""

    def axis(n: int, spacing_mm: float) -> Field:
        return ((np.arange(n) - (n - 1) / 2) * spacing_mm).astype(np.float32)

    z = axis(p.n_slices * finer_z, p.slice_mm / finer_z)
    yx = axis(p.matrix_px * FINER_YX, p.pixel_mm / FINER_YX)
    return Places(z[:, None, None], yx[None, :, None], yx[None, None, :])


@dataclass(frozen=True, slots=True, eq=False)
class _Samples:
    """Labels of the samples, and how many of them lie in a slice on top of each other."""

    labels: Labels
    finer_z: int

    def voxel_mean(self, values: NDArray[Any]) -> Field:
        """Mean of a value of every sample over each voxel."""
        z, y, x = values.shape
        blocks = values.reshape(
            z // self.finer_z, self.finer_z, y // FINER_YX, FINER_YX, x // FINER_YX, FINER_YX
        )
        return np.asarray(blocks.mean(axis=(1, 3, 5), dtype=np.float32))

    def part(self, *tissues: str) -> Field:
        """Part of every voxel that these tissues take."""
        return self.voxel_mean(np.isin(self.labels, [LABEL[one] for one in tissues]))


def _masks(samples: _Samples, grid: Grid) -> tuple[dict[str, NDArray[np.bool_]], dict[str, float]]:
    """Masks, and volumes in ml."""
    parts = {name: samples.part(tissue) for name, tissue in PARTS.items()}
    parts |= {name: np.sum([parts[one] for one in held], axis=0) for name, held in UNIONS.items()}
    parts["brain"] = parts["whole-tumour"] + samples.part("grey", "white")
    volumes = {
        name: float(part.sum(dtype=np.float64) * grid.voxel_volume_mm3 / 1000) for name, part in parts.items()
    }
    # Of voxels that are exactly half full every other one counts, so that masks are not too large by their border.
    every_other = np.indices(grid.shape).sum(axis=0) % 2 == 0
    masks = {name: (part > 0.5) | ((part == 0.5) & every_other) for name, part in parts.items()}
    # Where the rim is thinner than a voxel neither part may hold half of it: the core goes to the larger one.
    rim = masks["tumour-core"] & ~masks["necrotic-core"] & ~masks["enhancing-tumour"]
    masks["enhancing-tumour"] |= rim & (parts["enhancing-tumour"] >= parts["necrotic-core"])
    masks["enhancing-tumour"] &= masks["tumour-core"]
    masks["necrotic-core"] = masks["tumour-core"] & ~masks["enhancing-tumour"]
    masks["oedema"] = masks["whole-tumour"] & ~masks["tumour-core"]
    return masks, volumes


def _series(
    samples: _Samples,
    sequence: MrSequence,
    shading: Field,
    p: BrainTumourMrParameters,
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint16], float]:
    """Stored numbers of one series, and the number that white matter has without shading and noise."""
    table = np.array([sequence.signal(tissue) for tissue in TISSUES.values()], dtype=np.float32)
    white = float(rng.uniform(*WHITE_SIGNAL))
    table *= white / table[LABEL["white"]]
    signal = samples.voxel_mean(table[samples.labels]) * shading
    seen = rician(rng, signal, p.noise * white)
    return np.clip(np.rint(seen), 0, LARGEST_STORED).astype(np.uint16), white
