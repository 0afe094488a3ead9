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
# Edges of the lungs in parts of the mean film's height and width: medians over 35 lung masks.
LUNG_TOP, LUNG_BOTTOM, LUNG_LEFT, LUNG_RIGHT = 0.086, 0.854, 0.116, 0.891
HEART_ROWS = slice(6, 21)
# Hundredths of a standard deviation, left half: the mean film is symmetric.
_LEFT_HALF = """
-196 -199 -196 -196 -195 -190 -180 -155 -103 -46 7 39
-180 -180 -175 -170 -165 -158 -149 -124 -74 -22 20 47
-133 -119 -99 -84 -80 -78 -79 -68 -40 -14 22 37
-66 -39 -19 -7 -9 -7 -8 -37 -67 -62 0 25
-24 7 26 24 9 1 -29 -68 -97 -90 -22 28
-2 22 34 28 8 -25 -88 -120 -119 -95 -24 45
8 24 37 33 15 -55 -119 -145 -142 -105 -15 67
0 15 38 42 13 -79 -131 -152 -149 -105 -1 87
-9 15 41 55 3 -88 -136 -156 -148 -100 11 100
-19 11 46 61 -7 -97 -138 -152 -133 -77 26 108
-41 2 48 60 -18 -98 -138 -143 -108 -48 47 120
-61 -11 46 59 -25 -103 -132 -129 -85 -23 66 128
-81 -22 44 51 -33 -98 -120 -104 -54 5 85 137
-96 -28 45 43 -42 -95 -105 -75 -21 27 100 145
-106 -29 44 30 -46 -78 -72 -43 1 40 109 148
-115 -32 37 20 -38 -56 -40 -4 25 53 115 151
-125 -36 30 13 -20 -16 7 38 57 77 123 155
-133 -43 25 24 19 35 56 71 83 98 134 157
-142 -55 25 50 57 75 93 105 110 123 146 160
-149 -63 34 70 88 106 117 125 131 137 153 163
-154 -74 30 85 109 122 131 139 147 153 162 168
-155 -81 28 91 115 130 144 152 160 166 173 178
-157 -83 23 87 116 134 151 159 165 171 178 184
-153 -83 16 82 117 140 158 168 175 178 186 193
"""
# Hundredths; on the left half of the difference between a film and its mirror image.
_HEART_WEIGHTS = """
-8 0 2 -18 -4 7 11 12 27 23 5 -15
-5 -1 -2 -15 6 -2 0 11 24 11 -17 -9
-2 2 3 -10 -3 -7 -10 9 21 3 -35 -10
0 -4 7 -1 -18 -8 9 3 10 11 -7 -3
1 -3 13 4 -15 -10 5 15 4 4 -5 -1
5 0 10 1 -16 -12 -8 -11 -6 -6 -10 -3
5 8 7 -6 -20 -16 -8 -8 -9 -23 -8 -5
9 4 -6 -10 -12 2 -22 -32 -35 -30 0 1
9 0 -4 -1 -3 3 -3 -17 -44 -40 -3 1
7 0 4 -5 8 12 5 -14 -38 -22 1 2
6 -11 -3 -5 17 18 12 -17 -21 -2 10 -2
7 -3 -4 4 22 22 -1 -18 -20 -1 11 2
8 -5 5 -2 18 25 34 5 -4 -5 7 4
9 0 13 4 14 19 13 15 7 -2 -10 5
13 3 31 21 17 11 12 5 8 3 7 5
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
