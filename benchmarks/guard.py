"""Every set of pictures against every shipped model's guard: how many are refused.

    python -m benchmarks.guard [--data FOLDER] [--most N] [--update-card]

Each picture is read by `hounsfield.read` as a file without header, so that nothing but its pixels can speak
against it. Right pictures are the model's own test part, always whole; of every other set at most N are read,
evenly spaced (60 unless told: about 7 minutes of processor time). The card takes the foreign sets, and keeps
what training measured on more pictures of the same set.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from benchmarks._table import heading, table, wilson_interval, with_data_option
from benchmarks.brain_tumour_mr import NAME, cases_of_part, read_files
from hounsfield.zoo import Bundle, Detection, find_bundle, open_bundle, write_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Sets of picture files below the data folder: name, what they show.
FILES = {
    "nih_cxr/images": "chest films (NIH)",
    "covid_cxr/images": "chest films (COVID-19)",
    "head_ct_haemorrhage/images": "head CT",
    "breast_us/images": "breast ultrasound",
    "mias_mammography/images": "mammograms (MIAS)",
    "mias_mammography/patches": "patches of mammograms (MIAS)",
    "originals_2d": "full-size originals of these sets",
}
N_MADE = 50
RIGHT = "right: the test part"
CHANGED = "right, "  # a right picture that was changed: told in the table, no foreign set


@dataclass(frozen=True)
class Row:
    """How many pictures of one set were refused, and how many of these by the guard."""

    name: str
    n_pictures: int
    n_refused: int
    n_by_guard: int

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson interval of the refused share."""
        return wilson_interval(self.n_refused, self.n_pictures)

    def as_detection(self) -> Detection:
        """The row as a card holds it."""
        low, high = self.interval
        share = self.n_refused / self.n_pictures
        return Detection(
            name=self.name,
            n=self.n_pictures,
            refused_fraction=round(share, 4),
            low95=round(min(low, share), 4),
            high95=round(max(high, share), 4),
        )


def judge(name: str, files: Sequence[Path]) -> Row:
    """Read the files and count."""
    readings = read_files(files)
    refused = [reading for reading in readings.values() if reading.status == "refused"]
    by_guard = [
        reading for reading in refused if any(c.code == "not-a-contrast-t1-slice" for c in reading.conditions)
    ]
    # A file that could not even be opened gave no reading: it was refused before the application.
    n_unread = len(files) - len(readings)
    return Row(name, len(files), len(refused) + n_unread, len(by_guard))


def thinned(files: Sequence[Path], most: int) -> list[Path]:
    """At most `most` of the files, evenly spaced."""
    if len(files) <= most:
        return list(files)
    return [files[index] for index in np.linspace(0, len(files) - 1, most).astype(int)]


def sets_of_files(data: Path, most: int) -> Iterator[tuple[str, list[Path]]]:
    """The sets that are files already."""
    for folder, title in FILES.items():
        files = sorted(p for p in (data / folder).iterdir() if p.suffix.lower() in {".png", ".jpg", ".jpeg"})
        if folder == "originals_2d":
            files = [file for file in files if not file.name.startswith("brain_")]
        if files:
            yield title, thinned(files, most)


def made_sets(data: Path, most: int, folder: Path) -> Iterator[tuple[str, list[Path]]]:
    """Sets made here: small films, CT and MR slices of other parts, photographs, noise, even pictures."""
    films = np.load(data / "nih_cxr_64" / "images.npz", allow_pickle=False)
    small = films[films.files[0]]
    yield "chest films of 64 pixels (NIH)", thinned(_written(folder / "small", list(small)[:most]), most)
    yield "CT slices of the chest", thinned(_written(folder / "ct", _ct_slices(data)), most)
    yield "T1 MR slices of the thigh", thinned(_written(folder / "thigh", _thigh_slices(data)), most)
    colour = _photographs()
    yield "colour photographs", colour
    grey = [np.asarray(Image.open(file).convert("L")) for file in colour]
    tiles = [part for one in grey for half in np.array_split(one, 2) for part in np.array_split(half, 3, 1)]
    yield "photographs in grey, sixths", _written(folder / "grey", tiles)
    rng = np.random.default_rng(0)
    shapes = rng.integers(96, 512, (N_MADE, 2))
    yield "noise", _written(folder / "noise", [rng.integers(0, 256, shape) for shape in shapes])
    smooth = [np.kron(rng.integers(0, 256, (8, 8)), np.ones((24, 24))) for _ in range(N_MADE)]
    yield "squares of random grey", _written(folder / "squares", smooth)
    ramps = [
        np.add.outer(np.arange(192.0) * a, np.arange(192.0) * b) for a, b in rng.normal(0, 1, (N_MADE, 2))
    ]
    yield "even ramps", _written(folder / "ramps", ramps)
    yield "uniform", _written(folder / "uniform", [np.full((192, 192), level) for level in range(0, 250, 25)])


def _photographs() -> list[Path]:
    """Colour photographs that lie in installed packages (scikit-image, scikit-learn)."""
    import skimage
    import sklearn

    folders = (Path(skimage.__file__).parent / "data", Path(sklearn.__file__).parent / "datasets" / "images")
    files = [file for folder in folders for file in sorted(folder.iterdir())]
    pictures = [file for file in files if file.suffix in {".jpg", ".png"}]
    return [file for file in pictures if _is_colour(Image.open(file))]


