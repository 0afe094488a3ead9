import numpy as np
import pytest

torch = pytest.importorskip("torch")

from hounsfield.training.augmentation import augment  # noqa: E402 - torch must be there first
from hounsfield.training.recipe import AugmentationRecipe  # noqa: E402

NOTHING = AugmentationRecipe(
    flip=False, rotation_deg=0, scale=0, shift=0, shear=0, contrast=0, gamma=0, noise=0, blur=0, erase=0
)


def batch(n=8, side=32):
    masks = torch.zeros(n, 1, side, side)
    masks[:, :, 8:16, 6:14] = 1
    return masks * 0.8, masks


def test_nothing_asked_is_nothing_done():
    pictures, masks = batch()
    moved, moved_masks = augment(pictures, masks, NOTHING, torch.Generator().manual_seed(0))
    torch.testing.assert_close(moved, pictures, atol=1e-5, rtol=0)
    assert torch.equal(moved_masks, masks)


def test_flip_alone_mirrors_picture_and_mask_together():
    pictures, masks = batch(40)
    recipe = NOTHING.model_copy(update={"flip": True})
    moved, moved_masks = augment(pictures, masks, recipe, torch.Generator().manual_seed(0))
    mirrored = np.array([torch.equal(own, torch.flip(masks[0], dims=(2,))) for own in moved_masks])
    kept = np.array([torch.equal(own, masks[0]) for own in moved_masks])
    assert (mirrored ^ kept).all()
    assert 8 <= mirrored.sum() <= 32
    torch.testing.assert_close(moved, moved_masks * 0.8, atol=1e-5, rtol=0)


def test_the_mask_follows_the_picture():
    pictures, masks = batch()
    recipe = AugmentationRecipe(contrast=0, gamma=0, noise=0, blur=0, erase=0)
    moved, moved_masks = augment(pictures, masks, recipe, torch.Generator().manual_seed(1))
    assert ((moved > 0.4) == (moved_masks > 0)).float().mean() > 0.99
    assert not torch.equal(moved_masks, masks)


def test_the_generator_decides():
    pictures, masks = batch()
    one, two = (
        augment(pictures, masks, AugmentationRecipe(), torch.Generator().manual_seed(3))[0] for _ in range(2)
    )
    assert torch.equal(one, two)
