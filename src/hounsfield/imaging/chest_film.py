"""What a picture that should be a frontal chest film shows of itself, in numbers: place, grey, side, text.

Begin with `measure_film`. What the numbers mean for the use of the film is said by the rule
`chest-film-gates` (measures), not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.imaging.burned_text import TextLine, find_text
from hounsfield.imaging.film_fit import ChestFit, fit_chest, ranks, read_window, shrink
from hounsfield.imaging.mean_film import (
    LUNG_BOTTOM,
    LUNG_LEFT,
    LUNG_RIGHT,
    LUNG_TOP,
    SIDE,
    heart_side,
    mean_film,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Field = NDArray[np.float64]

FINE_SIDE = 48
# Deviations of the mean film: darker is surely lung, brighter surely mediastinum or abdomen.
LUNG_BELOW, BRIGHT_ABOVE, MAYBE_LUNG_BELOW = -0.6, 1.0, 0.1
# Rows and outer columns of the mean film in which air above the shoulders and beside the trunk is dark, not lung.
AIR_ROWS, SHOULDER_ROWS, SHOULDER_COLUMNS, AIR_COLUMNS = 2, 4, 6, 3
WHITE_FROM, BLACK_TO = 0.995, 0.005  # of the range that is shown
DARK_PERCENT, LIGHT_PERCENT = 5.0, 95.0


@dataclass(frozen=True, slots=True)
class FilmNumbers:
    """The numbers that the gates rest on; greys are parts of the range that is shown, 0 black, 1 white.

    fit: how and where the mean film fits. lung_grey: median grey of the lungs; chest_grey: of the chest;
    grey_range: 5th to 95th percentile of the chest; white_fraction, black_fraction: parts of the chest at the
    ends of the range. heart_side: above 0 where the heart lies at the right of the picture. text: rows of
    letters over the chest and beside it.
    """

    fit: ChestFit
    lung_grey: float
    chest_grey: float
    grey_range: float
    white_fraction: float
    black_fraction: float
    heart_side: float
    text_over_chest: tuple[TextLine, ...]
    text_beside: tuple[TextLine, ...]


def measure_film(picture: Field) -> FilmNumbers:
    """Measure `picture` (y, x), grey 0 to 1 with bone bright, at least 32 pixels each way."""
    fit = fit_chest(picture)
    shown = picture[fit.field]
    coarse, inside = read_window(shrink(shown, FINE_SIDE), fit.window, SIDE)
    place, _ = read_window(ranks(shrink(shown, FINE_SIDE)), fit.window, SIDE)
    lung = coarse[(mean_film() < LUNG_BELOW) & inside]
    chest = shown[chest_box(fit, (shown.shape[0], shown.shape[1]))]
    dark, middle, light = np.percentile(chest, (DARK_PERCENT, 50.0, LIGHT_PERCENT))
    over, beside = _sorted_text(find_text(shown), fit)
    return FilmNumbers(
        fit,
        float(np.median(lung)) if lung.size else float(middle),
        float(middle),
        float(light - dark),
        float((chest >= WHITE_FROM).mean()),
        float((chest <= BLACK_TO).mean()),
        heart_side(place, inside),
        over,
        beside,
    )


def chest_box(fit: ChestFit, shape_yx: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns of the lungs' box within the field; at least one pixel each way."""
    top, left = fit.window.at(LUNG_TOP, LUNG_LEFT)
    bottom, right = fit.window.at(LUNG_BOTTOM, LUNG_RIGHT)
    found = []
    for low, high, n in ((top, bottom, shape_yx[0]), (left, right, shape_yx[1])):
        first = min(max(0, int(low * n)), n - 1)
        found.append(slice(first, max(first + 1, min(n, int(np.ceil(high * n))))))
    return found[0], found[1]


def _sorted_text(lines: list[TextLine], fit: ChestFit) -> tuple[tuple[TextLine, ...], tuple[TextLine, ...]]:
    """Rows whose middle lies over the lungs' box, and the others."""
    top, left = fit.window.at(LUNG_TOP, LUNG_LEFT)
    bottom, right = fit.window.at(LUNG_BOTTOM, LUNG_RIGHT)
    over: list[TextLine] = []
    beside: list[TextLine] = []
    for line in lines:
        down, across = (line.top + line.bottom) / 2, (line.left + line.right) / 2
        (over if top <= down <= bottom and left <= across <= right else beside).append(line)
    return tuple(over), tuple(beside)


def lung_fields(picture: Field, fit: ChestFit) -> NDArray[np.bool_]:
    """The lungs as they show: darker than midway between lung and mediastinum, where lungs may lie.

    An outline for the eye and for coarse measures; lung behind the heart or under consolidation is not in it.
    """
    from scipy import ndimage

    shown = picture[fit.field]
    rows, columns = shown.shape
    window = fit.window
    down = (np.arange(rows) + 0.5) / rows
    across = (np.arange(columns) + 0.5) / columns
    at_rows = (down - window.top) / (window.bottom - window.top) * SIDE - 0.5
    at_columns = (across - window.left) / (window.right - window.left) * SIDE - 0.5
    places = np.meshgrid(at_rows, at_columns, indexing="ij")
    prior = ndimage.map_coordinates(_where_lungs_may_be(), places, order=1, mode="constant", cval=9.0)
    smooth = ndimage.gaussian_filter(shown, max(rows, columns) / 100.0, mode="nearest")
    lung, bright = prior < LUNG_BELOW, (prior > BRIGHT_ABOVE) & (prior < 2.5)
    if not lung.any() or not bright.any():
        return np.zeros(picture.shape, dtype=np.bool_)
    limit = (np.median(smooth[lung]) + np.median(smooth[bright])) / 2.0
    found = (prior < MAYBE_LUNG_BELOW) & (smooth < limit)
    found = ndimage.binary_opening(found, iterations=max(1, max(rows, columns) // 128))
    whole = np.zeros(picture.shape, dtype=np.bool_)
    whole[fit.field] = ndimage.binary_fill_holes(found)
    return whole


def _where_lungs_may_be() -> Field:
    """The mean film with the air around the trunk made bright."""
    film = mean_film().copy()
    for mirrored in (film, film[:, ::-1]):
        mirrored[:AIR_ROWS] = 3.0
        mirrored[:SHOULDER_ROWS, :SHOULDER_COLUMNS] = 3.0
        mirrored[:, :AIR_COLUMNS] = 3.0
    return film
