"""Recipes and what they make: a fitted network, calibrated, guarded, judged and written as a bundle.

Begin with train.py (the whole path), then recipe.py (what may be said) and fit.py (the loop). Not here:
architectures (networks), figures of merit (metrics, evaluation), the bundle's form (zoo).
"""

from hounsfield.training.recalibrate import recalibrate
from hounsfield.training.recipe import Recipe, load_recipe, parse_recipe
from hounsfield.training.train import TrainingResult, train

__all__ = ["Recipe", "TrainingResult", "load_recipe", "parse_recipe", "recalibrate", "train"]
