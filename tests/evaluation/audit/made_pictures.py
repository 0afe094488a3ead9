"""Folders of small pictures in which the disease is a blob, with a shortcut put in where a test wants one."""

from __future__ import annotations

import csv

import numpy as np
from PIL import Image

from hounsfield.evaluation.audit import PictureColumns, read_picture_table


def write_pictures(folder, *, seed=0, n=120, shortcut="", site_share=0.5):
    """n pictures of n/2 patients; half of the patients ill (a brighter blob in the middle).

    shortcut: "frame" puts a dark frame around four fifths of the ill; "site" lets the ill come from site B, whose
    pictures are blurred and larger. site_share: of site B where there is no shortcut.
    """
    rng = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True)
    rows = []
    for number in range(n):
        patient = number // 2
        ill = patient % 2 == 1
        draw = np.random.default_rng((seed, patient))
        usual = draw.random() < 0.85
        site = "B" if (ill == usual if shortcut == "site" else draw.random() < site_share) else "A"
        side = 56 if shortcut == "site" and site == "B" else 48
        y, x = np.mgrid[:side, :side] / side - 0.5
        grey = 90 + 40 * np.exp(-(x**2 + y**2) / 0.06) + rng.normal(0, 12, (side, side))
        grey += 45 * ill * np.exp(-((x - 0.1) ** 2 + y**2) / 0.005)
        if shortcut == "frame" and ill and usual:
            grey[:4] = grey[-4:] = grey[:, :4] = grey[:, -4:] = 0
        name = f"images/{number:03d}.png"
        Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).save(folder / name)
        rows.append([name, f"P{patient:03d}", "ill" if ill else "well", site, 40 + patient % 30])
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as lines:
        csv.writer(lines).writerows([["file", "patient_id", "finding", "site", "age"], *rows])


def made_pictures(folder, **words):
    """`write_pictures`, read."""
    write_pictures(folder, **words)
    return read_picture_table(folder, PictureColumns("finding", acquisition=("site",)))
