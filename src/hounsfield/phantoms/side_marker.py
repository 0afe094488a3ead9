"""Letters of lead, as they lie on a film to tell side and view: a mirrored picture shows them mirrored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Five columns by seven rows a letter.
LETTERS = {
    "L": "#.... #.... #.... #.... #.... #.... #####",
    "R": "####. #...# #...# ####. #.#.. #..#. #...#",
    "C": ".###. #...# #.... #.... #.... #...# .###.",
    "M": "#...# ##.## #.#.# #.#.# #...# #...# #...#",
    "O": ".###. #...# #...# #...# #...# #...# .###.",
    " ": "..... ..... ..... ..... ..... ..... .....",
}


def marker(text: str, height_px: int) -> NDArray[np.bool_]:
    """The letters of `text` (L, R, C, M, O and space) as a mask about `height_px` high, at least one pixel a dot."""
    letters = [np.array([[dot == "#" for dot in row] for row in LETTERS[one].split()]) for one in text]
    gap = np.zeros((7, 1), dtype=np.bool_)
    joined = np.concatenate([part for one in letters for part in (one, gap)][:-1], axis=1)
    scale = max(1, height_px // 7)
    return np.asarray(np.repeat(np.repeat(joined, scale, axis=0), scale, axis=1))
