"""Every set of pictures in the data folder, as files without header, and what each is to a model's guard."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hounsfield.datasets import Case

# right: the model's own test part. related: right pictures that were changed, and the same kind from elsewhere.
Kind = Literal["right", "related", "foreign"]
N_MADE = 50
FILM_MODALITIES = ("CR", "DX")
FEWEST_PIXELS = 24  # a smaller side is an icon or a strip, no picture


@dataclass(frozen=True)
class PictureSet:
    """Files of one set with the group (patient, volume) of each; pictures of one group are not independent."""

    name: str
    kind: Kind
    files: tuple[Path, ...]
    groups: tuple[str, ...]

    def thinned(self, most: int) -> PictureSet:
        """At most `most` of the files, evenly spaced."""
        chosen = thinned(range(len(self.files)), most)
        return PictureSet(
            self.name,
            self.kind,
            tuple(self.files[index] for index in chosen),
            tuple(self.groups[index] for index in chosen),
        )


def thinned(items: Sequence[Any], most: int) -> list[Any]:
    """At most `most` of the items, evenly spaced."""
    if len(items) <= most:
        return list(items)
    return [items[index] for index in np.linspace(0, len(items) - 1, most).astype(int)]


def written(folder: Path, pictures: Sequence[Any]) -> list[Path]:
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


def sets_of_files(data: Path) -> Iterator[PictureSet]:
    """The sets that are files already, grouped as their tables say."""
    for folder, title in {
        "nih_cxr": "chest films (NIH)",
        "covid_cxr": "chest films (COVID-19)",
        "head_ct_haemorrhage": "head CT",
        "breast_us": "breast ultrasound",
        "mias_mammography": "mammograms (MIAS)",
    }.items():
        yield _listed(title, data / folder, "labels.csv")
    patches = sorted((data / "mias_mammography" / "patches").glob("*.*"))
    groups = _column(data / "mias_mammography" / "patches.csv", "group_id")
    yield _foreign("patches of mammograms (MIAS)", patches, [groups.get(p.name, p.name) for p in patches])
    rows = _rows(data / "brain_tumour_mri" / "labels.csv")
    none = [row for row in rows if row["label"] == "none"]
    yield _foreign(
        "head MR without tumour, other sequences (class none)",
        [data / "brain_tumour_mri" / row["file"] for row in none],
        [row["group_id"] for row in none],
    )
    density = sorted((data / "models" / "breast_density_histogram" / "images").glob("*.png"))
    yield _foreign("mammogram of four views", density, ["one"] * len(density))
    originals = sorted(p for p in (data / "originals_2d").iterdir() if p.suffix in {".png", ".jpg"})
    others = [p for p in originals if not p.name.startswith(("brain_", "nih_", "covid_"))]
    yield _foreign("full-size originals of ultrasound, head CT and mammograms", others)


def _rows(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def _column(table: Path, name: str) -> dict[str, str]:
    return {Path(row["file"]).name: row[name] for row in _rows(table) if name in row and "file" in row}


def _listed(title: str, folder: Path, table: str) -> PictureSet:
    rows = [row for row in _rows(folder / table) if (folder / row["file"]).is_file()]
    groups = [row.get("group_id") or row.get("patient_id") or row["file"] for row in rows]
    return _foreign(title, [folder / row["file"] for row in rows], groups)


def _foreign(name: str, files: Sequence[Path], groups: Sequence[str] | None = None) -> PictureSet:
    own = tuple(groups) if groups is not None else tuple(str(file) for file in files)
    return PictureSet(name, "foreign", tuple(files), own)


def sets_of_volumes(data: Path, folder: Path) -> Iterator[PictureSet]:
    """Slices of every CT, MR and PET in the data folder, as pictures."""
    chest = sorted((data / "chest_ct_nsclc" / "ct").glob("*.dcm"))[::4]
    yield _drawn("CT slices of the chest", folder / "ct", [("one", _soft_tissue(_pixels(f))) for f in chest])
    volumes: dict[str, tuple[Sequence[Path], Callable[[Any], Any]]] = {
        "T1 MR slices of the thigh": (sorted((data / "sts").glob("*/MR_T1.nii.gz")), _as_is),
        "CT slices of limbs and trunk (sarcoma)": (sorted((data / "sts").glob("*/CT.nii.gz")), _soft_tissue),
        "PET slices (sarcoma)": (sorted((data / "sts").glob("*/PET.nii.gz")), _as_is),
        "CT slices of trunk, spine and aorta (TotalSegmentator)": (
            sorted((data / "totalsegmentator").glob("*/ct.nii.gz")),
            _soft_tissue,
        ),
        "MR slices of the trunk (TotalSegmentator)": (
            sorted((data / "totalsegmentator").glob("*/mr.nii.gz")),
            _as_is,
        ),
        "head T1 MR without contrast medium or tumour": (
            [data / "models" / "meshnet_t1" / "t1_crop.nii.gz"],
            _as_is,
        ),
        "CT crop of a lung nodule (LIDC)": (
            [data / "lung_nodule_marks" / "lidc_0314_ct.nii.gz"],
            _soft_tissue,
        ),
    }
    for name, (files, window) in volumes.items():
        slices = [(file.parent.name, window(one)) for file in files for one in _across(_volume(file))]
        yield _drawn(name, folder / name.replace(" ", "_"), slices)
    images = sorted((data / "pyradiomics").glob("*image.nrrd"))
    brains = [file for file in images if file.name.startswith("brain")]
    yield _drawn("head MR with a lesion, from elsewhere (PyRadiomics)", folder / "head", _nrrd(brains))
    others = [file for file in images if file not in brains]
    yield _drawn("breast and lung (PyRadiomics)", folder / "radiomics", _nrrd(others))
    raw = sorted((data / "sts_raw_pet" / "pet").glob("*.dcm"))[::3]
    yield _drawn("raw PET slices", folder / "raw-pet", [("one", _pixels(file)) for file in raw])
    scan = sorted((data / "ibsi_phantoms" / "ct_phantom").rglob("*.dcm"))
    slices = [("one", _soft_tissue(picture)) for _, picture in list(_readable(scan))[::3]]
    yield _drawn("CT of a lung tumour (IBSI)", folder / "ibsi", slices)
    odd = [file for file in sorted((data / "odd_dicom").rglob("*")) if file.is_file()]
    shown = [(name, np.clip(one, *np.percentile(one, [0.5, 99.5]))) for name, one in _readable(odd)]
    yield _drawn("DICOM files of nineteen modalities", folder / "odd", shown)


def _as_is(picture: Any) -> Any:
    return picture


def _soft_tissue(picture: Any) -> Any:
    return np.clip(picture, -160, 240)


def _pixels(file: Path) -> Any:
    """The first frame's stored values with slope and intercept, (y, x); of colour the mean over channels."""
    import pydicom

    header = pydicom.dcmread(file)
    if header.get("Modality") in FILM_MODALITIES:
        raise ValueError("a film, which may be of the kind that a model reads")
    array = np.asarray(header.pixel_array, dtype=np.float64)
    if int(getattr(header, "NumberOfFrames", 1) or 1) > 1:
        array = array[len(array) // 2]
    if array.ndim == 3:
        array = array.mean(axis=-1)
    return array * float(getattr(header, "RescaleSlope", 1) or 1) + float(
        getattr(header, "RescaleIntercept", 0) or 0
    )


def _readable(files: Sequence[Path]) -> Iterator[tuple[str, Any]]:
    """What can be decoded and is a picture; what other sets hold of the same study is not left out."""
    for file in files:
        try:
            picture = _pixels(file)
        except Exception:  # noqa: BLE001, S112 - odd files on purpose: what cannot be decoded is no picture here
            continue
        if picture.ndim == 2 and min(picture.shape) >= FEWEST_PIXELS:
            yield (file.parent.name if file.parent.parent.name == "series" else file.name), picture


def _volume(file: Path) -> Any:
    import nibabel

    # Rows and columns as on the screen for volumes stored along the body's axis: transposed and upright.
    return np.asarray(nibabel.load(file).dataobj, dtype=np.float64).squeeze()


def _across(volume: Any) -> list[Any]:
    """Five slices across each axis with whose others it makes a picture of at least FEWEST_PIXELS."""
    found = []
    for axis in range(3):
        sides = [side for k, side in enumerate(volume.shape) if k != axis]
        if min(sides) < FEWEST_PIXELS:
            continue
        places = {int(share * volume.shape[axis]) for share in (0.2, 0.35, 0.5, 0.65, 0.8)}
        found += [np.rot90(np.take(volume, place, axis=axis)) for place in sorted(places)]
    return [one for one in found if float(np.ptp(one)) > 0]


def _nrrd(files: Sequence[Path]) -> list[tuple[str, Any]]:
    import SimpleITK

    found = []
    for file in files:
        volume = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(file))).astype(np.float64)
        middle = range(volume.shape[0] // 4, 3 * volume.shape[0] // 4, max(1, volume.shape[0] // 10))
        found += [(file.name, volume[k]) for k in middle if float(np.ptp(volume[k])) > 0]
    return found


def _drawn(name: str, folder: Path, slices: Sequence[tuple[str, Any]]) -> PictureSet:
    large = [(group, one) for group, one in slices if min(one.shape) >= FEWEST_PIXELS]
    return _foreign(name, written(folder, [one for _, one in large]), [group for group, _ in large])


def made_sets(data: Path, folder: Path) -> Iterator[PictureSet]:
    """Small films, photographs, noise, even pictures."""
    with np.load(data / "nih_cxr_64" / "images.npz", allow_pickle=False) as held:
        images = held[held.files[0]]
    rows = thinned(_rows(data / "nih_cxr_64" / "labels.csv"), 200)
    small = written(folder / "small", [images[int(row["index"])] for row in rows])
    yield _foreign("chest films of 64 pixels (NIH)", small, [row["group_id"] for row in rows])
    colour = _photographs()
    yield _foreign("colour photographs", colour)
    grey = [np.asarray(Image.open(file).convert("L")) for file in colour]
    tiles = [
        (str(number), part)
        for number, one in enumerate(grey)
        for half in np.array_split(one, 2)
        for part in np.array_split(half, 3, 1)
    ]
    yield _drawn("photographs in grey, sixths", folder / "grey", tiles)
    rng = np.random.default_rng(0)
    shapes = rng.integers(96, 512, (N_MADE, 2))
    yield _foreign("noise", written(folder / "noise", [rng.integers(0, 256, shape) for shape in shapes]))
    smooth = [np.kron(rng.integers(0, 256, (8, 8)), np.ones((24, 24))) for _ in range(N_MADE)]
    yield _foreign("squares of random grey", written(folder / "squares", smooth))
    ramps = [
        np.add.outer(np.arange(192.0) * a, np.arange(192.0) * b) for a, b in rng.normal(0, 1, (N_MADE, 2))
    ]
    yield _foreign("even ramps", written(folder / "ramps", ramps))
    levels = [np.full((192, 192), level) for level in range(0, 250, 25)]
    yield _foreign("uniform", written(folder / "uniform", levels))


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


CHANGES: dict[str, Callable[[Any], Any]] = {
    "turned by 90 degrees": np.rot90,
    "turned by 180 degrees": lambda p: np.rot90(p, 2),
    "mirrored left and right": lambda p: p[:, ::-1],
    "half the size": lambda p: p[::2, ::2],
    "twice the size": lambda p: np.kron(p, np.ones((2, 2))),
    "with a black border of 30 pixels": lambda p: np.pad(p, 30),
    "20 pixels cut from each side": lambda p: p[20:-20, 20:-20],
    "brightened (square root)": np.sqrt,
    "inverted grey": lambda p: 255 - p,
}


def right_and_changed(cases: Sequence[Case], most: int, folder: Path, part: str) -> Iterator[PictureSet]:
    """A part of the model's own data as it is, then at most `most` of it, changed in each way."""
    files = tuple(case.image_path for case in cases)
    yield PictureSet(f"right: the {part} part", "right", files, tuple(case.group for case in cases))
    chosen = thinned(cases, most)
    pictures = [case.picture() for case in chosen]
    groups = tuple(case.group for case in chosen)
    for name, change in CHANGES.items():
        changed = written(folder / name.replace(" ", "_"), [change(picture) for picture in pictures])
        yield PictureSet(f"right, {name}", "related", tuple(changed), groups)
    outlined = [case for case in chosen if case.mask_path is not None]
    if outlined:
        painted = written(folder / "painted", [painted_over(c.picture(), c.mask()) for c in outlined])
        name = "right, the tumour painted over"
        yield PictureSet(name, "related", tuple(painted), tuple(case.group for case in outlined))


def painted_over(picture: Any, mask: Any) -> Any:
    """A picture (y, x) whose lesion is filled from its rim, with the grain of its surroundings."""
    from scipy.ndimage import binary_dilation, uniform_filter

    values = np.asarray(picture, dtype=np.float64)
    inside = binary_dilation(mask, iterations=4)
    rim = binary_dilation(inside, iterations=4) & ~inside
    filled = values.copy()
    filled[inside] = np.median(values[rim])
    for _ in range(400):
        around = sum(np.roll(filled, step, axis) for axis in (0, 1) for step in (-1, 1)) / 4
        filled[inside] = around[inside]
    grain = float((values - uniform_filter(values, 7))[rim].std())
    filled[inside] += np.random.default_rng(1).normal(0, grain, int(inside.sum()))
    return np.clip(filled, 0, 255)
