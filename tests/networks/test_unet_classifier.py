import pytest

torch = pytest.importorskip("torch")

from hounsfield.core.errors import UsageError  # noqa: E402 - torch must be there first
from hounsfield.networks import build_network  # noqa: E402


def test_grey_scale_is_immaterial():
    network = build_network("unet-classifier", {"n_classes": 2, "widths": (4, 8, 8)}, seed=0).eval()
    picture = torch.rand(1, 1, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(network(picture)[0], network(picture * 700 - 40)[0], rtol=1e-3, atol=1e-4)


def test_an_even_picture_gives_finite_numbers():
    network = build_network("unet-classifier", {"n_classes": 2, "widths": (4, 8, 8)}, seed=0).eval()
    with torch.no_grad():
        logits, mask = network(torch.full((1, 1, 32, 32), 7.0))
    assert torch.isfinite(logits).all()
    assert torch.isfinite(mask).all()


def test_an_unknown_network_is_named_with_the_nearest():
    with pytest.raises(UsageError, match="Did you mean 'unet_classifier'"):
        build_network("unet-clasifier", {}, seed=0)
