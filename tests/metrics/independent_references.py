"""Figures beside what independent programs and published tables give for the same input, as rows.

`rows` needs no program that is not installed with ours: what others gave was written down once in peer_numbers.json,
which says how, and published values stand with the reference tables. A row is a figure, whose value it was held against, and the largest
difference over all values compared.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
from tests.metrics.comparison import PEERS, Row, apart
from tests.metrics.outline_rows import outline_rows
from tests.metrics.reference_tables import free_response_rows, lung_rows, survival_rows

from hounsfield.metrics import (
    Boxes,
    bleu_counts,
    box_giou,
    detection_average_precision,
    frechet_distance,
    kernel_distance,
    label_f1,
    mean_average_precision,
    ms_ssim,
    nrmse,
    psnr,
    rouge_l,
    rouge_n,
    ssim,
)
from hounsfield.metrics.froc import Matched

SIZES = {"ap": (0.0, 1e10), "ap_medium": (32.0**2, 96.0**2), "ap_small": (0.0, 32.0**2)}

REPORTS = [
    (
        "the heart is normal in size . there is no pleural effusion or pneumothorax .",
        "heart size is normal . no pleural effusion or pneumothorax is seen .",
    ),
    (
        "small left pleural effusion with adjacent atelectasis",
        "there is a small left pleural effusion and adjacent atelectasis",
    ),
    (
        "a 5 mm nodule in the right upper lobe is unchanged",
        "unchanged 5 mm nodule of the right upper lobe ; no new nodule",
    ),
    ("no acute cardiopulmonary process", "no evidence of acute cardiopulmonary process"),
    ("cardiomegaly", "the heart is enlarged"),
    (
        "endotracheal tube tip is 4 cm above the carina . lungs are clear .",
        "tip of the endotracheal tube lies 4 cm above the carina . the lungs are clear .",
    ),
]


def scene() -> tuple[Boxes, Boxes]:
    """Found boxes and objects of 12 images and 3 labels; some objects are crowds."""
    rng = np.random.default_rng(20)
    objects, found = [], []
    for image in range(12):
        for label in range(3):
            for _ in range(int(rng.integers(0, 4))):
                low = rng.uniform(0, 80, 2)
                size = rng.uniform(6, 50, 2)
                objects.append((image, label, *low, *(low + size), int(rng.random() < 0.15)))
                for _ in range(int(rng.integers(0, 3))):
                    one = low + rng.normal(0, 3, 2)
                    other = low + size + rng.normal(0, 3, 2)
                    found.append((image, label, *one, *np.maximum(other, one + 1), rng.random()))
            for _ in range(int(rng.integers(0, 3))):
                low = rng.uniform(0, 80, 2)
                found.append((image, label, *low, *(low + rng.uniform(6, 50, 2)), rng.random()))

    def boxes(table, **last):
        return Boxes(
            table[:, 0].astype(int), table[:, 2:6].reshape(-1, 2, 2), label=table[:, 1].astype(int), **last
        )

    found, objects = np.array(found), np.array(objects)
    return boxes(found, score=found[:, 6]), boxes(objects, crowd=objects[:, 6] == 1)


def solid_scene() -> tuple[Boxes, Boxes]:
    """The scene with a third axis; what was a crowd is ignored."""
    found, objects = scene()
    rng = np.random.default_rng(6)
    low, thick = rng.uniform(0, 60, objects.image.size), rng.uniform(4, 30, objects.image.size)
    own_low, own_thick = rng.uniform(0, 60, found.image.size), rng.uniform(4, 30, found.image.size)
    others = np.abs(found.corners[:, None] - objects.corners[None]).sum(axis=(2, 3))
    others += 1000.0 * (found.image[:, None] != objects.image)
    others += 1000.0 * (found.label[:, None] != objects.label)
    nearest = others.argmin(axis=1)
    follows = rng.random(found.image.size) < 0.8
    own_low = np.where(follows, low[nearest] + rng.normal(0, 2, follows.size), own_low)
    own_thick = np.where(follows, thick[nearest] * rng.uniform(0.8, 1.25, follows.size), own_thick)

    def solid(boxes, start, thickness):
        z = np.stack([start, start + thickness], axis=1)[:, :, None]
        return replace(boxes, corners=np.concatenate([z, boxes.corners], axis=2))

    return (
        solid(found, own_low, own_thick),
        replace(solid(objects, low, thick), ignored=objects.crowd, crowd=None),
    )


def detection_rows() -> list[Row]:
    found, objects = scene()
    made = []
    for name, (low, high) in SIZES.items():
        figures = mean_average_precision(
            found.ignoring_sizes(low, high), objects.ignoring_sizes(low, high), n_images=12
        )
        difference = apart(figures.average_precision(), PEERS["detection"][name])
        made.append(Row(f"average precision, 101 points ({name})", "pycocotools 2.0.11", difference, 1e-12))
    stated = PEERS["detection"]["stats"][0]
    mean = mean_average_precision(found, objects, n_images=12).mean
    made.append(Row("mAP over IoU 0.50 to 0.95", "pycocotools 2.0.11", apart(mean, stated), 1e-12))
    return [*made, *solid_rows(), area_row()]


def solid_rows() -> list[Row]:
    found, objects = solid_scene()
    peer = PEERS["solid"]
    figures = mean_average_precision(found, objects, n_images=12, overlaps=peer["overlaps"])
    giou = np.diag(box_giou(found.corners[:20], objects.corners[:20]))
    return [
        Row(
            "average precision of 3D boxes, 101 points",
            "MONAI 1.6.1",
            apart(figures.average_precision(), peer["ap"]),
            1e-12,
        ),
        Row("generalised IoU of 3D boxes", "MONAI 1.6.1 (in 32 bits)", apart(giou, peer["giou"]), 1e-6),
    ]


def area_row() -> Row:
    """The table of Padilla 2020: which of 24 boxes, by falling score, hit one of 15 objects."""
    is_hit = np.isin(np.arange(24), [0, 2, 9, 11, 12, 13, 22])
    score = -np.arange(24.0)
    hits = np.concatenate([score[is_hit], np.full(15 - is_hit.sum(), -np.inf)])
    matched = Matched(hits, np.zeros(15, int), score[~is_hit], np.zeros(17, int), 0, 1)
    found = detection_average_precision(matched, form="area")
    # Printed as 24.56 %, cut after the second digit.
    return Row("average precision, area", "Padilla 2020, IWSSIP:237", apart(found, 0.2456), 1e-4)


def text_rows() -> list[Row]:
    texts, references = zip(*[(text.split(), reference.split()) for text, reference in REPORTS], strict=True)
    one = bleu_counts(texts, [[reference] for reference in references])
    two = bleu_counts(texts, list(zip(references, references[1:] + references[:1], strict=True)))
    made = []
    for smoothing in ("none", "add-one", "halving"):
        ours, theirs = [], []
        for run in range(1, 5):
            ours += [one.bleu(run, smoothing=smoothing), two.bleu(run, smoothing=smoothing)]
            theirs += [PEERS["bleu"][f"{smoothing}-{run}"], PEERS["bleu"][f"{smoothing}-{run}-two"]]
        for name, place in (("fourth", 3), ("fifth", 4)):
            alone = bleu_counts([texts[place]], [[references[place]]])
            ours.append(alone.bleu(4, smoothing=smoothing))
            theirs.append(PEERS["bleu"][f"{smoothing}-4-{name}"])
        made.append(
            Row(f"BLEU-1 to BLEU-4, smoothing {smoothing}", "sacrebleu 2.6.0", apart(ours, theirs), 1e-12)
        )
    rules = {
        "rouge1": lambda text, reference: rouge_n(text, reference, run=1),
        "rouge2": lambda text, reference: rouge_n(text, reference, run=2),
        "rougeL": rouge_l,
    }
    for name, rule in rules.items():
        figures = [rule(text, reference) for text, reference in zip(texts, references, strict=True)]
        ours = [[figure.precision, figure.recall, figure.f1] for figure in figures]
        theirs = [pair[name] for pair in PEERS["rouge"]]
        made.append(Row(name.replace("rouge", "ROUGE-"), "rouge-score 0.1.2", apart(ours, theirs), 1e-12))
    return [*made, label_row()]


def label_row() -> Row:
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(4)
    names = ("effusion", "mass", "fracture", "edema")
    true, said = rng.random((80, 4)) < 0.4, rng.random((80, 4)) < 0.3
    sets = [[{names[k] for k in np.flatnonzero(row)} for row in side] for side in (true, said)]
    found = label_f1(*sets, np.arange(80), labels=names, rng=rng, n_resamples=1)
    ours = [found.micro.value, found.macro.value, *(one.value for one in found.per_label.values())]
    theirs = [f1_score(true, said, average=kind) for kind in ("micro", "macro")]
    theirs += f1_score(true, said, average=None).tolist()
    return Row("label F1, micro, macro and per label", "scikit-learn 1.9", apart(ours, theirs), 1e-12)


def pictures() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(8)
    y, x = np.mgrid[:192, :208]
    clean = np.sin(x / 9) * np.cos(y / 14) * 300 + rng.normal(0, 30, y.shape)
    return clean, clean + rng.normal(0, 60, clean.shape)


def picture_rows() -> list[Row]:
    from skimage import metrics as peer

    flat = pictures()
    solid = tuple(
        np.stack([picture[:40, :50] * factor for factor in np.linspace(0.5, 1, 14)]) for picture in flat
    )
    by = {"norm": "euclidean", "range": "min-max", "mean": "mean"}
    found = defaultdict(list)
    for first, second in (flat, solid):
        theirs = peer.structural_similarity(
            first, second, data_range=1000.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        found["SSIM, 2D and 3D"].append(ssim(first, second, data_range=1000.0) - theirs)
        theirs = peer.peak_signal_noise_ratio(first, second, data_range=1000.0)
        found["PSNR, 2D and 3D"].append(psnr(first, second, data_range=1000.0) - theirs)
        for ours, name in by.items():
            # Moved up, so that the mean has a size to divide by.
            theirs = peer.normalized_root_mse(first + 50, second + 50, normalization=name)
            found["NRMSE, three forms"].append(nrmse(first + 50, second + 50, by=ours) - theirs)
    made = [
        Row(name, "scikit-image 0.26", float(np.abs(differences).max()), 1e-10)
        for name, differences in found.items()
    ]
    theirs = PEERS["ms_ssim"]["pytorch_msssim"]
    ours = ms_ssim(*flat, data_range=1000.0)
    return [*made, Row("MS-SSIM", "pytorch-msssim 1.0 (window of 32 bits)", apart(ours, theirs), 1e-7)]


def features() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    mix = rng.normal(size=(12, 12))
    return rng.normal(size=(300, 12)) @ mix, rng.normal(size=(260, 12)) @ (mix * 0.8) + 0.3


def feature_rows() -> list[Row]:
    first, second = features()
    peer = PEERS["features"]
    distance = kernel_distance(first[:260], second, rng=np.random.default_rng(0), n_resamples=3).value
    shrunk = frechet_distance(first[:10], second[:11], shrink_covariance=True)
    return [
        Row(
            "Frechet distance",
            "torchmetrics 1.9.0",
            apart(frechet_distance(first, second), peer["fid"]),
            1e-10,
        ),
        Row(
            "Frechet distance, shrunk covariance",
            "scikit-learn 1.9.1 ledoit_wolf, scipy sqrtm",
            apart(shrunk, peer["fid_shrunk"]),
            1e-10,
        ),
        Row("kernel distance (KID)", "torchmetrics 1.9.0", apart(distance, peer["kid"]), 1e-10),
    ]


# By what they compare; those of the second kind read the folder of published tables.
MADE = {
    "Outlines": [outline_rows],
    "Detection": [detection_rows],
    "Reports": [text_rows],
    "Pictures": [picture_rows, feature_rows],
}
FROM_TABLES = {"Detection": [free_response_rows], "Survival": [lung_rows, survival_rows]}


def rows_by_kind(tables: Path | None = None) -> dict[str, list[Row]]:
    """All rows; those of published tables only where their folder (statistics_references) is given."""
    found = {kind: [row for make in makers for row in make()] for kind, makers in MADE.items()}
    for kind, makers in FROM_TABLES.items() if tables else ():
        found[kind] = [*found.get(kind, []), *(row for make in makers for row in make(tables))]
    return found
