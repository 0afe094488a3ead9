"""The published sizes, volumes, and what each network adds to the contract of all."""

import pytest

torch = pytest.importorskip("torch")

from hounsfield.core.errors import UsageError  # noqa: E402 - torch must be there first
from hounsfield.networks import build_network  # noqa: E402
from hounsfield.networks.densenet import log_mean_exp  # noqa: E402


def n_parameters(name, **options):
    with torch.device("meta"):
        network = build_network(name, options, seed=0)
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("name", "depth", "published"),
    [
        # As torchvision's documentation states them for 1000 classes and three channels.
        ("densenet", 121, 7_978_856),
        ("densenet", 169, 14_149_480),
        ("densenet", 201, 20_013_928),
        ("resnet", 18, 11_689_512),
        ("resnet", 34, 21_797_672),
        ("resnet", 50, 25_557_032),
        ("resnet", 101, 44_549_160),
    ],
)
def test_has_as_many_parameters_as_published(name, depth, published):
    assert n_parameters(name, n_classes=1000, in_channels=3, depth=depth) == published


def test_densenet_121_for_fourteen_findings_of_grey_films():
    # 6,953,856 without classifier, two channels fewer in 64 filters of 7 x 7, and 14 outputs of 1024 features.
    assert n_parameters("densenet", n_classes=14) == 6_953_856 - 2 * 64 * 49 + 14 * 1025 == 6_961_934


def test_vit_tiny_has_the_published_size_but_for_its_class_token():
    # DeiT-Ti (Touvron 2021): 5.7 million; no class token and no position for it (2 x 192), positions 14 x 14.
    assert n_parameters("vit", n_classes=1000, in_channels=3) == 5_717_416 - 2 * 192


@pytest.mark.parametrize(("name", "depth"), [("densenet", (2, 2)), ("resnet", (1, 1))])
def test_takes_volumes(name, depth):
    options = {"n_classes": 2, "depth": depth, "dims": 3, "in_channels": 2}
    network = build_network(name, options, seed=0).eval()
    with torch.no_grad():
        logits, mask = network(torch.rand(1, 2, 20, 33, 32))
    assert logits.shape == (1, 2)
    assert mask is None


def test_pooling_lies_between_mean_and_maximum():
    values = torch.rand(3, 50, dtype=torch.float64)
    torch.testing.assert_close(log_mean_exp(values, 1e-7), values.mean(dim=1), atol=1e-6, rtol=0)
    # Where one value dominates: the maximum less log(n) / r.
    peak = torch.zeros(1, 50, dtype=torch.float64)
    peak[0, 7] = 1e3
    expected = 1e3 - torch.log(torch.tensor(50.0, dtype=torch.float64)) / 100
    torch.testing.assert_close(log_mean_exp(peak, 100.0)[0], expected, atol=1e-9, rtol=0)
    assert torch.isfinite(log_mean_exp(peak.float(), 100.0)).all()


def test_pooling_is_an_option_of_densenet():
    options = {"n_classes": 2, "depth": (2,), "growth": 4}
    mean, lse = (build_network("densenet", {**options, "pooling": p}, seed=0).eval() for p in ("mean", "lse"))
    picture = torch.rand(1, 1, 32, 32)
    with torch.no_grad():
        assert not torch.allclose(mean(picture)[0], lse(picture)[0])


def test_attention_rows_sum_to_one():
    network = build_network("vit", {"n_classes": 2, "patch": 8, "width": 24, "depth": 3}, seed=0).eval()
    with torch.no_grad():
        seen, grid_yx = network.attention(torch.rand(2, 1, 40, 33))
    assert grid_yx == (5, 5)
    assert [tuple(one.shape) for one in seen] == [(2, 3, 25, 25)] * 3
    for one in seen:
        torch.testing.assert_close(one.sum(dim=-1), torch.ones(2, 3, 25))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("densenet", {"depth": 122}, "depth 121, 169, 201 or a list of layers"),
        ("densenet", {"pooling": "median"}, "pooling mean or lse"),
        ("resnet", {"depth": 19}, "resnet has depth 18, 34, 50, 101"),
        ("densenet", {"dims": 4}, r"pictures \(dims: 2\) or volumes"),
    ],
)
def test_unknown_options_are_refused(name, options, message):
    with pytest.raises(UsageError, match=message):
        build_network(name, {"n_classes": 2, **options}, seed=0)
