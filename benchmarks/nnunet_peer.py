"""nnU-Net's own predictor and an imported nnU-Net on the same volumes: logits and labels.

    python -m benchmarks.nnunet_peer --peer-python /path/to/python [--freeze tests/zoo/nnunet_stock.json]

--peer-python: an interpreter with nnunetv2 2.7.0 and what it imports, in an environment of its own: `python -m venv nnunet-peer`,
then its pip: `install torch` (the build for your hardware), `install nnunetv2==2.7.0`, and on a machine without a GPU
`uninstall torchvision`, whose import fails there. Each case of tests/tiny_nnunet.py is
a trained folder with seeded weights, or with ones that the peer trained for a few steps. "Stock" sums its windows in 16
bits; the columns "32" compare with the same predictor summing in 32 bits, which leaves out its rounding. --freeze writes
what tests/zoo/test_nnunet.py holds this project to.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tests.tiny_nnunet import CASES, Case

from benchmarks._table import heading, table

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_LOGITS, N_LABELS = 60, 2000
_TIMEOUT_S = 600


def stock(case: Case, folder: Path, peer_python: str) -> dict[str, NDArray[Any]]:
    """What nnU-Net made of the case; its files lie in `folder`."""
    root = Path(__file__).resolve().parents[1]
    environment = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [peer_python, "-m", "benchmarks._nnunet_stock", case.name, str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        sys.exit(f"nnU-Net failed on {case.name}:\n{done.stderr[-2000:]}")
    with np.load(folder / "stock.npz") as found:
        return dict(found)


def ours(folder: Path) -> tuple[Any, Any, Any]:
    """Prepared volume, logits and labels by the imported folder."""
    from hounsfield.inference import VolumeModel, open_model, prepare_volume
    from hounsfield.studies import read_studies
    from hounsfield.zoo.model_formats import ImportRequest, import_model

    source = next(folder.glob("Dataset701_*"))
    bundle = import_model(ImportRequest(source, folder / "models"))
    model = open_model(bundle)
    if not isinstance(model, VolumeModel):
        raise TypeError("an nnU-Net reads volumes")
    images = []
    for path, channel in zip(sorted(folder.glob("case_*")), model.preprocessing.channels, strict=True):
        image = read_studies(path).studies[0].series[0].image()
        images.append(dataclasses.replace(image, unit=channel.unit or image.unit))
    prepared = prepare_volume(images, model.preprocessing)
    return prepared.values, model.logits(prepared), model.segment(images)


def compared(case: Case, folder: Path, peer_python: str) -> tuple[list[str], dict[str, Any]]:
    """A row of the table, and what the fixture keeps of the peer's numbers."""
    peer = stock(case, folder, peer_python)
    values, logits, labels = ours(folder)
    off, off_32 = np.abs(logits - peer["logits"]), np.abs(logits - peer["logits_32"])
    own = np.abs(peer["logits"] - peer["logits_32"])
    row = [
        case.name,
        f"{case.configuration}, {case.n_folds} folds, mirrored {len(case.mirror or ())}",
        f"{np.abs(values - peer['data']).max():.1e}",
        f"{off_32.max():.1e}",
        f"{100 * (labels == peer['labels_32']).mean():.3f}",
        f"{100 * (off < 1e-3).mean():.2f} ({100 * (own < 1e-3).mean():.2f})",
        f"{100 * (labels == peer['labels']).mean():.3f} ({100 * (peer['labels'] == peer['labels_32']).mean():.3f})",
    ]
    return row, _frozen(peer)


def _frozen(peer: dict[str, NDArray[Any]]) -> dict[str, Any]:
    rng = np.random.default_rng(7)
    logits, labels = peer["logits_32"], peer["labels_32"].ravel()
    places, voxels = rng.integers(0, logits.size, N_LOGITS), rng.integers(0, labels.size, N_LABELS)
    return {
        "shape": list(logits.shape),
        "places": places.tolist(),
        "logits": [round(float(value), 6) for value in logits.ravel()[places]],
        "counts": np.bincount(labels).tolist(),
        "voxels_seed": 7,
        "voxels": "".join(str(int(value)) for value in labels[voxels]),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer-python", required=True, help="interpreter with nnunetv2")
    parser.add_argument("--freeze", type=Path, help="write the fixture of the tests here")
    parser.add_argument("--cases", nargs="*", choices=list(CASES), default=list(CASES))
    options = parser.parse_args()
    rows, frozen = [], {}
    for name in options.cases:
        with tempfile.TemporaryDirectory() as folder:
            row, kept = compared(CASES[name], Path(folder), options.peer_python)
        rows.append(row)
        if not CASES[name].n_steps:
            frozen[name] = kept
    sys.stdout.write(
        heading("nnU-Net's predictor and an imported nnU-Net", inputs="phantoms of tests/tiny_nnunet.py")
        + "\n"
    )
    columns = ["case", "network", "input, max diff", "logits 32, max diff", "labels 32, % equal"]
    columns += [
        "logits stock within 1e-3, % (stock to its own 32)",
        "labels stock, % equal (stock to its own 32)",
    ]
    sys.stdout.write(table(columns, rows) + "\n")
    if options.freeze:
        options.freeze.write_text(json.dumps(frozen, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
