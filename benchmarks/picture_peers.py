"""Networks of pictures as their publishers' own code runs them, and as they run here after import: logits and scores.

    PEER/bin/python -m benchmarks.picture_peers [--write tests/zoo/torchxrayvision_outputs.json]

PEER is an environment that holds this package with torchvision, timm, transformers, onnxruntime and torchxrayvision
(1.5.7) beside it.
All weights are random: no published weights are needed, and none lie here. Each row is one network, given the same film of
300 x 417 pixels through its publisher's own preprocessing and through the bundle that was imported from its file.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from tests.zoo.foreign_models import N_XRV, film, xrv_weights

from benchmarks._table import heading, table
from hounsfield.inference import load_model, prepare
from hounsfield.zoo.model_formats import ImportRequest, import_model
from hounsfield.zoo.published_networks import PRESETS

FIXTURE = {"growth": 8, "blocks": (2, 2), "seed": 5, "weights": "densenet121-res224-chex"}
TORCHVISION = ("densenet121", "densenet169", "densenet201", "resnet18", "resnet34", "resnet50", "resnet101")
TIMM = ("vit_tiny_patch16_224", "vit_small_patch16_224", "resnet50", "densenet121")


def bridge() -> None:
    """Names that torchvision asks torch for; beside a CPU build of torch they are not there, and nothing here uses them."""
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    bridge.kept = library  # type: ignore[attr-defined]  # it must outlive the imports


def stirred(network: Any, seed: int = 0) -> Any:
    """Batch statistics as training leaves them, so that no normalisation is the identity."""
    torch.manual_seed(seed)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return network.eval()


class Comparison:
    """Runs each network both ways and keeps a row."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.picture = film()
        self.colour = Image.fromarray(self.picture).convert("RGB")
        self.rows: list[tuple[str, ...]] = []

    def add(self, title: str, path: Path, theirs: np.ndarray, **options: str) -> Any:
        """Import, run, and compare with the publisher's logits."""
        name = f"peer-{len(self.rows)}"
        bundle = import_model(ImportRequest(path, self.folder / "bundles", name=name, options=options))
        prediction = load_model(bundle).run(self.picture)
        gap = float(np.abs(prediction.logits - theirs).max())
        origin = bundle.card.origin
        self.rows.append(
            (
                title,
                origin.format if origin else "",
                f"{np.abs(theirs).max():.3g}",
                f"{gap:.2g}",
            )
        )
        return prediction

    def saved(self, content: Any, **how: Any) -> Path:
        """The content as torch stores it."""
        path = self.folder / "weights.pt"
        torch.save(content, path, **how)
        return path


def compare_torchxrayvision(judge: Comparison) -> None:
    """A whole pickled DenseNet121 as published, and a ResNet50's state dict."""
    import torchvision
    import torchxrayvision as xrv

    scaled = xrv.datasets.normalize(judge.picture, 255)[None]
    square = xrv.datasets.XRayCenterCrop()(scaled)
    for network, size in (("densenet121", 224), ("resnet50", 512)):
        inputs = torch.from_numpy(xrv.datasets.XRayResizer(size)(square))[None]
        known = f"{network}-res{size}-" + ("chex" if size == 224 else "all")
        facts = xrv.models.model_urls[known]
        points = np.array(facts["op_threshs"])
        kept = [k for k, label in enumerate(facts["labels"]) if label and np.isfinite(points[k])]
        if size == 224:
            model = stirred(xrv.models.DenseNet(num_classes=N_XRV))
            model.features.conv0.weight /= 1024  # so that scores are not all 0 or 1
            path = judge.saved(model, _use_new_zipfile_serialization=False)
        else:
            model = torchvision.models.resnet50(num_classes=N_XRV)
            model.conv1 = torch.nn.Conv2d(1, 64, 7, 2, 3, bias=False)
            stirred(model).conv1.weight /= 1024
            path = judge.saved(model.state_dict())
        logits = model(inputs)[0]
        prediction = judge.add(f"TorchXRayVision {known}", path, logits.numpy()[kept], weights=known)
        scores = xrv.models.op_norm(torch.sigmoid(logits[None]), torch.tensor(facts["op_threshs"]))[
            0
        ].numpy()[kept]
        gap = float(np.abs(prediction.scores - scores).max())
        judge.rows.append(("  its scores", "", f"{scores.max():.3g}", f"{gap:.2g}"))


