"""The running maximum is argmax."""

import pytest
import torch

from hounsfield.inference.largest_class import largest_class


@pytest.mark.parametrize("kind", [torch.float32, torch.float16])
@pytest.mark.parametrize("n_classes", [1, 2, 7, 300])
def test_it_is_argmax_with_the_first_of_equals(kind, n_classes):
    generator = torch.Generator().manual_seed(n_classes)
    sums = torch.randint(-3, 4, (n_classes, 5, 40), generator=generator).to(kind)
    found = largest_class(sums)
    expected = (sums == sums.amax(dim=0)).int().argmax(dim=0)  # first of the equal ones
    assert found.dtype == (torch.uint8 if n_classes <= 256 else torch.int16)
    assert torch.equal(found.long(), expected)
