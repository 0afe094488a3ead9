"""report.html, report.pdf and pictures/*.png: what people look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.results.writer import Context, file_stems, result_writer

if TYPE_CHECKING:
    from pathlib import Path


@result_writer("pages")
def write_pages(context: Context, folder: Path) -> list[Path]:
    """Write the pages as `reports` drafted them, and each picture as PNG."""
    from PIL import Image as Raster

    documents = context.documents
    html, pdf = folder / "report.html", folder / "report.pdf"
    html.write_bytes(documents.html)
    pdf.write_bytes(documents.pdf)
    paths = [html, pdf]
    for stem, picture in zip(
        file_stems([p.name for p in documents.pictures]), documents.pictures, strict=True
    ):
        path = folder / "pictures" / f"{stem}.png"
        path.parent.mkdir(exist_ok=True)
        Raster.fromarray(picture.rgb).save(path)
        paths.append(path)
    return paths
