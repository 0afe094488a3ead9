"""False alarms of the gates before chest film applications on real films, and how many spoiled ones they stop.

Films of nih_cxr, nih_cxr_64 and covid_cxr are halved by patient; limits were set on the part "choose" (`--part
choose` prints it), the figures that count are those of "report". One film a patient, so that intervals hold. Films as
they are count as good, although some are not: the rate of false alarms is an upper bound. Spoiled copies are made from
the same films; foreign pictures are other parts of the body and other modalities.

    python -m benchmarks.radiograph_quality
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from benchmarks._chest_films import grey, read_films
from benchmarks._table import heading, table, wilson_interval, with_data_option
from hounsfield.applications.radiograph_quality import read_radiograph_quality
from hounsfield.core import Grid, Image, Inputs, Series, Study

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from benchmarks._chest_films import Film
    from hounsfield.core import Reading

Picture = np.ndarray[Any, np.dtype[np.float64]]
CROPS = {
    "left": lambda p, share: p[:, round(share * p.shape[1]) :],
    "right": lambda p, share: p[:, : p.shape[1] - round(share * p.shape[1])],
    "top": lambda p, share: p[round(share * p.shape[0]) :],
    "bottom": lambda p, share: p[: p.shape[0] - round(share * p.shape[0])],
}
FOREIGN = {
    "breast_us/images": "breast ultrasound",
    "mias_mammography/images": "mammograms (MIAS)",
    "mias_mammography/patches": "patches of mammograms",
    "brain_tumour_mri/images": "brain MR slices",
    "head_ct_haemorrhage/images": "head CT slices",
}


@dataclass
class Count:
    """Verdicts and conditions over a list of pictures."""

    n: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)

    def add(self, reading: Reading) -> None:
        self.n += 1
        self.verdicts[verdict_of(reading)] += 1
        self.codes.update({c.code for c in reading.conditions if c.severity != "note"})

    @property
    def n_flagged(self) -> int:
        """Doubtful or not usable."""
        return self.n - self.verdicts["usable"]


def read_picture(picture: Picture) -> Reading:
    """What the application says to a picture, given as an 8-bit file would be."""
    array = np.round(np.clip(picture, 0.0, 1.0) * 255.0).astype(np.uint8)[None]
    grid = Grid(array.shape)
    series = Series(
        "film", "raster", grid=grid, files=("film.png",), load_image=lambda: Image(array, grid, "1")
    )
    return read_radiograph_quality(Inputs(Study("film", (series,)), {"film": series}))


def verdict_of(reading: Reading) -> str:
    """`usable`, `doubtful` or `not usable`."""
    if reading.status == "refused":
        return "not usable"
    return {"absent": "usable", "indeterminate": "doubtful", "present": "not usable"}[
        reading.findings[0].presence
    ]


def with_text(picture: Picture, rng: np.random.Generator, level: int) -> Picture:
    """Two rows of ten letters over the middle of the film, 3 to 5.5 % of its height."""
    drawn = PillowImage.fromarray(np.round(picture * 255).astype(np.uint8))
    size = max(7, round(float(rng.uniform(0.03, 0.055)) * picture.shape[0]))
    font = ImageFont.load_default(size=size)
    left, top = rng.uniform(0.15, 0.5) * picture.shape[1], rng.uniform(0.2, 0.65) * picture.shape[0]
    for row in range(2):
        letters = "".join(rng.choice(list("ABCDEFGHKLMNPRSTUVXYZ0123456789"), 10))
        ImageDraw.Draw(drawn).text((left, top + 1.3 * row * size), letters, fill=level, font=font)
    return np.asarray(drawn, dtype=np.float64) / 255.0


def spoils(rng: np.random.Generator) -> dict[str, Callable[[Picture], Picture]]:
    """Ways to spoil a film."""
    made: dict[str, Callable[[Picture], Picture]] = {
        "inverted": lambda p: 1.0 - p,
        "turned by 90 degrees": np.rot90,
        "turned by 180 degrees": lambda p: np.rot90(p, 2),
        "turned by 270 degrees": lambda p: np.rot90(p, 3),
        "mirrored": lambda p: p[:, ::-1],
        "gamma 0.4 (too light)": lambda p: p**0.4,
        "gamma 2.5 (too dark)": lambda p: p**2.5,
        "twice as light, clipped": lambda p: np.minimum(2 * p, 1.0),
        "twice the contrast, clipped to black": lambda p: np.maximum(2 * p - 1, 0.0),
        "a quarter of the contrast": lambda p: 0.375 + 0.25 * p,
        "white text over the chest": lambda p: with_text(p, rng, 255),
        "black text over the chest": lambda p: with_text(p, rng, 0),
    }
    for share in (0.15, 0.30):
        for side, crop in CROPS.items():
            made[f"{share:.0%} cut from the {side}"] = lambda p, crop=crop, share=share: crop(p, share)
    return made


def one_a_patient(films: Iterable[Film]) -> list[Film]:
    """The first film of each patient in each set."""
    return list({(film.set_name, film.group): film for film in reversed(list(films))}.values())[::-1]


def counted(pictures: Iterable[Picture]) -> Count:
    """Read them all."""
    count = Count()
    for picture in pictures:
        count.add(read_picture(picture))
    return count


def row(name: str, count: Count) -> tuple[object, ...]:
    """A line of the table."""
    low, high = wilson_interval(count.n_flagged, count.n)
    codes = ", ".join(f"{code.removeprefix('film-')} {n}" for code, n in count.codes.most_common(4))
    return (
        name,
        count.n,
        f"{count.verdicts['not usable'] / count.n:.1%}",
        f"{count.n_flagged / count.n:.1%}",
        f"{low:.1%} to {high:.1%}",
        codes,
    )


def by_lung_lost(films: Sequence[Film]) -> dict[str, Count]:
    """Crops of films with a lung mask, by the part of the mask that was cut away."""
    bands = {"below 5 %": (0.0, 0.05), "5 to 15 %": (0.05, 0.15), "15 % and more": (0.15, 1.01)}
    counts = {name: Count() for name in bands}
    for film in films:
        if film.lung_mask is None:
            continue
        for crop in CROPS.values():
            for share in (0.1, 0.2, 0.3, 0.4):
                lost = 1.0 - crop(film.lung_mask, share).sum() / film.lung_mask.sum()
                name = next(name for name, (low, high) in bands.items() if low <= lost < high)
                counts[name].add(read_picture(crop(film.picture, share)))
    return counts


def foreign_rows(data: Path, most: int) -> list[tuple[object, ...]]:
    """Other pictures, evenly thinned, and noise."""
    rows = []
    for folder, title in FOREIGN.items():
        files = sorted((data / folder).iterdir())
        kept = [files[i] for i in np.unique(np.linspace(0, len(files) - 1, most).astype(int))]
        rows.append(row(title, counted(grey(file) for file in kept)))
    rng = np.random.default_rng(0)
    rows.append(row("noise", counted(rng.random(rng.integers(96, 512, 2)) for _ in range(50))))
    rows.append(row("nearly blank", counted(0.5 + 0.002 * rng.random((256, 256)) for _ in range(10))))
    return rows


def main() -> None:
    """Print the three tables."""
    parser = with_data_option(argparse.ArgumentParser(description=__doc__))
    parser.add_argument(
        "--part", choices=("choose", "report"), default="report", help="which half (default report)"
    )
    parser.add_argument("--most", type=int, default=150, help="most pictures of a set (default 150)")
    options = parser.parse_args()
    films = one_a_patient(read_films(options.data, options.part))
    sets = {
        name: [f for f in films if f.set_name == name][: options.most] for name in ("nih", "nih64", "covid")
    }
    columns = ("pictures", "n", "not usable", "doubtful or not usable", "95 % interval", "conditions")
    inputs = f"part {options.part}, one film a patient: " + ", ".join(
        f"{len(v)} of {k}" for k, v in sets.items()
    )
    print(heading("Gates before chest film applications", inputs=inputs))
    good = {name: counted(f.picture for f in one) for name, one in sets.items()}
    together = Count()
    for count in good.values():
        together.n += count.n
        together.verdicts.update(count.verdicts)
        together.codes.update(count.codes)
    print(
        table(columns, [*(row(f"as they are: {name}", c) for name, c in good.items()), row("all", together)])
    )
    large = [*sets["nih"], *sets["covid"]]
    rng = np.random.default_rng(1)
    print("\nspoiled copies of nih and covid\n")
    print(
        table(columns, [row(name, counted(s(f.picture) for f in large)) for name, s in spoils(rng).items()])
    )
    print(
        "\ncrops by the part of the lung mask that is lost (covid; 16 crops a film, so the interval is too narrow)\n"
    )
    masked = [f for f in sets["covid"] if f.lung_mask is not None]
    print(table(columns, [row(name, count) for name, count in by_lung_lost(masked).items() if count.n]))
    print("\nforeign pictures\n")
    print(table(columns, foreign_rows(options.data, options.most)))


if __name__ == "__main__":
    main()
