"""The lateral chest as thicknesses along the beam: both lungs over one another, spine behind, sternum before.

Coordinates as in film_frontal.py, but x runs from the front of the patient (left of the picture) to the back.
Coarse on purpose: it is there so that a program can be shown a view that it must not take for a frontal one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hounsfield.phantoms.film_frontal import Frontal

if TYPE_CHECKING:
    from hounsfield.phantoms.film_frontal import Field, FrontalBuild

DEPTH_SHARE = 0.72  # outer depth of the chest over its inner width


def lateral(x: Field, y: Field, build: FrontalBuild) -> Frontal:
    """Body, lungs, heart, spine and sternum from the side; masks `lungs` and `heart`."""
    half = DEPTH_SHARE * build.width_mm / 2
    low = build.right_dome_mm + 30.0
    up = np.clip(y / (0.75 * low), 0.0, 1.0)
    inner = half * (0.42 + 0.58 * (1.0 - (1.0 - up) ** 2.2) ** 0.6)
    centre = -0.10 * half * up
    u = (x - centre) / inner
    # The lungs lie before and beside the spine; the domes fall to the back.
    dome = build.right_dome_mm - 14.0 + 62.0 * np.clip(u + 0.35, 0.0, 1.4) ** 2
    in_cage = (np.abs(u) < 1) & (y > 0)
    inside = in_cage & (y < dome)
    width = 0.80 * build.width_mm * (0.4 + 0.6 * up)
    lung = (
        width
        * np.sqrt(np.clip(1.0 - u**2, 0.0, None))
        * np.clip((dome - y) / 3.0 + 0.5, 0.06, 1.0)
        * np.clip(y / 12.0, 0.0, 1.0)
    )
    heart_radius = np.hypot((x + 0.36 * half) / (0.44 * half), (y - build.right_dome_mm + 42.0) / 58.0)
    lung = np.clip(lung - 105.0 * np.sqrt(np.clip(1.0 - heart_radius**2, 0.0, None)), 0.0, None)
    upper = np.exp(-(((x - 0.05 * half) / 26.0) ** 2)) * np.clip(1.0 - y / 170.0, 0.0, 1.0)
    lung = lung * (1.0 - 0.55 * upper)
    outer = np.maximum(inner, 0.9 * half) + 22.0
    body = (1.05 * build.width_mm) * np.sqrt(np.clip(1.0 - (np.abs(x - centre) / outer) ** 3, 0, None))
    neck = 120.0 * np.sqrt(np.clip(1.0 - ((x - 0.1 * half) / 62.0) ** 4, 0.0, None))
    body = np.maximum(body * np.clip((y + 20.0) / 30.0, 0.0, 1.0), neck)
    # Raised arms cover the top.
    body = body + 60.0 * np.clip((30.0 - y) / 60.0, 0.0, 1.0) * (body > 0)
    behind = 0.70 * half - 24.0 * np.cos(np.clip(y / build.angle_mm, 0, 1) * np.pi) + 6.0
    height = np.mod(y, 24.0)
    disc = np.clip((np.abs(height - 12.0) - 8.5) / 2.0, 0.0, 1.0)
    bone = 16.0 * (1.0 - 0.6 * disc) * np.clip((15.0 - np.abs(x - behind)) / 2.0, 0.0, 1.0)
    for number in range(10):
        rib = 10.0 + number * 24.0 - 0.42 * (x - centre)
        bone = bone + 3.4 * np.clip(1.0 - ((y - rib) / 6.0) ** 2, 0.0, None) * in_cage
    front = centre - inner - 4.0
    bone = bone + 7.0 * np.exp(-(((x - front) / 4.0) ** 2)) * ((y > 20.0) & (y < 0.62 * low))
    masks = {"lungs": inside & (heart_radius > 1.0), "heart": (heart_radius <= 1.0) & in_cage}
    return Frontal(np.asarray(body), np.minimum(lung, 0.92 * body), np.asarray(bone), masks)
