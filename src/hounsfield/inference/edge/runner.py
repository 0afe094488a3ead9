"""Reads pictures with the model that lies beside it: `python MODEL.pyz PICTURE...` prints one line of JSON for each.

It needs numpy, Pillow and onnxruntime or openvino; no torch. At start the package reads its own picture and compares
the answer with the one that it was made with. Research use only. Not a medical device.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Run = Callable[[NDArray[np.float32]], list[NDArray[np.float32]]]

LARGEST_FILE_BYTES = 256 * 1024**2
LARGEST_PICTURE_PIXELS = 100_000_000
RESEARCH_USE = "Research use only. Not a medical device."


class Refused(Exception):
    """The package or a picture cannot be used; the message says why and what to do."""


def fit_picture(
    picture: NDArray[Any], size: int, percentiles: tuple[float, float]
) -> tuple[NDArray[np.float32], tuple[int, int, int, int]]:
    """The picture (y, x) on a square, its percentiles at 0 and 1; and top, left, height and width of its place there.

    The same arithmetic as the project's own, which a test holds it to.
    """
    values = np.asarray(picture, dtype=np.float32)
    low, high = (float(value) for value in np.percentile(values, percentiles))
    if not high > low:
        raise Refused("the picture has no contrast: check that the file holds an image")
    scaled = np.clip((values - low) / (high - low), 0.0, 1.0)
    scale = size / max(scaled.shape)
    height, width = (max(1, round(n * scale)) for n in scaled.shape)
    top, left = (size - height) // 2, (size - width) // 2
    square = np.zeros((size, size), dtype=np.float32)
    square[top : top + height, left : left + width] = resized(scaled, height, width)
    return square, (top, left, height, width)


def resized(values: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Values (y, x) on another number of pixels."""
    if values.shape == (height, width):
        return values
    whole = Image.fromarray(np.ascontiguousarray(values, dtype=np.float32))
    return np.asarray(whole.resize((width, height), Image.Resampling.BILINEAR), dtype=np.float32)


def probabilities(logits: NDArray[Any], temperature: float) -> NDArray[np.float64]:
    """Of classes that exclude each other, from logits (classes,)."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    shares = np.exp(scaled - scaled.max())
    return np.asarray(shares / shares.sum(), dtype=np.float64)


def inside(mask_logits: NDArray[Any]) -> NDArray[np.float64]:
    """Foreground probability of each pixel."""
    shares: NDArray[np.float64] = 1 / (1 + np.exp(-np.asarray(mask_logits, dtype=np.float64)))
    return shares


class Package:
    """What lies in the package. settings: of package.json; run: the model, from (n, 1, size, size) to its outputs."""

    def __init__(self, file: Path) -> None:
        with zipfile.ZipFile(file) as stored:
            self.settings: dict[str, Any] = json.loads(stored.read("package.json"))
            parts = {name: stored.read(name) for name in self.settings["files"]}
        for name, digest in self.settings["files"].items():
            if hashlib.sha256(parts[name]).hexdigest() != digest:
                raise Refused(f"{name} in {file.name} was altered: get the package again")
        self.golden = np.load(io.BytesIO(parts["golden.npz"]), allow_pickle=False)
        self.run: Run = _openvino(parts) if self.settings["runtime"] == "openvino" else _onnxruntime(parts)
        self.check()

    def check(self) -> float:
        """Read the package's own picture; the largest difference of its logits. Raises Refused where it is too large."""
        answer = self.read(self.golden["picture"])
        apart = float(np.abs(np.asarray(answer["logits"]) - self.golden["logits"]).max())
        if not apart <= self.settings["golden_tolerance"]:
            raise Refused(
                f"this machine gives other numbers than the one that made the package: logits of its own picture differ by "
                f"{apart:.3g}, {self.settings['golden_tolerance']:.3g} is allowed. Do not use it here; tell who made it."
            )
        return apart

    def read(self, picture: NDArray[Any]) -> dict[str, Any]:
        """Logits and, where the card has a calibrator, probabilities of a picture (y, x); share of it that is outlined."""
        given = self.settings["preprocessing"]
        square, (top, left, height, width) = fit_picture(
            picture, given["size_px"], tuple(given["percentiles"])
        )
        batch = square[None, None]
        outputs = self.run(batch)
        logits: NDArray[Any] = outputs[0]
        outline = outputs[2] if len(outputs) > 2 else None
        shares_inside: NDArray[Any] | None = None if outline is None else inside(outline)
        if self.settings["test_time_flips"]:
            mirrored = self.run(np.ascontiguousarray(batch[..., ::-1]))
            logits = (logits + mirrored[0]) / 2
            if shares_inside is not None:
                shares_inside = (shares_inside + inside(mirrored[2])[..., ::-1]) / 2
        logits = logits[0]
        answer: dict[str, Any] = {"logits": [float(value) for value in logits]}
        if self.settings["temperature"] is not None:
            shares = probabilities(logits, self.settings["temperature"])
            answer["probabilities"] = dict(zip(self.settings["classes"], map(float, shares), strict=True))
        if shares_inside is not None:
            on_picture = shares_inside[0, 0, top : top + height, left : left + width]
            answer["outlined_share"] = float((on_picture >= self.settings["mask_threshold"]).mean())
        return answer


