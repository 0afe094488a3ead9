"""Contrast over time in arteries, veins and tissue, from flow, transit time and delay.

The model of indicator dilution: what enters a tissue by the artery leaves it by its residue function R,
    C(t) = (density / haematocrit factor) x CBF x integral of C_artery(s) R(t - delay - s) ds,
with the exponential residue function of one mixed compartment, R(t) = exp(-t / MTT), which is largest (1) when the
blood arrives: Tmax is the delay. Sources: Ostergaard 1996, Magnetic Resonance in Medicine 36:715; gamma variate: Madsen 1992,
Phys Med Biol 37:1597, with the shape (3) and scale (1.5 s) that simulations of perfusion use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Curve = NDArray[np.float64]

DENSITY_G_PER_ML = 1.04
# (1 - haematocrit of a large vessel, 0.45) / (1 - that of capillaries, 0.25): the contrast is in the plasma.
HAEMATOCRIT_FACTOR = 0.73
SHAPE, SCALE_S = 3.0, 1.5
STEP_S = 0.05  # of the numerical integral


@dataclass(frozen=True, slots=True)
class Flow:
    """What a tissue's curve follows from: CBF in ml/100 g/min, MTT and delay against the artery in s."""

    cbf: float
    mtt_s: float
    delay_s: float

    @property
    def cbv(self) -> float:
        """Blood volume in ml/100 g: central volume theorem."""
        return self.cbf * self.mtt_s / 60.0

    def to_json(self) -> dict[str, float]:
        """As the truth of a phantom states it."""
        return {
            "cbf_ml_per_100g_min": self.cbf,
            "mtt_s": self.mtt_s,
            "cbv_ml_per_100g": self.cbv,
            "delay_s": self.delay_s,
            "tmax_s": self.delay_s,
        }


def arterial_hu(times_s: Curve, *, arrival_s: float, peak_hu: float) -> Curve:
    """Gamma variate: enhancement of an artery in HU, 0 before the arrival, peak_hu at its maximum."""
    since = np.maximum(times_s - arrival_s, 0.0) / (SHAPE * SCALE_S)
    return np.asarray(peak_hu * since**SHAPE * np.exp(SHAPE * (1.0 - since)))


def tissue_hu(times_s: Curve, flow: Flow, *, arrival_s: float, peak_hu: float) -> Curve:
    """Enhancement of a tissue in HU at the times."""
    fine_s = _fine(times_s)
    artery = arterial_hu(fine_s, arrival_s=arrival_s, peak_hu=peak_hu)
    residue = np.exp(-fine_s / flow.mtt_s)
    # Trapezoids: the artery starts at 0, so only the residue's first sample counts half.
    curve = (np.convolve(artery, residue)[: fine_s.size] - 0.5 * artery) * STEP_S
    flow_per_s = DENSITY_G_PER_ML / HAEMATOCRIT_FACTOR * flow.cbf / 6000.0
    return np.asarray(flow_per_s * np.interp(times_s - flow.delay_s, fine_s, curve, left=0.0))


def venous_hu(times_s: Curve, *, delay_s: float, mtt_s: float, arrival_s: float, peak_hu: float) -> Curve:
    """Enhancement of a vein in HU: all that entered leaves, spread over the transit; its area is the artery's."""
    fine_s = _fine(times_s)
    artery = arterial_hu(fine_s, arrival_s=arrival_s, peak_hu=peak_hu)
    transit = np.exp(-fine_s / mtt_s) / mtt_s
    curve = (np.convolve(artery, transit)[: fine_s.size] - 0.5 * artery * transit[0]) * STEP_S
    return np.asarray(np.interp(times_s - delay_s, fine_s, curve, left=0.0))


def _fine(times_s: Curve) -> Curve:
    return np.asarray(np.arange(0.0, float(times_s.max()) + STEP_S, STEP_S))
