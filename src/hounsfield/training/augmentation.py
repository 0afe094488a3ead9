"""Changes of training pictures that keep their meaning: batched, drawn from one generator.

Chance is drawn on the processor wherever the pictures lie, so a seed means the same on every device.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from hounsfield.training.recipe import AugmentationRecipe


def augment(
    pictures: Tensor, masks: Tensor | None, recipe: AugmentationRecipe, generator: Generator
) -> tuple[Tensor, Tensor | None]:
    """Changed copies of pictures (n, 1, s, s) in [0, 1], and of their masks (n, 1, s, s) of 0 and 1, or None."""
    moved, moved_masks = _move(pictures, masks, recipe, generator)
    return _recolour(moved, recipe, generator), moved_masks


def _move(
    pictures: Tensor, masks: Tensor | None, recipe: AugmentationRecipe, generator: Generator
) -> tuple[Tensor, Tensor | None]:
    import torch
    from torch.nn import functional

    def draw(largest: float) -> Tensor:
        return (torch.rand(len(pictures), generator=generator).to(pictures.device) * 2 - 1) * largest

    angle = draw(math.radians(recipe.rotation_deg))
    scale = torch.exp(draw(recipe.scale))
    shear = draw(recipe.shear)
    side = torch.where(draw(1.0) < 0, -1.0, 1.0) if recipe.flip else torch.ones_like(angle)
    cosine, sine = torch.cos(angle) / scale, torch.sin(angle) / scale
    rows = [
        torch.stack([side * cosine, -sine + shear, 2 * draw(recipe.shift)], dim=1),
        torch.stack([side * sine, cosine, 2 * draw(recipe.shift)], dim=1),
    ]
    grid = functional.affine_grid(torch.stack(rows, dim=1), list(pictures.shape), align_corners=False)
    moved = functional.grid_sample(pictures, grid, align_corners=False)
    if masks is None:
        return moved, None
    moved_masks = functional.grid_sample(masks, grid, align_corners=False)
    return moved, (moved_masks > 0.5).float()


def _recolour(pictures: Tensor, recipe: AugmentationRecipe, generator: Generator) -> Tensor:
    import torch
    from torch.nn import functional

    n_pictures = len(pictures)

    device = pictures.device

    def draw(largest: float) -> Tensor:
        even = torch.rand(n_pictures, generator=generator).to(device)
        return ((even * 2 - 1) * largest).view(-1, 1, 1, 1)

    def chosen(share: float) -> Tensor:
        return (torch.rand(n_pictures, generator=generator).to(device) < share).view(-1, 1, 1, 1)

    coloured = pictures ** torch.exp(draw(recipe.gamma)) * torch.exp(draw(recipe.contrast))
    # A smooth field, as a receive coil leaves it.
    field = torch.randn(n_pictures, 1, 3, 3, generator=generator).to(device) * 0.15 * recipe.contrast
    coloured = coloured * torch.exp(
        functional.interpolate(field, size=pictures.shape[-2:], mode="bicubic", align_corners=False)
    )
    coloured = coloured.clamp(0, 1.1)
    blurred = functional.avg_pool2d(functional.pad(coloured, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    coloured = torch.where(chosen(recipe.blur), blurred, coloured)
    noise = torch.randn(coloured.shape, generator=generator).to(device)
    coloured = coloured + noise * 0.3 * draw(recipe.noise).abs()
    return torch.where(chosen(recipe.erase) & _square(pictures, generator), coloured.mean(), coloured)


def _square(pictures: Tensor, generator: Generator) -> Tensor:
    """True inside one random square of each picture, a quarter of the side at most."""
    import torch

    n_pictures, size = len(pictures), pictures.shape[-1]
    centre = torch.rand(n_pictures, 2, generator=generator) * size
    half = (torch.rand(n_pictures, generator=generator) * 0.08 + 0.04) * size
    index = torch.arange(size, dtype=torch.float32)
    row = (index[None, :, None] - centre[:, 0].view(-1, 1, 1)).abs() < half.view(-1, 1, 1)
    column = (index[None, None, :] - centre[:, 1].view(-1, 1, 1)).abs() < half.view(-1, 1, 1)
    return (row & column).unsqueeze(1).to(pictures.device)
