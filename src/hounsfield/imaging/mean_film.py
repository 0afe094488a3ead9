"""The mean of many frontal chest films, and the weights that tell on which side the heart lies.

Made by `python -m benchmarks.mean_film` from 724 films of 299 patients: the choosing half of two extracts of NIH
ChestX-ray14 (data provider: NIH Clinical Center, https://nihcc.app.box.com/v/ChestXray-NIHCC; Wang et al., CVPR
2017, 3462-3471) and of the openly licensed part of the COVID-19 image data collection (Cohen et al., 2020,
arXiv:2006.11988). Greys are ranks; films were laid over one another before the mean was taken.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 24
# Edges of the lungs in parts of the mean film's height and width: medians over 37 lung masks.
LUNG_TOP, LUNG_BOTTOM, LUNG_LEFT, LUNG_RIGHT = 0.09, 0.831, 0.115, 0.899
HEART_ROWS = slice(6, 21)
# Hundredths of a standard deviation, left half: the mean film is symmetric.
_LEFT_HALF = """
-197 -200 -197 -197 -195 -191 -179 -154 -101 -43 9 41
-180 -180 -176 -170 -165 -158 -148 -123 -73 -20 21 47
-132 -118 -99 -85 -80 -78 -79 -69 -41 -14 22 37
-67 -41 -19 -7 -10 -9 -7 -35 -68 -64 -1 26
-22 7 29 27 9 4 -28 -70 -99 -91 -23 28
-2 20 35 29 9 -22 -88 -119 -121 -96 -25 45
8 22 37 32 17 -55 -118 -145 -142 -105 -16 67
1 14 35 41 16 -79 -131 -153 -149 -106 -3 86
-9 11 39 54 5 -88 -138 -158 -148 -101 10 99
-21 8 43 61 -5 -98 -139 -151 -133 -78 26 109
-38 0 45 62 -16 -98 -138 -143 -109 -47 47 120
-59 -14 43 60 -22 -103 -132 -129 -86 -23 65 128
-80 -25 42 53 -32 -98 -119 -105 -54 5 86 137
-96 -31 43 46 -39 -94 -105 -74 -19 28 100 144
-107 -34 43 36 -43 -79 -73 -43 3 41 110 150
-117 -37 37 27 -38 -57 -42 -6 23 50 116 152
-126 -40 30 19 -23 -21 6 38 56 76 124 156
-133 -45 26 27 13 35 59 73 85 100 136 159
-142 -57 22 49 59 79 95 106 112 124 148 161
-149 -65 28 71 91 107 119 126 132 138 154 163
-157 -73 29 84 109 121 129 138 148 153 162 167
-156 -76 30 90 115 129 141 149 159 163 170 175
-153 -74 26 88 116 134 149 157 163 168 174 180
-152 -77 18 83 118 140 158 167 174 178 186 193
"""
# Hundredths; on the left half of the difference between a film and its mirror image.
_HEART_WEIGHTS = """
-5 4 0 -16 -9 8 6 10 25 28 2 -16
-7 3 -4 -12 -2 -2 -7 10 24 12 -13 -9
-2 5 3 -8 -5 -5 -9 7 23 1 -33 -12
1 1 5 0 -16 -6 7 3 13 9 -12 -4
3 0 13 2 -11 -8 7 14 3 7 -10 -3
6 2 10 -1 -16 -9 -14 -11 -4 -3 -12 -1
6 10 6 -7 -15 -15 -13 -5 -2 -17 -9 -4
9 4 -8 -8 -9 -3 -23 -31 -30 -29 1 -1
6 -1 -5 5 -4 1 -3 -19 -48 -45 -2 -1
4 -1 5 -8 8 7 6 -14 -34 -23 2 0
4 -11 -2 -5 18 17 12 -15 -24 -2 13 -3
4 -8 0 6 24 21 0 -15 -17 4 13 2
7 -10 10 -1 19 19 32 6 -4 -5 8 3
7 -1 11 8 7 14 14 14 7 -1 -7 5
12 8 30 25 11 11 15 10 10 5 8 5
"""


@lru_cache(maxsize=1)
def mean_film() -> NDArray[np.float64]:
    """The mean film (SIDE, SIDE), mean 0, deviation 1, bone bright."""
    half = np.array([row.split() for row in _LEFT_HALF.strip().splitlines()], dtype=np.float64) / 100.0
    return np.concatenate([half, half[:, ::-1]], axis=1)


def heart_side(read: NDArray[np.float64], inside: NDArray[np.bool_]) -> float:
    """Above 0 where the heart lies to the right of the picture, as it should; deviation about 1 over films.

    read: ranks of a film on the raster of the mean film (SIDE, SIDE); inside: which cells the film covers.
    """
    weights = np.array([row.split() for row in _HEART_WEIGHTS.strip().splitlines()], dtype=np.float64)
    both = inside & inside[:, ::-1]
    difference = ((read - read[:, ::-1]) / 2.0 * both)[HEART_ROWS, : SIDE // 2]
    return float((weights / 100.0 * difference).sum())
