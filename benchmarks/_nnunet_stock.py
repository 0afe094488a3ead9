"""What nnU-Net itself makes of a case: run by an interpreter that has nnunetv2, by benchmarks/nnunet_peer.py.

    PEER_PYTHON -m benchmarks._nnunet_stock CASE FOLDER

Writes the trained folder and the volumes below FOLDER, and stock.npz with the predictor's logits and labels: as it comes,
with sums of windows in 16 bits, and once more with sums in 32 bits.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import torch
from tests.tiny_nnunet import CASES, CT, Case, parts, seeded_weight, volumes, write_trained, write_volumes


def state(case: Case, fold: int) -> dict[str, Any]:
    """State of nnU-Net's own network with the seeded weights under every name that it lists."""
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
    from nnunetv2.utilities.label_handling.label_handling import determine_num_input_channels
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager
    from tests.tiny_nnunet import dataset, plans

    manager = PlansManager(plans(case))
    configuration = manager.get_configuration(case.configuration)
    n_channels = determine_num_input_channels(manager, configuration, dataset(case))
    network = nnUNetTrainer.build_network_architecture(
        manager, configuration, n_channels, case.n_outputs, enable_deep_supervision=False
    )
    own = network.state_dict()
    seeded = {
        key: torch.from_numpy(seeded_weight(case, fold, key, tuple(value.shape)))
        for key, value in own.items()
        if ".all_modules." not in key and not key.startswith("decoder.encoder.")
    }
    network.load_state_dict(seeded, strict=False)  # the other names mean the same tensors
    _train(network, case)
    return dict(network.state_dict())


def _train(network: Any, case: Case) -> None:
    """A few steps towards the parts of the phantom, so that the logits have the margins of a trained network."""
    body, ball, rod, _ = parts(case)
    truth = torch.from_numpy(body * 1 + ball * 1).long()
    truth[torch.from_numpy(rod)] = 3
    grey = (np.clip(volumes(case)[0], CT["percentile_00_5"], CT["percentile_99_5"]) - CT["mean"]) / CT["std"]
    image = torch.from_numpy(grey).float()[None, None]
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    rng = np.random.default_rng(1)
    for _ in range(case.n_steps):
        part = tuple(
            slice(first, first + size)
            for size, first in (
                (p, rng.integers(0, n - p + 1)) for n, p in zip(case.shape, case.patch, strict=True)
            )
        )
        loss = torch.nn.functional.cross_entropy(network(image[(..., *part)]), truth[part][None])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def predicted(folder: Path, paths: list[Path]) -> tuple[Any, Any, Any]:
    """Preprocessed volume, logits on its voxels and labels on the file's voxels."""
    from nnunetv2.inference.export_prediction import (
        convert_predicted_logits_to_segmentation_with_correct_shape,
    )
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    predictor = nnUNetPredictor(device=torch.device("cpu"), allow_tqdm=False)
    predictor.initialize_from_trained_model_folder(str(folder), use_folds=None)
    manager, configuration = predictor.plans_manager, predictor.configuration_manager
    preprocessor = configuration.preprocessor_class(verbose=False)
    data, _, properties = preprocessor.run_case(
        [str(path) for path in paths], None, manager, configuration, predictor.dataset_json
    )
    logits = predictor.predict_logits_from_preprocessed_data(torch.from_numpy(data))
    labels = convert_predicted_logits_to_segmentation_with_correct_shape(
        logits.clone(), manager, configuration, predictor.label_manager, properties
    )
    # Written and read again, since some readers turn the volume and their writers turn it back.
    written = folder / "labels.nii.gz"
    manager.image_reader_writer_class().write_seg(np.asarray(labels), str(written), properties)
    return data, logits.float().numpy(), np.asarray(nib.load(written).dataobj).transpose(2, 1, 0)


def main() -> None:
    """Write everything for one case."""
    case, folder = CASES[sys.argv[1]], Path(sys.argv[2])
    trained = write_trained(case, folder, lambda fold: state(case, fold))
    paths = write_volumes(case, folder)
    data, logits, labels = predicted(trained, paths)
    # nnU-Net names the type of its sums `torch.half`, and that of its weights as a default.
    from nnunetv2.inference import predict_from_raw_data as module

    fine, coarse = module.compute_gaussian, torch.half
    module.compute_gaussian = lambda *args, **named: fine(*args, **named).float()
    module.compute_gaussian.cache_clear = fine.cache_clear  # type: ignore[attr-defined]
    torch.half = torch.float32  # type: ignore[misc]
    _, fine_logits, fine_labels = predicted(trained, paths)
    torch.half = coarse  # type: ignore[misc]
    np.savez(
        folder / "stock.npz",
        data=data,
        logits=logits,
        labels=labels.astype(np.uint8),
        logits_32=fine_logits,
        labels_32=fine_labels.astype(np.uint8),
    )


if __name__ == "__main__":
    main()