def _is_colour(picture: Image.Image) -> bool:
    return picture.mode == "RGB" and float(np.ptp(np.asarray(picture).astype(int), axis=2).max()) > 20


def _written(folder: Path, pictures: Sequence[Any]) -> list[Path]:
    """Write arrays (y, x) as 8-bit PNG, each stretched to the full range unless it is uniform."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for number, picture in enumerate(pictures):
        values = np.asarray(picture, dtype=np.float64)
        low, high = float(values.min()), float(values.max())
        grey = (values - low) / (high - low) * 255 if high > low else values
        files.append(folder / f"{number:04d}.png")
        Image.fromarray(np.round(grey).astype(np.uint8)).save(files[-1])
    return files


def _ct_slices(data: Path) -> list[np.ndarray]:
    """Every fourth slice of the chest CT in a soft-tissue window."""
    from hounsfield.studies import read_study

    study = read_study(data / "chest_ct_nsclc" / "ct")
    array = next(series for series in study.series if series.modality == "CT").image().array
    return [np.clip(one, -160, 240) for one in array[::4]]


def _thigh_slices(data: Path) -> list[np.ndarray]:
    """Five slices across each T1 MR of the sarcoma patients."""
    import nibabel

    files = sorted((data / "sts").glob("*/MR_T1.nii.gz"))
    volumes = [np.asarray(nibabel.load(file).dataobj, dtype=np.float64) for file in files]
    return [
        volume[:, :, int(share * volume.shape[2])].T
        for volume in volumes
        for share in (0.2, 0.35, 0.5, 0.65, 0.8)
    ]


def right_and_changed(
    bundle: Bundle, data: Path, most: int, folder: Path
) -> Iterator[tuple[str, list[Path]]]:
    """The test part as it is, turned, mirrored, scaled, bordered, cut and inverted; and class "none"."""
    _, cases = cases_of_part(bundle, data)
    files = [case.image_path for case in cases]
    yield RIGHT, files
    chosen = set(thinned(files, most))
    pictures = [case.picture() for case in cases if case.image_path in chosen]
    for name, change in {
        "right, turned by 90 degrees": np.rot90,
        "right, turned by 180 degrees": lambda p: np.rot90(p, 2),
        "right, mirrored left and right": lambda p: p[:, ::-1],
        "right, half the size": lambda p: p[::2, ::2],
        "right, twice the size": lambda p: np.kron(p, np.ones((2, 2))),
        "right, with a black border of 30 pixels": lambda p: np.pad(p, 30),
        "right, 20 pixels cut from each side": lambda p: p[20:-20, 20:-20],
        "right, brightened (square root)": np.sqrt,
        "right, inverted grey": lambda p: 255 - p,
    }.items():
        yield name, _written(folder / name.replace(" ", "_"), [change(picture) for picture in pictures])
    table_rows = (data / "brain_tumour_mri" / "labels.csv").read_text(encoding="utf-8").splitlines()[1:]
    none = [line.split(",")[0] for line in table_rows if line.split(",")[1] == "none"]
    yield (
        "head MR without tumour, other sequences (class none)",
        thinned([data / "brain_tumour_mri" / n for n in none], most),
    )


def update_card(bundle: Bundle, rows: Sequence[Row]) -> Bundle:
    """Write the foreign sets into the guard's part of the card.

    A set stays as it is where the card holds it with more pictures.
    """
    guard = bundle.card.guard
    if guard is None:
        raise SystemExit(f"bundle {bundle.name} holds no guard")
    sets = {item.name: item for item in guard.detection}
    for row in rows:
        if row.name == RIGHT or row.name.startswith(CHANGED):
            continue
        if row.name not in sets or sets[row.name].n <= row.n_pictures:
            sets[row.name] = row.as_detection()
    return write_bundle(
        bundle.folder,
        card=bundle.card.model_copy(
            update={"guard": guard.model_copy(update={"detection": tuple(sets.values())})}
        ),
        weights=bundle.weights(),
        guard_arrays=bundle.guard_arrays(),
    )


def main() -> None:
    """Read every set and print the table."""
    parser = with_data_option(argparse.ArgumentParser(description=__doc__))
    parser.add_argument("--most", type=int, default=60, help="most pictures of one set (default 60)")
    parser.add_argument("--update-card", action="store_true", help="write the table into the model's card")
    options = parser.parse_args()
    bundle = open_bundle(find_bundle(NAME))
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for sets in (
            right_and_changed(bundle, options.data, options.most, folder),
            sets_of_files(options.data, options.most),
            made_sets(options.data, options.most, folder),
        ):
            rows += [judge(name, files) for name, files in sets if files]
    inputs = f"{sum(row.n_pictures for row in rows)} pictures; bundle {bundle.name} {bundle.version} {bundle.digest[:16]}"
    print(heading("Foreign pictures refused, through hounsfield.read", inputs=inputs))
    lines = [
        (
            row.name,
            row.n_pictures,
            f"{row.n_refused / row.n_pictures:.1%}",
            f"{row.interval[0]:.1%} to {row.interval[1]:.1%}",
            row.n_by_guard,
            row.n_refused - row.n_by_guard,
        )
        for row in rows
    ]
    print(table(("pictures", "n", "refused", "95 % interval", "by the guard", "by other gates"), lines))
    if options.update_card:
        written = update_card(open_bundle(find_bundle(NAME)), rows)
        print(f"\ncard of {written.name} written anew: digest {written.digest}")


if __name__ == "__main__":
    main()
