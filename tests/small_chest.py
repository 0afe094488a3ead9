"""One small chest phantom for all tests that need its lungs: made once in a process, for it takes seconds."""

from __future__ import annotations

from functools import cache

from hounsfield.phantoms import ChestCtParameters, make_chest_ct

N_SLICES, MATRIX_PX = 60, 128


@cache
def chest(seed=1, *, tilt_deg=0.0):
    """A phantom of 60 slices, 5 mm apart; do not write into its arrays."""
    parameters = ChestCtParameters(seed=seed, n_slices=N_SLICES, matrix_px=MATRIX_PX)
    return make_chest_ct(parameters, tilt_deg=tilt_deg)
