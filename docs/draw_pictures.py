"""Draw the pictures of README and docs from phantoms.

    .venv/bin/python docs/draw_pictures.py

Those of README are of a report as `hounsfield read` writes it, side by side; those of the page of phantoms are slices
with the true regions outlined (phantom_sheets.py). Name kinds to draw only those: docs/draw_pictures.py head-ct
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from phantom_sheets import save_sheet
from PIL import Image

from hounsfield.phantoms import phantom_kinds, write_phantom
from hounsfield.pipeline import run

PICTURES = Path(__file__).resolve().parent / "pictures"
HEIGHT_PX = 420
GAP_PX = 8


def side_by_side(paths: list[Path]) -> Image.Image:
    """One picture of several, all HEIGHT_PX high."""
    tiles = [Image.open(path).convert("RGB") for path in paths]
    tiles = [tile.resize((round(tile.width * HEIGHT_PX / tile.height), HEIGHT_PX)) for tile in tiles]
    width = sum(tile.width for tile in tiles) + GAP_PX * (len(tiles) - 1)
    sheet = Image.new("RGB", (width, HEIGHT_PX), "white")
    x = 0
    for tile in tiles:
        sheet.paste(tile, (x, 0))
        x += tile.width + GAP_PX
    return sheet


def draw_chest_phantom() -> None:
    """docs/pictures/chest-phantom.png: both lungs of the chest phantom in three planes."""
    with tempfile.TemporaryDirectory() as folder:
        study, out = Path(folder, "study"), Path(folder, "out")
        write_phantom("chest-ct", study, seed=1, n_slices=150, matrix_px=384)
        run(study, applications=["lung_ct"], out=out)
        planes = [next(out.rglob(f"pictures/*{plane}.png")) for plane in ("axial", "coronal", "sagittal")]
        side_by_side(planes).quantize(128).save(PICTURES / "chest-phantom.png", optimize=True)


def draw_phantoms(kinds: list[str]) -> None:
    """docs/pictures/phantoms/KIND.png of every kind."""
    folder = PICTURES / "phantoms"
    folder.mkdir(parents=True, exist_ok=True)
    for kind in kinds:
        save_sheet(kind, folder / f"{kind}.png")


if __name__ == "__main__":
    if not sys.argv[1:]:
        draw_chest_phantom()
    draw_phantoms(sys.argv[1:] or [kind.card.name for kind in phantom_kinds])
