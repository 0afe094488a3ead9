"""How many altered copies of a picture the search for leaks finds, and how many different pictures it takes for one.

    python -m benchmarks.altered_copies [--seed 0] [--heads 60] [--stills 40]

Made pictures alone: quarters of photographs that lie in installed packages (scikit-image, scikit-learn) and slices of
the package's phantoms. Three quarters are the training data; the test data are copies, changed by a random amount, of half of
all, and the last quarter, which is new. Here the search is changed, and not on the sets that benchmarks/leaks.py judges.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw

from benchmarks._table import heading, table, wilson_interval
from hounsfield.evaluation.audit import as_thumbnails, near_duplicates

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Grey = NDArray[np.uint8]
    Change = Callable[[Grey, np.random.Generator], Grey]


def gamma(picture: Grey, rng: np.random.Generator) -> Grey:
    """Brighter or darker: gamma of 0.4 to 2.5."""
    return _as_grey(255 * (picture / 255.0) ** np.exp(rng.uniform(-0.92, 0.92)))


def window(picture: Grey, rng: np.random.Generator) -> Grey:
    """Another window: black and white at up to a fifth of the range, or less contrast."""
    low, high = rng.uniform(-0.3, 0.2) * 255, (1 - rng.uniform(-0.3, 0.2)) * 255
    return _as_grey((picture - low) / (high - low) * 255)


def marks(picture: Grey, rng: np.random.Generator) -> Grey:
    """Four to ten words burned in, and a scale at one side."""
    canvas = Image.fromarray(picture)
    draw = ImageDraw.Draw(canvas)
    height, width = picture.shape
    for _ in range(rng.integers(4, 11)):
        word = rng.choice(["L", "R", "A", "BRAIN WINDOW", "CONTRAST", "12.5 mm", "W 80 L 40", "+"])
        place = int(rng.uniform(0, 0.85) * width), int(rng.uniform(0, 0.95) * height)
        draw.text(place, str(word), fill=255, font_size=int(rng.uniform(0.04, 0.08) * height))
    for tick in np.linspace(0.1, 0.9, 9):
        draw.line([(width - 12, tick * height), (width - 3, tick * height)], fill=255, width=2)
    return np.asarray(canvas)


def crop(picture: Grey, rng: np.random.Generator) -> Grey:
    """Up to 8 % taken off each side."""
    height, width = picture.shape
    top, bottom, left, right = rng.uniform(0, 0.08, 4)
    return picture[
        int(top * height) : height - int(bottom * height), int(left * width) : width - int(right * width)
    ]


def frame(picture: Grey, rng: np.random.Generator) -> Grey:
    """Up to 12 % of black put around each side."""
    height, width = picture.shape
    top, bottom, left, right = rng.uniform(0, 0.12, 4)
    sides = (int(top * height), int(bottom * height)), (int(left * width), int(right * width))
    return np.pad(picture, sides)


def resize(picture: Grey, rng: np.random.Generator) -> Grey:
    """To sides of 64 to 300 pixels, each by itself within a third."""
    side = np.exp(rng.uniform(np.log(80), np.log(260)))
    height, width = (side * rng.uniform(0.8, 1.2, 2)).astype(int)
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR))


def jpeg(picture: Grey, rng: np.random.Generator) -> Grey:
    """JPEG of quality 15 to 70."""
    packed = BytesIO()
    Image.fromarray(picture).save(packed, format="JPEG", quality=int(rng.integers(15, 71)))
    return np.asarray(Image.open(packed))


def turn(picture: Grey, rng: np.random.Generator) -> Grey:
    """Turned by up to 6 degrees and moved by up to 5 % of the side; black comes in."""
    height, width = picture.shape
    across, down = (int(part) for part in rng.uniform(-0.05, 0.05, 2) * (width, height))
    turned = Image.fromarray(picture).rotate(
        float(rng.uniform(-6, 6)), resample=Image.Resampling.BILINEAR, translate=(across, down)
    )
    return np.asarray(turned)


def mirror(picture: Grey, _: np.random.Generator) -> Grey:
    """The mirror image."""
    return picture[:, ::-1]


def all_of_them(picture: Grey, rng: np.random.Generator) -> Grey:
    """Every change after another, a mirror image in half of the cases."""
    for change in (window, gamma, turn, crop, marks, resize, jpeg):
        picture = change(picture, rng)
    return mirror(picture, rng) if rng.random() < 0.5 else picture


BLEEDS: tuple[Any, ...] = ("intraparenchymal", "subdural", "epidural", "subarachnoid", "intraventricular")
# Drawings, boards that repeat themselves, and the other half of a stereo pair.
NO_PHOTOGRAPHS = (
    "chessboard",
    "clock",
    "color",
    "horse",
    "logo",
    "motorcycle_right",
    "multipage",
    "page",
    "phantom",
    "text",
)
CHANGES: dict[str, Change] = {
    "gamma": gamma,
    "window": window,
    "marks": marks,
    "crop": crop,
    "frame": frame,
    "resize": resize,
    "jpeg": jpeg,
    "turn and shift": turn,
    "mirror": mirror,
    "all of them": all_of_them,
}


def photographs() -> list[Grey]:
    """Quarters of the photographs of installed packages."""
    import skimage
    import sklearn

    folders = (Path(skimage.__file__).parent / "data", Path(sklearn.__file__).parent / "datasets" / "images")
    whole = [
        np.asarray(Image.open(file).convert("L"))
        for folder in folders
        for file in sorted(folder.iterdir())
        if file.suffix in {".jpg", ".png"} and not file.stem.startswith(NO_PHOTOGRAPHS)
    ]
    quarters = [
        quarter for one in whole for half in np.array_split(one, 2) for quarter in np.array_split(half, 2, 1)
    ]
    return [one for one in quarters if min(one.shape) >= 128 and one.std() > 4]


def heads(n: int, *, apart: int = 0) -> list[Grey]:
    """One slice each of n made heads, in a brain window; with `apart` the slice that many further up."""
    from hounsfield.phantoms.head_ct import HeadCtParameters, make_head_ct

    made = []
    for seed in range(n):
        rng = np.random.default_rng((21, seed))
        ill = rng.random() < 0.5
        parameters = HeadCtParameters(
            seed=seed,
            n_slices=14,
            matrix_px=192,
            field_of_view_mm=float(rng.uniform(220, 260)),
            bleed=BLEEDS[seed % len(BLEEDS)],
            bleed_ml=float(rng.uniform(3, 8)) if ill else 0.0,
            side=("left", "right")[int(rng.integers(2))],
            shift_mm=float(rng.uniform(0, 6)) if ill else 0.0,
            rotation_deg=float(rng.uniform(-8, 8)),
        )
        volume = make_head_ct(parameters).array
        made.append(_as_grey(volume[int(rng.integers(2, 11)) + apart] / 80 * 255))
    return made


def stills(n: int) -> list[Grey]:
    """Stills of n made ultrasound examinations of a nodule."""
    from hounsfield.phantoms.nodule_us import UsNoduleParameters, make_us_nodule

    made = (make_us_nodule(UsNoduleParameters(seed=seed)) for seed in range(n))
    return [np.asarray(next(iter(one.images.values())).array.squeeze(), dtype=np.uint8) for one in made]


@dataclass(frozen=True, slots=True)
class Found:
    """Of one search: copies there, those told at all and as copies, and different pictures told as alike or copies."""

    n_copies: int
    n_told: int
    n_as_copies: int
    n_false_alike: int
    n_false_copies: int


def search(pictures: Sequence[Grey], change: Change, *, seed: int = 0) -> Found:
    """Three quarters of the pictures to train; changed copies of half of all, and the last quarter, to test."""
    order = np.random.default_rng(seed).permutation(len(pictures))
    drawn = [pictures[number] for number in order]
    n_copies, n_train = len(drawn) // 2, 3 * len(drawn) // 4
    rng = np.random.default_rng((seed, 5))
    test = as_thumbnails([change(one, rng) for one in drawn[:n_copies]] + drawn[n_train:])
    pairs, _ = near_duplicates(test, as_thumbnails(drawn[:n_train]))
    true = [one for one in pairs if one.first == one.second]
    false = [one for one in pairs if one.first != one.second]
    n_as_copies, n_false_copies = (sum(one.is_copy for one in part) for part in (true, false))
    return Found(n_copies, len(true), n_as_copies, len(false) - n_false_copies, n_false_copies)


def next_slices(n: int) -> Found:
    """Slices of n made heads, 5 mm from slices of three quarters of them: what is told of one person's head."""
    here, there = heads(n), heads(n, apart=1)
    n_copies, n_train = n // 2, 3 * n // 4
    pairs, _ = near_duplicates(
        as_thumbnails(there[:n_copies] + there[n_train:]), as_thumbnails(here[:n_train])
    )
    true = [one for one in pairs if one.first == one.second]
    n_false = len(pairs) - len(true)
    n_as_copies = sum(one.is_copy for one in true)
    n_false_copies = sum(one.is_copy for one in pairs) - n_as_copies
    return Found(n_copies, len(true), n_as_copies, n_false - n_false_copies, n_false_copies)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--heads", type=int, default=60, help="made heads (default 60)")
    parser.add_argument("--stills", type=int, default=40, help="made ultrasound stills (default 40)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    kinds = {
        "photographs": photographs(),
        "heads": heads(options.heads),
        "ultrasound": stills(options.stills),
    }
    sizes = ", ".join(f"{len(pictures)} {name}" for name, pictures in kinds.items())
    print(heading("Altered copies", inputs=f"{sizes}; half of them come again, changed"))
    rows = [
        (kind, name, *_cells(search(pictures, change, seed=options.seed)))
        for kind, pictures in kinds.items()
        for name, change in CHANGES.items()
    ]
    rows.append(("heads", "next slice, 5 mm", *_cells(next_slices(options.heads))))
    columns = (
        "pictures",
        "change",
        "told",
        "95 % interval",
        "as copies",
        "different: alike",
        "different: copies",
    )
    print(table(columns, rows))


def _cells(found: Found) -> tuple[str, str, str, str, str]:
    low, high = wilson_interval(found.n_told, found.n_copies)
    return (
        f"{found.n_told} of {found.n_copies}",
        f"{low:.0%} to {high:.0%}",
        str(found.n_as_copies),
        str(found.n_false_alike),
        str(found.n_false_copies),
    )


def _as_grey(values: NDArray[Any]) -> Grey:
    return np.asarray(np.round(np.clip(values, 0, 255)), dtype=np.uint8)


if __name__ == "__main__":
    main()
