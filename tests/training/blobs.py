"""A tiny data set whose classes a small network learns in seconds: discs, squares and crosses."""

import csv

import numpy as np
from PIL import Image

SIDE = 32
CLASSES = ("disc", "square", "cross")


def shape_mask(label, centre_yx, radius):
    y, x = np.abs(np.mgrid[0:SIDE, 0:SIDE] - np.reshape(centre_yx, (2, 1, 1)))
    return {
        "disc": y**2 + x**2 <= radius**2,
        "square": np.maximum(y, x) <= radius,
        "cross": (np.minimum(y, x) <= 1) & (np.maximum(y, x) <= radius + 2),
    }[label]


def write_blobs(root, *, n_groups=6, per_group=4, seed=0):
    """Write labels.csv, images and masks under `root`; groups are named in order within each class."""
    rng = np.random.default_rng(seed)
    (root / "images").mkdir(parents=True)
    with (root / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "mask", "label", "group"])
        for label in CLASSES:
            for number in range(n_groups * per_group):
                name = f"{label}{number:03d}"
                mask = shape_mask(label, rng.integers(10, 22, size=2), int(rng.integers(4, 8)))
                grey = rng.normal(60, 12, size=(SIDE, SIDE)) + mask * 120
                Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).save(root / f"images/{name}.png")
                Image.fromarray(mask).save(root / f"images/{name}_mask.png")
                row = [f"images/{name}.png", f"images/{name}_mask.png", label]
                table.writerow([*row, f"{label}-{number // per_group:02d}"])


def recipe_words(root, *, epochs=3):
    """A recipe, as plain words, for the data set at `root`."""
    codes = {name: {"value": name.upper(), "scheme": "99TEST", "meaning": name} for name in CLASSES}
    return {
        "name": "blobs",
        "seed": 4,
        "data": {
            "name": "blobs",
            "source": "made by the tests",
            "adapter": "csv-table",
            "root": str(root),
            "options": {"classes": list(CLASSES)},
            "licence": "CC0-1.0",
            "citation": "none",
        },
        "split": {"tune": 0.2, "test": 0.2, "stretches": 1, "seed": 0},
        "picture": {"size": SIDE},
        "network": {"name": "unet-classifier", "options": {"widths": [8, 16, 16], "dropout": 0.1}},
        "augmentation": {"rotation_deg": 5.0, "erase": 0.0},
        "optimisation": {"epochs": epochs, "batch_size": 8, "learning_rate": 0.01, "mean_decay": 0.9},
        "guard": {"components": 4},
        "card": {
            "version": "0.1.0",
            "title": "Blobs",
            "task": "Class and outline of a blob",
            "modality": "OT",
            "intended_use": "Tests.",
            "not_for": ["Anything else."],
            "evidence_level": "Synthetic.",
            "codes": codes,
        },
    }
