"""What fitting makes small: the error of the classes, and of the outline where the network draws one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.core.errors import RecipeError

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import Tensor

    from hounsfield.training.recipe import LossRecipe, OptimisationRecipe


class Loss:
    """Cross-entropy of the classes, plus cross-entropy and soft Dice of the outline.

    labels: of all training pictures, (n,) class indices, or (n, labels) of 0 and 1 where labels stand alone; then each
    label has its own binary cross-entropy, and `balance` weighs its positives (P + N) / P and its negatives (P + N) / N
    (Wang 2017, CVPR, section 3.1), here halved so that their mean weight is 1. Raises RecipeError for a label that
    every picture or none has.
    """

    def __init__(
        self,
        optimisation: OptimisationRecipe,
        recipe: LossRecipe,
        labels: NDArray[np.int64],
        device: torch.device,
    ) -> None:
        self.optimisation = optimisation
        self.weights: Tensor | None = None
        if labels.ndim == 2:
            self.weights = _weights(labels, balance=recipe.balance).to(device)
        elif recipe.balance:
            raise RecipeError(
                "loss.balance weighs the positives of labels that stand alone; these classes exclude each other: "
                "take the line out"
            )

    def __call__(self, outputs: tuple[Tensor, Tensor | None], labels: Tensor, masks: Tensor | None) -> Tensor:
        """The loss of a batch. outputs: of the network. labels: of the batch. masks: (n, 1, s, s), or None."""
        class_logits, mask_logits = outputs
        loss = self._of_classes(class_logits.float(), labels)
        if mask_logits is None or masks is None:
            return loss
        return loss + self.optimisation.mask_weight * _of_outline(mask_logits.float(), masks)

    def _of_classes(self, logits: Tensor, labels: Tensor) -> Tensor:
        from torch.nn import functional

        smoothing = self.optimisation.label_smoothing
        if self.weights is None:
            return functional.cross_entropy(logits, labels, label_smoothing=smoothing)
        true = labels.float()
        target = true * (1 - smoothing) + smoothing / 2
        errors = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
        return (errors * (true * self.weights[0] + (1 - true) * self.weights[1])).mean()


def _weights(labels: NDArray[np.int64], *, balance: bool) -> Tensor:
    """(2, labels): weight of positives, and of negatives."""
    import torch

    share = torch.from_numpy(labels.mean(axis=0))
    for index, value in enumerate(share.tolist()):
        if not 0 < value < 1:
            raise RecipeError(
                f"label number {index + 1} is {'on every' if value else 'on no'} training picture, so nothing can be "
                "learned of it: take it out of data.options.classes, or give more data"
            )
    weights = torch.stack([0.5 / share, 0.5 / (1 - share)]) if balance else torch.ones(2, len(share))
    return weights.float()


def _of_outline(mask_logits: Tensor, masks: Tensor) -> Tensor:
    import torch
    from torch.nn import functional

    inside = torch.sigmoid(mask_logits)
    overlap = (inside * masks).sum(dim=(1, 2, 3))
    dice = (2 * overlap + 1) / (inside.sum(dim=(1, 2, 3)) + masks.sum(dim=(1, 2, 3)) + 1)
    return functional.binary_cross_entropy_with_logits(mask_logits, masks) + (1 - dice).mean()