def compare_torchvision_and_timm(judge: Comparison) -> None:
    """State dicts by the names of both."""
    import timm
    import torchvision
    from torchvision import transforms

    steps = [transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor()]
    steps.append(transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    inputs = transforms.Compose(steps)(judge.colour)[None]
    stated = {"labels": "a,b,c", "input": "imagenet-224"}
    for name in TORCHVISION:
        model = stirred(getattr(torchvision.models, name)(num_classes=3))
        judge.add(f"torchvision {name}", judge.saved(model.state_dict()), model(inputs)[0].numpy(), **stated)
    for name in TIMM:
        model = stirred(timm.create_model(name, num_classes=3))
        torch.nn.init.normal_(model.get_classifier().weight, 0, 0.1)
        judge.add(f"timm {name}", judge.saved(model.state_dict()), model(inputs)[0].numpy(), **stated)


def compare_hugging_face(judge: Comparison) -> None:
    """Folders as `save_pretrained` writes them, of a transformer and of a ResNet."""
    import transformers as hf

    names = {0: "a", 1: "b", 2: "c"}
    small = {"hidden_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 192}
    transformer = hf.ViTForImageClassification(hf.ViTConfig(**small, id2label=names)).eval()
    torch.nn.init.normal_(transformer.classifier.weight, 0, 0.3)
    residual = stirred(hf.ResNetForImageClassification(hf.ResNetConfig(id2label=names)))
    ways = (
        ("vit", transformer, hf.ViTImageProcessor()),
        ("resnet50", residual, hf.ConvNextImageProcessor(size={"shortest_edge": 224}, crop_pct=0.875)),
    )
    for name, model, processor in ways:
        folder = judge.folder / name
        model.save_pretrained(folder)
        processor.save_pretrained(folder)
        inputs = processor(judge.colour, return_tensors="pt")["pixel_values"]
        judge.add(f"Hugging Face {name}", folder, model(inputs).logits[0].numpy())


def compare_onnx(judge: Comparison) -> None:
    """Files that torch exports, against ONNX Runtime."""
    import onnxruntime
    import torchvision

    stated = {"labels": "a,b,c", "input": "imagenet-224"}
    for name in ("resnet18", "densenet121", "vgg11", "mobilenet_v2", "squeezenet1_1", "googlenet"):
        extra = {"aux_logits": False, "init_weights": True} if name == "googlenet" else {}
        network = stirred(getattr(torchvision.models, name)(num_classes=3, **extra))
        path = judge.folder / f"{name}.onnx"
        torch.onnx.export(network, torch.zeros(1, 3, 224, 224), str(path), dynamo=False, opset_version=17)
        inputs = prepare(judge.picture, PRESETS["imagenet-224"][1]).channels[None]
        session = onnxruntime.InferenceSession(str(path))
        theirs = session.run(None, {session.get_inputs()[0].name: inputs})[0][0]
        judge.add(f"ONNX Runtime {name}", path, theirs, **stated)


def fixture() -> dict[str, Any]:
    """What TorchXRayVision's own code gives for a small DenseNet of its class, for the tests."""
    import torchxrayvision as xrv

    blocks, growth = FIXTURE["blocks"], FIXTURE["growth"]
    weights = xrv_weights(blocks, growth, FIXTURE["seed"])
    shape = {"growth_rate": growth, "block_config": blocks, "num_init_features": 2 * growth}
    model = xrv.models.DenseNet(**shape, num_classes=N_XRV).eval()
    model.load_state_dict({key: torch.from_numpy(value) for key, value in weights.items()})
    square = xrv.datasets.XRayCenterCrop()(xrv.datasets.normalize(film(), 255)[None])
    inputs = xrv.datasets.XRayResizer(224)(square)
    facts = xrv.models.model_urls[FIXTURE["weights"]]
    logits = model(torch.from_numpy(inputs)[None])
    model.op_threshs = torch.tensor(facts["op_threshs"])
    scores = model(torch.from_numpy(inputs)[None])
    return {
        **FIXTURE,
        "made_by": "python -m benchmarks.picture_peers --write, torchxrayvision 1.5.7",
        "labels": facts["labels"],
        "input_row_112": [round(float(v), 3) for v in inputs[0, 112, ::16]],
        "logits": logits[0].tolist(),
        "scores": scores[0].tolist(),
    }


def main() -> None:
    """Print the table; with --write, keep what the tests compare with."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--write", type=Path, metavar="FILE")
    chosen = options.parse_args()
    bridge()
    with tempfile.TemporaryDirectory() as scratch, torch.no_grad():
        judge = Comparison(Path(scratch))
        compare_torchxrayvision(judge)
        compare_torchvision_and_timm(judge)
        compare_hugging_face(judge)
        compare_onnx(judge)
        inputs = "a drawn film of 300 x 417 pixels, random weights"
        print(heading("Imported networks of pictures against their publishers' code", inputs=inputs))
        print(table(("network", "format", "largest output", "largest difference"), judge.rows))
        if chosen.write:
            chosen.write.write_text(json.dumps(fixture(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
