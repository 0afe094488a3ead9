"""Text burned into a picture: rows of small, sharp, evenly high strokes, brighter or darker than what is behind.

Nothing is read; only that there is text, and where. Single letters (side markers) are not text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Field = NDArray[np.float64]

# Found on the choosing half of the films with text of 3 to 5.5 % of the film's height pasted into them
# (benchmarks/radiograph_quality.py): none of 308 films holds such a row within its chest.
WORKING_PX = 512  # larger pictures are averaged down to at most this
STROKE_SHARE = 1.0 / 45.0  # strokes are thinner than this part of the picture
LEAST_CONTRAST = 0.16  # of the full grey range, against the surroundings
LEAST_HEIGHT_PX, LARGEST_HEIGHT_SHARE = 5, 0.05
LARGEST_WIDTH_OF_HEIGHT, LARGEST_GAP_OF_HEIGHT = 1.6, 1.2
LEAST_OVERLAP, LARGEST_HEIGHT_RATIO, LARGEST_CONTRAST_RATIO = 0.6, 1.5, 1.8
FULLEST = 0.85  # a box filled more than this is a block, not a letter
LEAST_LETTERS = 4


@dataclass(frozen=True, slots=True)
class TextLine:
    """A row of at least four letters; edges in parts of the picture's height and width."""

    n_letters: int
    top: float
    bottom: float
    left: float
    right: float

    def shares_place_with(self, other: TextLine) -> bool:
        """Whether both boxes overlap."""
        return (
            self.top < other.bottom
            and other.top < self.bottom
            and self.left < other.right
            and other.left < self.right
        )


@dataclass(frozen=True, slots=True)
class _Stroke:
    left: int
    right: int
    top: int
    bottom: int
    contrast: float

    @property
    def height(self) -> int:
        return self.bottom - self.top

    def is_followed_by(self, other: _Stroke) -> bool:
        """Whether `other` may be the next letter of the same row."""
        heights = sorted((self.height, other.height))
        contrasts = sorted((self.contrast, other.contrast))
        shared = min(self.bottom, other.bottom) - max(self.top, other.top)
        return (
            -1 <= other.left - self.right <= LARGEST_GAP_OF_HEIGHT * heights[1]
            and shared >= LEAST_OVERLAP * heights[1]
            and heights[1] <= LARGEST_HEIGHT_RATIO * heights[0]
            and contrasts[1] < LARGEST_CONTRAST_RATIO * contrasts[0]
        )


def find_text(picture: Field) -> list[TextLine]:
    """Rows of text in `picture` (y, x), grey 0 to 1; horizontal ones only, each once."""
    factor = int(np.ceil(max(picture.shape) / WORKING_PX))
    rows, columns = (n // factor * factor for n in picture.shape)
    cells = picture[:rows, :columns].reshape(rows // factor, factor, columns // factor, factor)
    small = np.asarray(cells.mean(axis=(1, 3)))
    rows_found = [row for shown in (small, 1.0 - small) for row in _rows(_strokes(shown))]
    found = [
        TextLine(
            len(row),
            top=min(one.top for one in row) / small.shape[0],
            bottom=max(one.bottom for one in row) / small.shape[0],
            left=row[0].left / small.shape[1],
            right=row[-1].right / small.shape[1],
        )
        for row in rows_found
    ]
    kept: list[TextLine] = []
    for line in sorted(found, key=lambda one: -one.n_letters):
        # What lies between the strokes of dark letters looks like light ones.
        if not any(line.shares_place_with(other) for other in kept):
            kept.append(line)
    return sorted(kept, key=lambda line: (line.top, line.left))


def _strokes(picture: Field) -> list[_Stroke]:
    """Bright marks of the size and shape of letters, from left to right."""
    from scipy import ndimage

    longest = max(picture.shape)
    reach = max(5, round(longest * STROKE_SHARE) | 1)
    raised = ndimage.white_tophat(picture, size=(reach, reach))
    labels, _ = ndimage.label(raised > LEAST_CONTRAST, np.ones((3, 3)))
    found = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        height, width = rows.stop - rows.start, columns.stop - columns.start
        is_small = LEAST_HEIGHT_PX <= height <= LARGEST_HEIGHT_SHARE * longest
        if not (is_small and 2 <= width <= LARGEST_WIDTH_OF_HEIGHT * height):
            continue
        own = labels[rows, columns] == number
        if width <= 3 or own.mean() <= FULLEST:
            contrast = float(raised[rows, columns][own].mean())
            found.append(_Stroke(columns.start, columns.stop, rows.start, rows.stop, contrast))
    return sorted(found, key=lambda one: (one.left, one.top))


def _rows(strokes: list[_Stroke]) -> list[list[_Stroke]]:
    """Strokes that follow one another, at least LEAST_LETTERS of them."""
    taken: set[int] = set()
    found = []
    for first, stroke in enumerate(strokes):
        if first in taken:
            continue
        row = [stroke]
        for place in range(first + 1, len(strokes)):
            other = strokes[place]
            if other.left - row[-1].right > LARGEST_GAP_OF_HEIGHT * LARGEST_HEIGHT_SHARE * WORKING_PX:
                break
            if place not in taken and row[-1].is_followed_by(other):
                taken.add(place)
                row.append(other)
        if len(row) >= LEAST_LETTERS:
            found.append(row)
    return found
