"""A bundle in a form that others run: ONNX, OpenVINO, TorchScript, in 32 bits or int8, or one file for a small box."""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from PIL import Image

from hounsfield.core.errors import ModelError, RefusedInput, UsageError
from hounsfield.inference.edge import EdgeFacts, write_edge_package
from hounsfield.inference.export_accuracy import Accuracy, judged_accuracy, picture_files, read_labels
from hounsfield.inference.preprocessing import prepare
from hounsfield.inference.runtimes import (
    TOLERANCES,
    OnnxRuntimePredictor,
    OpenVinoPredictor,
    TorchPredictor,
    WholeAnswer,
    exported_onnx,
    likeness,
    made_sample,
)
from hounsfield.inference.runtimes.int8 import quantised
from hounsfield.inference.runtimes.predictor import runtime_package
from hounsfield.inference.torch_model import TorchModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.inference.volume_model import VolumeModel
    from hounsfield.zoo import Bundle

Form = Literal["onnx", "openvino", "torchscript"]
FORMS: tuple[Form, ...] = ("onnx", "openvino", "torchscript")
DEFAULT_LIMIT = 0.005
REPORT_FILE = "export.json"


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What is asked for. to: the form. is_edge: one file that runs without torch. int8: 8-bit integers, OpenVINO alone.

    calibration: folder of pictures; every other one by name calibrates, the rest judges. labels: CSV with columns `file`
    and `label` for the latter. limit: by which the metric may fall.
    """

    to: Form
    is_edge: bool = False
    int8: bool = False
    calibration: Path | None = None
    labels: Path | None = None
    limit: float = DEFAULT_LIMIT

    def __post_init__(self) -> None:
        if self.to not in FORMS:
            raise UsageError(f"models are exported to {', '.join(FORMS)}; not to {self.to!r}")
        if self.int8 and self.to != "openvino":
            raise UsageError(
                "int8 is made for OpenVINO, where it is five times as fast; ONNX Runtime gains nothing by it: --to openvino"
            )
        if self.int8 != (self.calibration is not None):
            raise UsageError("--int8 and --calibration FOLDER belong together: give both or neither")
        if self.is_edge and self.to == "torchscript":
            raise UsageError("an edge package runs without torch: --to onnx or openvino")
        if self.labels is not None and not self.int8:
            raise UsageError("--labels judges int8: give --int8 and --calibration too")
        if not 0.0 <= self.limit <= 1.0:
            raise UsageError(f"the limit is {self.limit:g}; it is a share from 0 to 1")


@dataclass(frozen=True, slots=True)
class Export:
    """What was written: files by name with their SHA-256, how far from torch, and what int8 costs."""

    folder: Path
    bundle: Bundle
    request: ExportRequest
    files: dict[str, str]
    difference: dict[str, float]
    accuracy: Accuracy | None = None
    edge: EdgeFacts | None = field(default=None)

    def to_json(self) -> dict[str, Any]:
        """As `export.json` and `hu models export --json` hold it."""
        return {
            "model": self.bundle.name,
            "version": self.bundle.version,
            "bundle_sha256": self.bundle.digest,
            "to": self.request.to,
            "precision": "int8" if self.request.int8 else "fp32",
            "files": self.files,
            "difference": self.difference,
            "tolerance": TOLERANCES["int8" if self.request.int8 else "fp32"].to_json(),
            "accuracy": self.accuracy.to_json() if self.accuracy is not None else None,
            "edge": self.edge.to_json() if self.edge is not None else None,
            "research_use": "Research use only. Not a medical device.",
        }


def export_model(model: TorchModel | VolumeModel, out: Path, request: ExportRequest) -> Export:
    """Write the model into the folder `out`, which must be empty or new, with a report `export.json`.

    Of pictures the graph gives logits, features and, where it outlines, mask logits; of volumes the logits of a window. What
    was written is read again and compared with torch on a made sample. Raises ModelError where it differs by more than the
    stated tolerance, or where int8 costs more of the metric than the limit; nothing is left behind then.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is not an empty folder: give another one with --out")
    is_picture = isinstance(model, TorchModel)
    if not is_picture and (request.int8 or request.is_edge):
        raise UsageError("int8 and edge packages are for models of pictures: volumes gain nothing by them")
    network = (WholeAnswer(model.network) if is_picture else model.network).eval()
    sample = made_sample(_input_shape(model))
    if request.to == "torchscript":
        contents, found = _torchscript(network, sample)
        return _written(Export(out, model.bundle, request, {}, found), contents)
    graph = exported_onnx(network, sample, outputs=_names(model))
    accuracy = None
    if request.to == "onnx":
        contents = {"model.onnx": graph}
        found = _near(OnnxRuntimePredictor(graph), network, sample, "fp32")
    else:
        stored: Any = graph
        if request.int8:
            stored, accuracy = _int8(model, graph, request)
        precision = "int8" if request.int8 else "fp32"
        found = _near(OpenVinoPredictor(stored, precision=precision), network, sample, precision)
        contents = _openvino_files(stored)
    return _written(Export(out, model.bundle, request, {}, found, accuracy), contents)