def _onnxruntime(parts: dict[str, bytes]) -> Run:
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 3
    session = onnxruntime.InferenceSession(parts["model.onnx"], settings, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda batch: list(session.run(None, {name: batch}))


def _openvino(parts: dict[str, bytes]) -> Run:
    import openvino

    core = openvino.Core()
    model = core.read_model(parts["model.xml"], parts["model.bin"])
    # In 32 bits where the model does not say otherwise: a machine with bfloat16 would give other numbers.
    hints = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    request = core.compile_model(model, "CPU", hints).create_infer_request()

    def run(batch: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        request.infer({0: batch})
        return [np.array(request.get_output_tensor(k).data) for k in range(len(request.model_outputs))]

    return run


def grey(file: Path) -> NDArray[np.float32]:
    """A picture file as one grey value a pixel (y, x)."""
    if file.stat().st_size > LARGEST_FILE_BYTES:
        raise Refused(f"{file.name} has more than {LARGEST_FILE_BYTES} bytes: it is no picture")
    Image.MAX_IMAGE_PIXELS = LARGEST_PICTURE_PIXELS
    try:
        with Image.open(file) as picture:
            deep = picture.mode.startswith(("I", "F"))
            values = np.asarray(picture if deep else picture.convert("L"), dtype=np.float32)
    except (OSError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Refused(f"{file.name} is no picture that can be read: give PNG, JPEG or TIFF") from error
    if values.ndim != 2:
        raise Refused(f"{file.name} holds several pictures: give one")
    return values


def peak_memory_mb() -> float:
    """Most memory of this process so far, in MB of 1e6 bytes."""
    try:
        # Linux: what `getrusage` tells counts the process that started this one too.
        lines = Path("/proc/self/status").read_text("ascii").splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) * 1024 / 1e6
    except (OSError, StopIteration):
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def main(arguments: list[str], file: Path) -> int:
    """Read the pictures; 0 if all were read, 2 without any, 3 if the package cannot be used here, 4 if a picture cannot."""
    if not arguments:
        sys.stdout.write(f"{__doc__}\n")
        return 2
    try:
        package = Package(file)
    except Refused as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 3
    told = {"model": package.settings["model"], "package_mb": round(file.stat().st_size / 1e6, 2)}
    n_refused = 0
    for name in arguments:
        started = time.perf_counter()
        try:
            answer: dict[str, Any] = package.read(grey(Path(name)))
        except (Refused, OSError) as refusal:
            answer = {"refused": str(refusal)}
            n_refused += 1
        latency_ms = round(1000 * (time.perf_counter() - started), 1)
        measured = {"latency_ms": latency_ms, "peak_memory_mb": round(peak_memory_mb(), 1)}
        notes = {"not_checked": package.settings["not_checked"], "use": RESEARCH_USE}
        sys.stdout.write(
            json.dumps({"picture": Path(name).name, **told, **answer, **measured, **notes}) + "\n"
        )
    return 4 if n_refused else 0


if __name__ == "__main__":
    # A package is a zip that Python runs: the file it was started with is the package itself.
    sys.exit(main(sys.argv[1:], Path(sys.argv[0])))
