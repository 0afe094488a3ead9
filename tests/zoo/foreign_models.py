"""Models of others in exactly their structure: weights by their publishers' names, drawn from a seed, and plain formulas.

The formulas work on the names alone and share nothing with the networks that they judge. The same weights, loaded into
the publishers' own code, gave tests/zoo/torchxrayvision_outputs.json (`python -m benchmarks.picture_peers`).
"""

from __future__ import annotations

import zlib

import numpy as np
import torch
from torch.nn import functional as f

N_XRV = 18


def _drawn(name, shape, seed):
    """Numbers that depend on name and seed alone; the size keeps activations near 1."""
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    if name.endswith("running_var"):
        return rng.uniform(0.5, 1.5, shape).astype(np.float32)
    if name.endswith("num_batches_tracked"):
        return np.zeros((), np.int64)
    fan_in = int(np.prod(shape[1:])) if len(shape) > 1 else 0
    drawn = rng.normal(0, (2 / fan_in) ** 0.5 if fan_in else 0.1, shape)
    is_scale = len(shape) == 1 and name.endswith("weight")
    return (drawn + is_scale).astype(np.float32)


def _norm(name, n):
    parts = ("weight", "bias", "running_mean", "running_var")
    return {f"{name}.{part}": (n,) for part in parts} | {f"{name}.num_batches_tracked": ()}


def draw(shapes, seed=0):
    return {name: _drawn(name, shape, seed) for name, shape in shapes.items()}


