"""Which tissue a synthetic head holds at any point, with the midline pushed aside by a known distance.

Tissues are laid one over the other from the outside in; each takes its part of what is left of a pixel, so
that all parts add up to one. head_shapes.py has the shapes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.phantoms import head_shapes as shapes
from hounsfield.phantoms.head_shapes import Points

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Field = NDArray[np.float32]

# The septum is pushed by the whole shift within PLATEAU of this place, less away from it, and not at the table.
MONRO_Y_MM, MONRO_Z_MM = -18.0, 0.0
REACH_Y_MM, REACH_UP_MM, REACH_DOWN_MM, PLATEAU = 68.0, 62.0, 45.0, 0.09
# A mass empties the ventricle of its side and widens the other one (project choice: 5 % and 2 % a millimetre).
EMPTIED_PER_MM, WIDENED_PER_MM, LEAST_WIDTH = 0.05, 0.02, 0.35
SKIN_THICK_MM, TABLE_MM = 2.0, 1.8
CALCIFIED = ((0.0, 26.0, 1.0, 2.2), (20.0, 32.0, 12.0, 2.0), (-20.0, 32.0, 12.0, 2.0))  # pineal gland, plexus

# What the skull holds; blood and oedema come in their place.
INSIDE = ("csf", "ventricle", "grey", "white", "dura", "calcified")


def tissue_hu(rng: np.random.Generator) -> dict[str, float]:
    """HU of every tissue of one person at 120 kVp.

    Source: textbook ranges of unenhanced CT as in B23 of the domain reference: CSF 0 to 15, white matter 29 to 33,
    grey matter 37 to 41 (5 to 10 above white), unclotted blood 40 to 50, bone 1000 and more, fat -100.
    """
    grey = rng.uniform(37.0, 41.0)
    return {
        "air": -1000.0,
        "sinus-air": -900.0,
        "skin": 30.0,
        "fat": -100.0 + rng.uniform(-10, 10),
        "muscle": 55.0 + rng.uniform(-6, 6),
        "cortical": 1150.0 + rng.uniform(-150, 150),
        "diploe": 550.0 + rng.uniform(-150, 150),
        "globe": 12.0,
        "csf": rng.uniform(3.0, 10.0),
        "oedema": 22.0 + rng.uniform(-3, 3),
        "grey": grey,
        "white": max(29.0, min(33.0, grey - rng.uniform(6.0, 9.0))),
        "dura": 58.0,
        "calcified": 220.0,
    }


def edge(distance_mm: Field, pixel_mm: float) -> Field:
    """Part of a pixel that lies inside, from the distance of its centre to the surface."""
    return np.asarray(np.clip(distance_mm / pixel_mm + 0.5, 0.0, 1.0), dtype=np.float32)


def replace_part(parts: dict[str, Field], name: str, share: Field, of: Iterable[str]) -> None:
    """Give that share of what the tissues `of` fill to the tissue `name`."""
    taken = sum((parts[one] * share for one in of if one in parts), np.zeros_like(share))
    for one in of:
        if one in parts:
            parts[one] = parts[one] * (1.0 - share)
    parts[name] = parts.get(name, 0.0) + taken


class Head:
    """One person's head.

    shift_mm: of the septum towards the patient's left. mass_side: +1 left, -1 right, which ventricle gives way.
    """

    def __init__(self, rng: np.random.Generator, *, shift_mm: float = 0.0, mass_side: int = 1) -> None:
        self.hu = tissue_hu(rng)
        self.gyri = shapes.Gyri(rng)
        self.shift_mm, self.mass_side = shift_mm, mass_side

    def midline_mm(self, y: Field, z: Field) -> Field:
        """Where the middle plane of the brain lies (x) at (y, z)."""
        reach_z = np.where(z >= MONRO_Z_MM, np.float32(REACH_UP_MM), np.float32(REACH_DOWN_MM))
        far = ((y - MONRO_Y_MM) / REACH_Y_MM) ** 2 + ((z - MONRO_Z_MM) / reach_z) ** 2
        t = np.clip((far - PLATEAU) / (1.0 - PLATEAU), 0.0, 1.0)
        pushed = self.shift_mm * (1.0 - t * t * (3.0 - 2.0 * t))
        # Never farther than half of the way to the inner table.
        room = 0.5 * shapes.half_width_mm(y, z)
        return np.asarray(np.clip(pushed, -room, room), dtype=np.float32)

    def unshifted(self, p: Points) -> Points:
        """The place that a point had before the midline was pushed: each half is drawn out or pressed evenly."""
        if self.shift_mm == 0.0:
            return p
        half = np.maximum(shapes.half_width_mm(p.y, p.z), 1e-3)
        middle = self.midline_mm(p.y, p.z)
        room = np.where(p.x >= middle, half - middle, half + middle)
        moved = (p.x - middle) * half / np.maximum(room, 1e-3)
        x = np.where(np.abs(p.x) < half, moved, p.x)
        return Points(np.asarray(x, dtype=np.float32), p.y, p.z)

    def squeeze(self, p: Points) -> Field | float:
        """Width of the lateral ventricles over the usual one, by side."""
        if self.shift_mm == 0.0:
            return 1.0
        amount = abs(self.shift_mm)
        emptied = max(LEAST_WIDTH, 1.0 - EMPTIED_PER_MM * amount)
        widened = 1.0 + WIDENED_PER_MM * amount
        return np.where(p.x * self.mass_side > 0, np.float32(emptied), np.float32(widened))

    def fractions(self, p: Points, pixel_mm: float) -> dict[str, Field]:
        """Part of every pixel that each tissue fills; p: points in the coordinates of the head."""
        layers = _Layers(np.broadcast_shapes(p.x.shape, p.y.shape, p.z.shape), pixel_mm)
        table_mm = shapes.shell_distance(p, shapes.INNER_MM)
        self._outside(layers, p, table_mm)
        self._inside(layers, self.unshifted(p), table_mm)
        return layers.parts

    def _outside(self, layers: _Layers, p: Points, inner: Field) -> None:
        skin, outer = (shapes.shell_distance(p, one) for one in (shapes.SKIN_MM, shapes.OUTER_MM))
        out, in_bone = layers.edge(-outer), layers.edge(-inner)
        layers.take("air", layers.edge(-skin))
        layers.take("skin", layers.edge(SKIN_THICK_MM - skin))
        temporal = np.minimum(
            np.abs(p.x) - 0.62 * shapes.SKIN_MM[0], np.minimum(38.0 - np.abs(p.y + 8.0), 18.0 - p.z)
        )
        layers.take("muscle", layers.edge(temporal) * out)
        layers.take("fat", out)
        layers.take("cortical", in_bone * layers.edge(TABLE_MM - np.minimum(outer, -inner)))
        layers.take("diploe", in_bone)
        below = layers.edge(shapes.face(p))
        u = Points(np.asarray(np.abs(p.x), dtype=np.float32), p.y, p.z)
        eye = shapes.ellipsoid(u, (30.0, -66.0, -44.0), (12.0, 12.0, 12.0))
        layers.take("globe", below * layers.edge(eye))
        nose = np.minimum(11.0 - u.x, np.minimum(-40.0 - p.y, p.y + 78.0))
        layers.take("sinus-air", below * layers.edge(nose))
        orbit = shapes.ellipsoid(u, (29.0, -58.0, -46.0), (17.0, 26.0, 16.0))
        layers.take("fat", below * layers.edge(orbit))
        layers.take("muscle", below)

    def _inside(self, layers: _Layers, p: Points, table_mm: Field) -> None:
        for x, y, z, radius in CALCIFIED:
            layers.take("calcified", layers.edge(radius - _distance(p, (x, y, z))))
        fossa, u = shapes.below_tentorium(p), np.abs(p.x)
        split = np.minimum(shapes.fissure(p), -fossa)
        layers.take("dura", layers.edge(np.minimum(0.6 - u, split)))
        layers.take("ventricle", layers.edge(shapes.lateral_ventricles(p, self.squeeze(p))))
        layers.take("ventricle", layers.edge(shapes.middle_ventricles(p)))
        layers.take("cortical", layers.edge(shapes.skull_base(p)))
        depth = table_mm - shapes.CSF_GAP_MM
        stem = shapes.brainstem(p)
        in_fossa = layers.edge(fossa)
        apart = self.gyri.distance_mm(p, shapes.shell_radius(p, shapes.INNER_MM))
        sulcus = np.minimum(
            shapes.SULCUS_HALF_MM * (1.3 - depth / shapes.SULCUS_DEPTH_MM) - apart,
            shapes.SULCUS_DEPTH_MM - depth,
        )
        cistern = shapes.cisterns(p)
        for gap in (-depth, cistern, np.minimum(1.4 - u, split), np.minimum(sulcus, -fossa)):
            layers.take("csf", layers.edge(gap))
        layers.take("csf", in_fossa * layers.edge(stem + 2.0) * layers.edge(-stem))
        core = shapes.ellipsoid(
            Points(np.asarray(u, dtype=np.float32), p.y, p.z), (19.0, 44.0, -36.0), (15.0, 11.0, 9.0)
        )
        layers.take("white", in_fossa * np.maximum(layers.edge(stem), layers.edge(core)))
        layers.take("grey", in_fossa)
        # The ribbon of cortex: under the surface, along the sulci, the fissures and the insula.
        along_sulci = np.minimum(
            shapes.CORTEX_MM + shapes.SULCUS_HALF_MM - apart,
            shapes.SULCUS_DEPTH_MM + shapes.CORTEX_MM - depth,
        )
        ribbon = np.maximum(shapes.CORTEX_MM - depth, along_sulci)
        ribbon = np.maximum(ribbon, np.minimum(shapes.CORTEX_MM + 1.4 - u, split))
        ribbon = np.maximum(ribbon, cistern + shapes.CORTEX_MM)
        layers.take("grey", layers.edge(np.maximum(ribbon, shapes.deep_grey(p))))
        layers.rest("white")


class _Layers:
    """Parts of the pixels of a slice, taken from what is left."""

    def __init__(self, shape: tuple[int, ...], pixel_mm: float) -> None:
        self.left = np.ones(shape, dtype=np.float32)
        self.parts: dict[str, Any] = {}
        self.pixel_mm = pixel_mm

    def edge(self, distance_mm: Any) -> Any:
        """Part of every pixel inside."""
        return edge(distance_mm, self.pixel_mm)

    def take(self, name: str, share: Field) -> None:
        """Give the tissue its share of what is left."""
        taken = self.left * share
        self.parts[name] = self.parts[name] + taken if name in self.parts else taken
        self.left = self.left - taken

    def rest(self, name: str) -> None:
        """Give the tissue all that is left."""
        self.take(name, np.ones((), dtype=np.float32))


def _distance(p: Points, centre_mm: tuple[float, float, float]) -> Field:
    x, y, z = centre_mm
    return np.asarray(np.sqrt((p.x - x) ** 2 + (p.y - y) ** 2 + (p.z - z) ** 2), dtype=np.float32)
