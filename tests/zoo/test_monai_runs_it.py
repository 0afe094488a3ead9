"""A bundle of ours through MONAI's own parser: it builds the network and the model, and the weights fit."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("monai")

from tests.tiny_bundle import SIZE_PX, head_slice, write_tiny_bundle  # noqa: E402
from tests.tiny_volume_bundle import write_volume_bundle  # noqa: E402

from hounsfield.inference import load_model  # noqa: E402
from hounsfield.zoo import VolumeInference, WindowSettings  # noqa: E402

pytestmark = pytest.mark.peer


def parsed(bundle):
    from monai.bundle import ConfigParser

    parser = ConfigParser()
    parser.read_config(bundle.folder / "configs" / "inference.json")
    parser.read_meta(bundle.folder / "configs" / "metadata.json")
    parser["bundle_root"] = str(bundle.folder)
    return parser


def with_weights(network, bundle):
    network.load_state_dict({key: torch.from_numpy(array) for key, array in bundle.weights().items()})
    return network.eval()


def test_a_bundle_of_pictures(tmp_path):
    bundle = write_tiny_bundle(tmp_path, calibrated=True, guarded=True)
    parser = parsed(bundle)
    network = with_weights(parser.get_parsed_content("network_def"), bundle)
    picture = head_slice()
    prepared = torch.from_numpy(parser.get_parsed_content("preprocessing")(picture))[None]
    assert prepared.shape == (1, 1, SIZE_PX, SIZE_PX)
    inferer = parser.get_parsed_content("inferer")
    with torch.no_grad():
        logits = inferer(prepared, network)[0]
    expected = load_model(bundle).run(picture).logits
    np.testing.assert_allclose(logits[0].numpy(), expected, atol=1e-5)
    assert parser.get_parsed_content("model").digest == bundle.digest


@pytest.mark.parametrize("windows", [None, WindowSettings(patch_zyx=(8, 8, 8), overlap=0.25)])
def test_a_bundle_of_volumes(tmp_path, windows):
    bundle = write_volume_bundle(tmp_path, volume=VolumeInference(windows=windows))
    parser = parsed(bundle)
    network = with_weights(parser.get_parsed_content("network_def"), bundle)
    values = torch.rand(1, 1, 12, 14, 16)
    with torch.no_grad():
        logits = parser.get_parsed_content("inferer")(values, network)
    np.testing.assert_array_equal(logits[0].argmax(0).numpy(), values[0, 0].numpy() > 0.5)
    assert parser.get_parsed_content("model").digest == bundle.digest