def _input_shape(model: TorchModel | VolumeModel) -> tuple[int, ...]:
    if isinstance(model, TorchModel):
        card = model.bundle.card.picture
        return (1, int(getattr(card, "channels", 1)), card.size_px, card.size_px)
    settings = model.inference.windows
    if settings is None:
        raise UsageError(
            f"bundle {model.name} sees a whole volume at once, of any size: a graph has fixed sides. Run it with torch."
        )
    sides = settings.patch_zyx[1:] if settings.dims == 2 else settings.patch_zyx
    return (1, len(model.preprocessing.channels), *sides)


def _names(model: TorchModel | VolumeModel) -> tuple[str, ...]:
    if not isinstance(model, TorchModel):
        return ("logits",)
    return ("logits", "features", *(("mask_logits",) if getattr(model.network, "gives_mask", False) else ()))


def _near(
    predictor: Any, network: torch.nn.Module, sample: NDArray[np.float32], precision: str
) -> dict[str, float]:
    near = likeness(predictor(sample), TorchPredictor(network)(sample))
    # What int8 costs is judged on the user's pictures; the made sample only shows that the graph is whole.
    if precision == "fp32" and not near.within(TOLERANCES["fp32"]):
        raise ModelError(
            f"the exported model differs from torch: {near}. It was not kept; run the bundle itself."
        )
    return near.to_json()


def _int8(model: TorchModel | VolumeModel, graph: bytes, request: ExportRequest) -> tuple[Any, Accuracy]:
    files = picture_files(request.calibration or Path())
    labels = read_labels(request.labels, model.classes) if request.labels is not None else None
    if labels is not None:
        files = [file for file in files if file.name in labels]
    inputs = {file.name: _input(model, file) for file in files}
    names = list(inputs)
    stored = quantised(graph, [inputs[name] for name in names[::2]])
    accuracy = judged_accuracy(
        OpenVinoPredictor(graph),
        OpenVinoPredictor(stored, precision="int8"),
        {name: inputs[name] for name in names[1::2]},
        labels,
        request.limit,
    )
    if not accuracy.is_kept:
        raise ModelError(
            f"int8 costs too much: {accuracy.metric} falls from {accuracy.before:.4f} to {accuracy.after:.4f} on "
            f"{accuracy.n} pictures, {accuracy.limit:g} is allowed. Export without --int8, calibrate with more pictures, or "
            "raise --limit."
        )
    return stored, accuracy


def _input(model: TorchModel | VolumeModel, file: Path) -> NDArray[np.float32]:
    try:
        with Image.open(file) as picture:
            values = np.asarray(picture.convert("L"), dtype=np.float32)
        prepared = prepare(values, model.bundle.card.picture)
    except (OSError, Image.DecompressionBombError, RefusedInput) as error:
        raise UsageError(
            f"{file.name} cannot calibrate this model ({error}): take it out of the folder"
        ) from error
    channels = getattr(prepared, "channels", prepared.pixels[None])
    return np.ascontiguousarray(channels[None], dtype=np.float32)


def _torchscript(
    network: torch.nn.Module, sample: NDArray[np.float32]
) -> tuple[dict[str, bytes], dict[str, float]]:
    stream = io.BytesIO()
    try:
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")  # of sizes that become fixed
            traced = torch.jit.trace(network, torch.from_numpy(sample), check_trace=False)
            torch.jit.save(traced, stream)
            stream.seek(0)
            again = torch.jit.load(stream)
    except RuntimeError as error:
        raise ModelError(f"the network has no TorchScript form ({str(error).splitlines()[0]})") from error
    return {"model.pt": stream.getvalue()}, _near(TorchPredictor(again), network, sample, "fp32")


def _openvino_files(stored: Any) -> dict[str, bytes]:
    openvino = runtime_package("openvino")
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "model.xml"
        whole = openvino.Core().read_model(io.BytesIO(stored)) if isinstance(stored, bytes) else stored
        openvino.save_model(whole, target, compress_to_fp16=False)
        return {name: (Path(scratch) / name).read_bytes() for name in ("model.xml", "model.bin")}


def _written(export: Export, contents: dict[str, bytes]) -> Export:
    """Put everything in place: the files or the package of them, and the report."""
    out, request, edge = export.folder, export.request, None
    if request.is_edge:
        precision = "int8" if request.int8 else "fp32"
        with tempfile.TemporaryDirectory() as scratch:
            file = Path(scratch) / f"{export.bundle.name}.pyz"
            edge = write_edge_package(file, export.bundle, contents, precision=precision)
            contents = {file.name: file.read_bytes()}
    out.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (out / name).write_bytes(content)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    done = Export(out, export.bundle, request, digests, export.difference, export.accuracy, edge)
    (out / REPORT_FILE).write_text(json.dumps(done.to_json(), indent=2) + "\n", encoding="utf-8")
    return done
