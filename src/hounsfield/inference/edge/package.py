"""Writing the one file: the runner, the model, what the card says of pictures, and a picture with its answer."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import UsageError
from hounsfield.inference.edge import runner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from hounsfield.zoo import Bundle

# A logit of a picture may differ so much from machine to machine: the order of sums; in int8 which way a tie is rounded.
GOLDEN_TOLERANCE = {"fp32": 0.01, "int8": 0.25}
_TEMPERATURES = {"identity": 1.0}  # besides "temperature", whose parameter it is
_SHEBANG = b"#!/usr/bin/env python3\n"
_WHEN = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can state: equal contents give equal files


@dataclass(frozen=True, slots=True)
class EdgeFacts:
    """The written package: its file, its size in bytes and the SHA-256."""

    file: Path
    n_bytes: int
    sha256: str

    def to_json(self) -> dict[str, Any]:
        """Name, size and digest."""
        return {"file": self.file.name, "bytes": self.n_bytes, "sha256": self.sha256}


def write_edge_package(
    file: Path, bundle: Bundle, model: Mapping[str, bytes], *, precision: str = "fp32"
) -> EdgeFacts:
    """Write a package that reads pictures as the bundle does, and check that it does so on a picture of its own.

    file: to be written, `*.pyz`. model: `model.onnx`, or `model.xml` and `model.bin`, with the outputs of
    `runtimes.WholeAnswer`. Raises UsageError for a bundle whose preprocessing the runner does not know.
    """
    settings = _settings(bundle, "openvino" if "model.xml" in model else "onnxruntime", precision)
    picture = _golden_picture(int(settings["preprocessing"]["size_px"]))
    parts = dict(model)
    parts["golden.npz"] = _npz(picture=picture, logits=np.zeros(len(settings["classes"])))
    first = {**settings, "golden_tolerance": float("inf")}
    _write(file, first, parts)
    logits = runner.Package(file).read(picture)["logits"]
    parts["golden.npz"] = _npz(picture=picture, logits=np.asarray(logits))
    _write(file, settings, parts)
    runner.Package(file)
    content = file.read_bytes()
    return EdgeFacts(file, len(content), hashlib.sha256(content).hexdigest())


def _settings(bundle: Bundle, runtime: str, precision: str) -> dict[str, Any]:
    card = bundle.card
    given = card.picture
    is_plain = given.normalisation == "percentile-zscore" and getattr(given, "channels", 1) == 1
    if not is_plain:
        raise UsageError(
            f"bundle {card.name} prepares pictures in a way that the edge runner does not know ({given.normalisation}): "
            "export it to onnx or openvino without --edge"
        )
    missing = ["the input guard: a picture of another kind is answered too"] if card.guard is not None else []
    temperature = None
    if card.calibrator is not None:
        name = card.calibrator.name
        temperature = _TEMPERATURES.get(name, card.calibrator.parameters.get("temperature"))
        if name not in {*_TEMPERATURES, "temperature"}:
            missing.append(f"the calibrator {name}: logits are given, and no probabilities")
    return {
        "model": f"{card.name} {card.version}",
        "bundle_sha256": bundle.digest,
        "classes": list(card.class_names),
        "runtime": runtime,
        "precision": precision,
        "preprocessing": {
            "size_px": given.size_px,
            "percentiles": [given.percentile_low, given.percentile_high],
        },
        "test_time_flips": card.inference.test_time_flips,
        "mask_threshold": card.inference.mask_threshold,
        "temperature": temperature,
        "golden_tolerance": GOLDEN_TOLERANCE[precision],
        "not_checked": missing,
    }


def _golden_picture(size: int) -> NDArray[np.float32]:
    """A bright ellipse with texture and a spot, higher than wide: nothing clinical, the same each time."""
    rng = np.random.default_rng(12)
    height, width = size + size // 4, size
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    body = (y**2 + x**2 < 0.8) * (80 + rng.normal(0, 8, (height, width)))
    return np.asarray(body + 90 * ((y - 0.2) ** 2 + (x + 0.3) ** 2 < 0.02), dtype=np.float32)


def _npz(**arrays: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]  # its stub takes a flag where names may be
    return stream.getvalue()


def _write(file: Path, settings: Mapping[str, Any], parts: Mapping[str, bytes]) -> None:
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(parts.items())}
    stream = io.BytesIO(_SHEBANG)
    stream.seek(0, io.SEEK_END)
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as stored:
        source = Path(runner.__file__).read_bytes()
        described = json.dumps({**settings, "files": digests}, indent=1).encode()
        for name, content in {"__main__.py": source, "package.json": described, **parts}.items():
            stored.writestr(zipfile.ZipInfo(name, _WHEN), content, zipfile.ZIP_DEFLATED)
    file.write_bytes(stream.getvalue())
