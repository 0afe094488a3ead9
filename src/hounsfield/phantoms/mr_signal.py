"""Signal of spin echo sequences from relaxation times, contrast agent, coil shading and Rician noise.

Times at 3 T in ms: white and grey matter after Stanisz 2005 (Magnetic Resonance in Medicine 54:507); fluid, fat, muscle as
commonly given; tumour, oedema and necrosis have the long times of water-rich tissue (chosen within what relaxometry of
gliomas finds).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Field = NDArray[np.float32]

RELAXIVITY_PER_MM_S = (
    4.5  # of gadolinium chelates at 3 T, per millimole a litre and second (Rohrer 2005, Invest Radiol 40:715)
)


@dataclass(frozen=True, slots=True)
class Tissue:
    """t1_ms, t2_ms, proton density against water, and concentration of contrast agent minutes after it was given."""

    t1_ms: float
    t2_ms: float
    density: float
    agent_mmol_l: float = 0.0


@dataclass(frozen=True, slots=True)
class MrSequence:
    """A spin echo sequence, with inversion if `inversion_ms` is given; after_contrast: agent was given before."""

    name: str
    description: str
    repetition_ms: float
    echo_ms: float
    inversion_ms: float | None = None
    after_contrast: bool = False
    echo_train: int = 1

    def signal(self, tissue: Tissue) -> float:
        """PD (1 - exp(-TR/T1)) exp(-TE/T2), or PD |1 - 2 exp(-TI/T1) + exp(-TR/T1)| exp(-TE/T2)."""
        agent = tissue.agent_mmol_l if self.after_contrast else 0.0
        t1_ms = 1.0 / (1.0 / tissue.t1_ms + RELAXIVITY_PER_MM_S * agent / 1000.0)
        relaxed = np.exp(-self.repetition_ms / t1_ms)
        if self.inversion_ms is None:
            along = 1.0 - relaxed
        else:
            along = abs(1.0 - 2.0 * np.exp(-self.inversion_ms / t1_ms) + relaxed)
        return float(tissue.density * along * np.exp(-self.echo_ms / tissue.t2_ms))


def coil_shading(rng: np.random.Generator, shape: tuple[int, int, int], largest: float) -> Field:
    """A smooth factor around 1 that departs from it by at most `largest`: a few long waves over the volume."""
    axes = [np.linspace(-1.0, 1.0, n, dtype=np.float32) for n in shape]
    z, y, x = np.meshgrid(*axes, indexing="ij", sparse=True)
    total = np.zeros(shape, dtype=np.float32)
    for _ in range(4):
        wave = rng.uniform(-1.3, 1.3, 3)
        total += np.cos(wave[0] * z + wave[1] * y + wave[2] * x + rng.uniform(0, 2 * np.pi)).astype(
            np.float32
        )
    total -= (total.max() + total.min()) / 2
    return np.asarray(1.0 + largest * total / max(float(np.abs(total).max()), 1e-6), dtype=np.float32)


def rician(rng: np.random.Generator, signal: Field, deviation: float) -> Field:
    """Magnitude of `signal` with Gaussian noise of that standard deviation in both channels (Gudbjartsson 1995)."""
    if deviation == 0.0:
        return signal
    real, imaginary = (
        rng.standard_normal(signal.shape, dtype=np.float32) * np.float32(deviation) for _ in range(2)
    )
    return np.asarray(np.hypot(signal + real, imaginary), dtype=np.float32)
