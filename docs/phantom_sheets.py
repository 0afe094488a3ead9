"""One picture of every kind of phantom: four slices or images, and below them the same with the true regions outlined.

What the truth of the kind holds is kept as text in the picture, for docs/generate.py to tell in a table.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from hounsfield.phantoms import PhantomStudy, write_phantom

TILE_PX, GAP_PX, N_TILES, SEED = 132, 4, 4, 1
LARGEST_BYTES = 60_000
# Colours of outlines, repeated where there are more regions.
COLOURS = ((255, 90, 80), (90, 200, 255), (255, 210, 60), (120, 230, 120), (230, 130, 255), (255, 160, 90))
SMALL_PART = 0.03
# The same in the truth of every kind.
USUAL_KEYS = frozenset(
    {"notice", "kind", "parameters", "parameters_sha256", "trouble", "grid", "images", "day"}
)


def truth_keys(truth: dict) -> list[str]:
    """What the truth of a kind holds besides the usual; keys of its several images follow an arrow."""
    images = list(truth.get("images", {}).values())
    of_images = {key for image in images for key in image} - USUAL_KEYS
    return [*sorted(set(truth) - USUAL_KEYS), *(f"images > {key}" for key in sorted(of_images))]


def evenly(n: int, most: int) -> list[int]:
    """At most that many of n places, evenly and away from the ends."""
    if n <= most:
        return list(range(n))
    return [int((n - 1) * (0.5 + i) / most + 0.5) for i in range(most)]


def fullest_slice(image) -> int:
    """The slice that shows most of the true regions; the middle one where there are none."""
    masks = [mask.reshape(mask.shape[0], -1).sum(axis=1) for mask in image.masks.values() if mask.any()]
    if not masks:
        return stack_of(image).shape[0] // 2
    return int(np.argmax(sum(areas / areas.max() for areas in masks)))


def stack_of(image) -> np.ndarray:
    """The array as slices or frames (z, y, x)."""
    array = np.asarray(image.array, dtype=np.float64)
    if array.ndim == 4:
        array = array.mean(axis=-1)
    return array if array.ndim == 3 else array[None]


def places_of(phantom) -> list[tuple[object, int]]:
    """Images and slices that are drawn."""
    if isinstance(phantom, PhantomStudy):
        images = list(phantom.images.values())
        chosen = [images[i] for i in evenly(len(images), N_TILES)]
        return [(image, fullest_slice(image)) for image in chosen]
    return [(phantom, k) for k in evenly(stack_of(phantom).shape[0], N_TILES)]


def window_of(image, folder: Path) -> tuple[float, float]:
    """Lowest and highest value shown: the first window of the files for HU, percentiles for the rest."""
    if image.unit == "HU":
        header = pydicom.dcmread(min(folder.rglob("*.dcm")), stop_before_pixels=True)
        centre, width = (np.atleast_1d(header[name].value)[0] for name in ("WindowCenter", "WindowWidth"))
        return float(centre) - float(width) / 2, float(centre) + float(width) / 2
    low, high = np.percentile(stack_of(image), [1.0, 99.5])
    return float(low), float(max(high, low + 1e-6))


def tile(picture: np.ndarray, spacing_yx: tuple[float, float], *, smooth: bool) -> Image.Image:
    """A picture in a square of TILE_PX with the proportions that it has in millimetres."""
    height, width = (n * spacing for n, spacing in zip(picture.shape[:2], spacing_yx, strict=True))
    scale = TILE_PX / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    how = Image.Resampling.BOX if smooth else Image.Resampling.NEAREST
    return Image.fromarray(picture).resize(size, how)


def drawn_masks(image) -> list[np.ndarray]:
    """The three smallest regions, and all others that are small: outlines of everything would hide the picture."""
    masks = sorted((mask for mask in image.masks.values() if mask.any()), key=lambda mask: int(mask.sum()))
    return [mask for i, mask in enumerate(masks) if i < 3 or mask.mean() < SMALL_PART]


def outlined(grey: Image.Image, image, k: int, spacing_yx: tuple[float, float]) -> Image.Image:
    """The tile with the border of every region of that slice in its colour."""
    shown = np.stack([np.asarray(grey)] * 3, axis=-1)
    for number, mask in enumerate(drawn_masks(image)):
        within = np.asarray(tile(mask[k].astype(np.uint8) * 255, spacing_yx, smooth=False)) > 0
        padded = np.pad(within, 1, mode="edge")
        inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
        shown[within & ~inner] = COLOURS[number % len(COLOURS)]
    return Image.fromarray(shown)


def sheet(phantom, folder: Path) -> Image.Image:
    """Slices or images in a row; below, the same with outlines where the phantom has masks."""
    places = places_of(phantom)
    n_rows = 2 if any(image.masks for image, _ in places) else 1
    step_px = TILE_PX + GAP_PX
    whole = Image.new("RGB", (len(places) * step_px - GAP_PX, n_rows * step_px - GAP_PX))
    for column, (image, k) in enumerate(places):
        picture = stack_of(image)[k]
        low, high = window_of(image, folder)
        grey = np.clip((picture - low) / (high - low) * 255, 0, 255).astype(np.uint8)
        spacing_yx = tuple(image.grid.spacing_mm[1:]) if image.grid.affine is not None else (1.0, 1.0)
        small = tile(grey, spacing_yx, smooth=True)
        for row in range(n_rows):
            drawn = outlined(small, image, k, spacing_yx) if row else small.convert("RGB")
            corner = (
                column * step_px + (TILE_PX - small.width) // 2,
                row * step_px + (TILE_PX - small.height) // 2,
            )
            whole.paste(drawn, corner)
    return whole


def make_sheet(kind: str) -> tuple[Image.Image, list[str]]:
    """The picture of a kind with its usual parameters, and the keys of its truth."""
    with tempfile.TemporaryDirectory() as folder:
        phantom = write_phantom(kind, Path(folder, "study"), seed=SEED)
        return sheet(phantom, Path(folder, "study", "dicom")), truth_keys(dict(phantom.truth))


def save_sheet(kind: str, to: Path) -> None:
    """Write the picture of a kind as a small PNG."""
    picture, keys = make_sheet(kind)
    info = PngInfo()
    info.add_text("Title", f"Synthetic: phantom {kind}. Research use only.")
    info.add_text("Truth", json.dumps(keys))
    for n_greys in (96, 64, 32, 24, 16):
        in_few_colours(picture, n_greys).save(to, optimize=True, pnginfo=info)
        if to.stat().st_size < LARGEST_BYTES:
            break


def in_few_colours(picture: Image.Image, n_greys: int) -> Image.Image:
    """The picture in evenly spaced greys and the colours of the outlines."""
    greys = np.rint(np.linspace(0, 255, n_greys)).astype(int)
    palette = Image.new("P", (1, 1))
    palette.putpalette(
        [int(v) for grey in greys for v in (grey, grey, grey)] + [v for one in COLOURS for v in one]
    )
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)
