"""Make the mean film of `hounsfield.imaging.mean_film` anew, and print its numbers.

The films of the choosing half of nih_cxr, nih_cxr_64 and the open part of covid_cxr are laid over one another:
each is fitted with the mean of the others, read in its own place, and added; four times, each set weighing the same. Then the weights that
tell the heart's side: a linear discriminant of the difference between a film and its mirror image.

    python -m benchmarks.mean_film
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from benchmarks._chest_films import read_films
from benchmarks._table import with_data_option
from hounsfield.imaging.film_fit import (
    SIDE,
    Window,
    find_field,
    likeness,
    make_bank,
    ranks,
    read_window,
    shrink,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks._chest_films import Film

FILM_SIDE = 24
FINE_SIDE = 48
N_ROUNDS = 4
HEART_ROWS = slice(6, 21)
RIDGE = 1.0

Picture = np.ndarray[Any, np.dtype[np.float64]]


def weights_of(films: Sequence[Film]) -> Picture:
    """Weights that give each set the same say."""
    count = {name: sum(film.set_name == name for film in films) for name in {film.set_name for film in films}}
    return np.array([1.0 / count[film.set_name] for film in films])


def normalised(film: Picture) -> Picture:
    """Symmetric, mean 0 and deviation 1, in hundredths."""
    film = film + film[:, ::-1]
    return np.round(100.0 * (film - film.mean()) / film.std()) / 100.0


def relative(window: Window, mean: np.ndarray[Any, Any]) -> Window:
    """`window` as if the mean of all windows were the whole picture."""
    height, width = window.bottom - window.top, window.right - window.left
    top, left = (
        window.top - mean[0] / (mean[1] - mean[0]) * height,
        window.left - mean[2] / (mean[3] - mean[2]) * width,
    )
    return Window(top, top + height / (mean[1] - mean[0]), left, left + width / (mean[3] - mean[2]))


def places(bank: Any, cut: Sequence[Picture]) -> list[Window]:
    """Where the mean film of `bank` fits each picture (without its border) best."""
    thumbnails = np.array([ranks(shrink(picture, SIDE)) for picture in cut])
    heights = np.array([picture.shape[0] / picture.shape[1] for picture in cut])
    return [bank.windows[int(i)] for i in likeness(bank, thumbnails, heights).argmax(axis=0)]


def lay_over(films: Sequence[Film]) -> Picture:
    """The mean film (FILM_SIDE, FILM_SIDE)."""
    cut = [film.picture[find_field(film.picture)] for film in films]
    coarse = np.array([ranks(shrink(picture, SIDE)) for picture in cut])
    fine = [ranks(shrink(picture, FINE_SIDE)) for picture in cut]
    weights = weights_of(films)
    mean = normalised(ndimage.zoom(np.average(coarse, axis=0, weights=weights), FILM_SIDE / SIDE, order=1))
    for _ in range(N_ROUNDS):
        found = places(make_bank(mean), cut)
        middle = np.array([(w.top, w.bottom, w.left, w.right) for w in found])
        middle = np.average(middle, axis=0, weights=weights)
        total, count = np.zeros((FILM_SIDE, FILM_SIDE)), np.zeros((FILM_SIDE, FILM_SIDE))
        for weight, picture, window in zip(weights, fine, found, strict=True):
            read, inside = read_window(picture, relative(window, middle), FILM_SIDE)
            total, count = total + weight * read * inside, count + weight * inside
        mean = normalised(total / np.maximum(count, weights.min()))
    return mean


def lung_box(film: Picture, films: Sequence[Film]) -> list[float]:
    """Median edges of the lung masks (top, bottom, left, right) in parts of the mean film."""
    bank, edges = make_bank(film), []
    for one in films:
        if one.lung_mask is None:
            continue
        field = find_field(one.picture)
        mask = one.lung_mask[field]
        (window,) = places(bank, [one.picture[field]])
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        height, width = window.bottom - window.top, window.right - window.left
        edges.append(
            (
                *((rows[[0, -1]] + [0, 1]) / mask.shape[0] - window.top) / height,
                *((columns[[0, -1]] + [0, 1]) / mask.shape[1] - window.left) / width,
            )
        )
    return [round(float(edge), 3) for edge in np.median(edges, axis=0)]


def asymmetry(bank: Any, picture: Picture) -> Picture:
    """Left half of the difference between a film and its mirror image, in the mean film's place."""
    cut = picture[find_field(picture)]
    fine = ranks(shrink(cut, FINE_SIDE))
    (window,) = places(bank, [cut])
    read, inside = read_window(fine, window, FILM_SIDE)
    both = inside & inside[:, ::-1]
    return ((read - read[:, ::-1]) / 2 * both)[HEART_ROWS, : FILM_SIDE // 2]


def heart_weights(film: Picture, films: Sequence[Film]) -> Picture:
    """Weights whose sum with `asymmetry` is above 0 where the heart lies to the right of the picture."""
    bank = make_bank(film)
    seen = np.array([asymmetry(bank, one.picture).ravel() for one in films])
    share = weights_of(films) / weights_of(films).sum()
    spread = (seen * share[:, None]).T @ seen
    ridge = RIDGE * np.trace(spread) / len(spread) * np.eye(len(spread))
    weights = np.linalg.solve(spread + ridge, share @ seen)
    weights /= (seen @ weights).std()
    return np.round(100.0 * weights).reshape(-1, FILM_SIDE // 2)


def rows_of(name: str, table: Picture) -> str:
    """The table as it stands in mean_film.py."""
    lines = [" ".join(f"{round(value):d}" for value in row) for row in table]
    return "\n".join([f'{name} = """', *lines, '"""'])


def main() -> None:
    """Print the constants."""
    options = with_data_option(argparse.ArgumentParser(description=__doc__)).parse_args()
    films = list(read_films(options.data, "choose"))
    used = [f for f in films if f.set_name != "covid" or f.row["licence_class"] == "open"]
    mean = lay_over(used)
    print(f"# {len(used)} films of {len({f.group for f in used})} patients")
    print(rows_of("_LEFT_HALF", 100.0 * mean[:, : FILM_SIDE // 2]))
    print("LUNG_TOP, LUNG_BOTTOM, LUNG_LEFT, LUNG_RIGHT =", lung_box(mean, films))
    print(rows_of("_HEART_WEIGHTS", heart_weights(mean, used)))


if __name__ == "__main__":
    main()