def densenet_shapes(blocks=(2, 2), growth=8, n_classes=3, channels=1):
    """Names and shapes of torchvision's DenseNet."""
    width = 2 * growth
    shapes = {"features.conv0.weight": (width, channels, 7, 7), **_norm("features.norm0", width)}
    for b, n_layers in enumerate(blocks, 1):
        for k in range(n_layers):
            layer = f"features.denseblock{b}.denselayer{k + 1}"
            shapes |= _norm(f"{layer}.norm1", width) | {f"{layer}.conv1.weight": (4 * growth, width, 1, 1)}
            shapes |= _norm(f"{layer}.norm2", 4 * growth)
            shapes[f"{layer}.conv2.weight"] = (growth, 4 * growth, 3, 3)
            width += growth
        if b < len(blocks):
            shapes |= _norm(f"features.transition{b}.norm", width)
            shapes[f"features.transition{b}.conv.weight"] = (width // 2, width, 1, 1)
            width //= 2
    shapes |= _norm("features.norm5", width)
    return {**shapes, "classifier.weight": (n_classes, width), "classifier.bias": (n_classes,)}


def resnet_shapes(stages=(1, 1), narrows=False, width=8, n_classes=3, channels=1):
    """Names and shapes of torchvision's ResNet."""
    shapes = {"conv1.weight": (width, channels, 7, 7), **_norm("bn1", width)}
    n_in = width
    for s, n_blocks in enumerate(stages):
        inner, n_out = width << s, (width << s) * (4 if narrows else 1)
        steps = [(n_in, inner, 3), (inner, n_out, 3)]
        if narrows:
            steps = [(n_in, inner, 1), (inner, inner, 3), (inner, n_out, 1)]
        for n in range(n_blocks):
            block = f"layer{s + 1}.{n}"
            for k, (first, last, side) in enumerate(steps, 1):
                n_first = n_out if n and k == 1 else first
                shapes[f"{block}.conv{k}.weight"] = (last, n_first, side, side)
                shapes |= _norm(f"{block}.bn{k}", last)
            if n == 0 and (s or narrows):
                shapes[f"{block}.downsample.0.weight"] = (n_out, n_in, 1, 1)
                shapes |= _norm(f"{block}.downsample.1", n_out)
        n_in = n_out
    return {**shapes, "fc.weight": (n_classes, n_in), "fc.bias": (n_classes,)}


def vit_shapes(width=24, depth=2, patch=16, grid=4, n_classes=3, channels=3):
    """Names and shapes of timm's VisionTransformer."""
    shapes = {"cls_token": (1, 1, width), "pos_embed": (1, grid * grid + 1, width)}
    shapes |= {"patch_embed.proj.weight": (width, channels, patch, patch), "patch_embed.proj.bias": (width,)}
    for k in range(depth):
        for name, n_out, n_in in (
            ("attn.qkv", 3 * width, width),
            ("attn.proj", width, width),
            ("mlp.fc1", 4 * width, width),
            ("mlp.fc2", width, 4 * width),
        ):
            shapes[f"blocks.{k}.{name}.weight"], shapes[f"blocks.{k}.{name}.bias"] = (n_out, n_in), (n_out,)
        for name in ("norm1", "norm2"):
            shapes[f"blocks.{k}.{name}.weight"] = shapes[f"blocks.{k}.{name}.bias"] = (width,)
    shapes["norm.weight"] = shapes["norm.bias"] = (width,)
    return {**shapes, "head.weight": (n_classes, width), "head.bias": (n_classes,)}


def xrv_weights(blocks, growth, seed):
    """A small DenseNet of TorchXRayVision's class, made for pictures from -1024 to 1024."""
    weights = draw(densenet_shapes(blocks, growth, N_XRV), seed)
    weights["features.conv0.weight"] /= 1024
    return weights


def _tensors(weights):
    return {key: torch.from_numpy(value) for key, value in weights.items()}


def _normalised(w, name, x):
    return f.batch_norm(
        x,
        w[f"{name}.running_mean"],
        w[f"{name}.running_var"],
        w[f"{name}.weight"],
        w[f"{name}.bias"],
        eps=1e-5,
    )


def densenet_logits(weights, x):
    w = _tensors(weights)
    x = f.conv2d(x, w["features.conv0.weight"], stride=2, padding=3)
    x = f.max_pool2d(f.relu(_normalised(w, "features.norm0", x)), 3, 2, 1)
    b = 1
    while f"features.denseblock{b}.denselayer1.conv1.weight" in w:
        k = 1
        while f"features.denseblock{b}.denselayer{k}.conv1.weight" in w:
            layer = f"features.denseblock{b}.denselayer{k}"
            y = f.conv2d(f.relu(_normalised(w, f"{layer}.norm1", x)), w[f"{layer}.conv1.weight"])
            y = f.conv2d(f.relu(_normalised(w, f"{layer}.norm2", y)), w[f"{layer}.conv2.weight"], padding=1)
            x = torch.cat([x, y], 1)
            k += 1
        between = f"features.transition{b}"
        if f"{between}.conv.weight" in w:
            x = f.conv2d(f.relu(_normalised(w, f"{between}.norm", x)), w[f"{between}.conv.weight"])
            x = f.avg_pool2d(x, 2, 2)
        b += 1
    x = f.relu(_normalised(w, "features.norm5", x)).mean((2, 3))
    return f.linear(x, w["classifier.weight"], w["classifier.bias"])


def resnet_logits(weights, x):
    w = _tensors(weights)
    x = f.conv2d(x, w["conv1.weight"], stride=2, padding=3)
    x = f.max_pool2d(f.relu(_normalised(w, "bn1", x)), 3, 2, 1)
    blocks = sorted(
        {tuple(key.split(".")[:2]) for key in w if key.startswith("layer")},
        key=lambda b: (int(b[0][5:]), int(b[1])),
    )
    for stage, number in blocks:
        block = f"{stage}.{number}"
        stride = 2 if stage != "layer1" and number == "0" else 1
        narrows = f"{block}.conv3.weight" in w
        y = x
        for k in range(1, 4 if narrows else 3):
            kernel = w[f"{block}.conv{k}.weight"]
            moves = k == (2 if narrows else 1)
            y = f.conv2d(
                f.relu(y) if k > 1 else y,
                kernel,
                stride=stride if moves else 1,
                padding=kernel.shape[-1] // 2,
            )
            y = _normalised(w, f"{block}.bn{k}", y)
        if f"{block}.downsample.0.weight" in w:
            x = f.conv2d(x, w[f"{block}.downsample.0.weight"], stride=stride)
            x = _normalised(w, f"{block}.downsample.1", x)
        x = f.relu(x + y)
    return f.linear(x.mean((2, 3)), w["fc.weight"], w["fc.bias"])


def vit_logits(weights, x, heads, epsilon=1e-6):
    w = _tensors(weights)
    kernel = w["patch_embed.proj.weight"]
    width = len(kernel)
    cells = (
        f.conv2d(x, kernel, w["patch_embed.proj.bias"], stride=kernel.shape[-1]).flatten(2).transpose(1, 2)
    )
    t = torch.cat([w["cls_token"].expand(len(x), 1, width), cells], 1) + w["pos_embed"]
    n_blocks = sum(key.endswith("attn.qkv.weight") for key in w)
    for k in range(n_blocks):
        part = {key.removeprefix(f"blocks.{k}."): v for key, v in w.items() if key.startswith(f"blocks.{k}.")}
        inner = f.layer_norm(t, (width,), part["norm1.weight"], part["norm1.bias"], epsilon)
        parts = f.linear(inner, part["attn.qkv.weight"], part["attn.qkv.bias"]).chunk(3, -1)
        q, k_, v = (one.unflatten(-1, (heads, -1)).transpose(1, 2) for one in parts)
        mixed = f.scaled_dot_product_attention(q, k_, v).transpose(1, 2).flatten(2)
        t = t + f.linear(mixed, part["attn.proj.weight"], part["attn.proj.bias"])
        inner = f.layer_norm(t, (width,), part["norm2.weight"], part["norm2.bias"], epsilon)
        inner = f.gelu(f.linear(inner, part["mlp.fc1.weight"], part["mlp.fc1.bias"]))
        t = t + f.linear(inner, part["mlp.fc2.weight"], part["mlp.fc2.bias"])
    last = f.layer_norm(t, (width,), w["norm.weight"], w["norm.bias"], epsilon)
    return f.linear(last[:, 0], w["head.weight"], w["head.bias"])


def film(shape_yx=(300, 417), seed=0):
    """Smooth shadows and noise, uint8 (y, x); the same on every machine."""
    y, x = np.mgrid[: shape_yx[0], : shape_yx[1]]
    noise = np.random.default_rng(seed).normal(0, 12, shape_yx)
    return np.clip(128 + 100 * np.sin(y / 17) * np.cos(x / 11) + noise, 0, 255).astype(np.uint8)
