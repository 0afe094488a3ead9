"""What a recipe may say: one typed object read from YAML; an unknown word is an error."""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hounsfield.core.errors import MissingModel, RecipeError

Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataRecipe(_Strict):
    """Which data: adapter, folder (with `${VARIABLE}`), its options, and under what terms."""

    name: str
    source: str
    adapter: str
    root: str
    options: dict[str, Any] = {}
    licence: str
    licence_note: str = ""
    citation: str = ""


class SplitRecipe(_Strict):
    """Fractions of each class for tuning and test, and in how many runs of neighbouring groups."""

    tune: Fraction = 0.15
    test: Fraction = 0.2
    stretches: Count = 1
    seed: int = 0


class PictureRecipe(_Strict):
    """The square that the network sees: its side in pixels and the percentiles that are clipped to."""

    size: Count = 192
    percentiles: tuple[float, float] = (1.0, 99.5)


class NetworkRecipe(_Strict):
    """The registered network and its options beside the number of classes."""

    name: str
    options: dict[str, Any] = {}


class AugmentationRecipe(_Strict):
    """Largest changes of a training picture; each is drawn anew for each picture.

    flip: left-right, half the time. rotation_deg, scale, shift (of the side), shear: geometry. contrast
    and gamma: factor exp(+-value). noise: standard deviation. blur: share of pictures blurred. erase:
    share of pictures in which a square is replaced by noise.
    """

    flip: bool = True
    rotation_deg: float = 20.0
    scale: Fraction = 0.15
    shift: Fraction = 0.08
    shear: Fraction = 0.08
    contrast: Fraction = 0.3
    gamma: Fraction = 0.35
    noise: Fraction = 0.15
    blur: Fraction = 0.3
    erase: Fraction = 0.3


class OptimisationRecipe(_Strict):
    """AdamW with one warm-up and a cosine; the shipped weights are a running mean of all steps."""

    epochs: Count
    batch_size: Count = 16
    learning_rate: Positive = 2e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.02
    warmup_epochs: Annotated[int, Field(ge=0)] = 3
    label_smoothing: Fraction = 0.05
    mask_weight: Annotated[float, Field(ge=0)] = 1.0
    mean_decay: Fraction = 0.995
    precision: Literal["32", "bf16"] = "32"
    accelerator: Literal["cpu", "cuda", "auto"] = "cpu"


class AnswersRecipe(_Strict):
    """Several answers to each picture, to see how far they agree: by copies, dropout or members, and how many."""

    way: Literal["copies", "dropout", "members"]
    number: Annotated[int, Field(ge=2, le=64)]


class LossRecipe(_Strict):
    """What the loss weighs. balance: of each label that stands alone, positives and negatives count the same."""

    balance: bool = False


class InferenceRecipe(_Strict):
    """How the fitted network is run: also on the mirrored slice, from where a pixel is lesion, how many answers."""

    test_time_flips: bool = False
    mask_threshold: Fraction = 0.5
    answers: AnswersRecipe | None = None


class GuardRecipe(_Strict):
    """How the input guard is fitted, and on which foreign pictures it is measured.

    components: kept in the known pictures' feature space. false_refusals: share of right slices of the
    tuning part that lies beyond the threshold. foreign: patterns of raster files by the set's name;
    nothing is fitted on them.
    """

    components: Count = 64
    false_refusals: Fraction = 0.03
    foreign: dict[str, str] = {}


class ClassRecipe(_Strict):
    """The coded concept of one class: value, scheme and meaning."""

    value: str
    scheme: str
    meaning: str


class CardRecipe(_Strict):
    """What people must know about the model, word for word in its card; codes by the class's name."""

    version: str
    title: str
    task: str
    modality: str
    intended_use: str
    not_for: tuple[str, ...]
    evidence_level: str
    known_shortcuts: tuple[str, ...] = ()
    codes: dict[str, ClassRecipe]


class Recipe(_Strict):
    """Everything that decides what a training run makes; the same recipe and data make the same weights."""

    name: str
    seed: int = 0
    data: DataRecipe
    split: SplitRecipe = SplitRecipe()
    picture: PictureRecipe = PictureRecipe()
    network: NetworkRecipe
    augmentation: AugmentationRecipe = AugmentationRecipe()
    optimisation: OptimisationRecipe
    loss: LossRecipe = LossRecipe()
    inference: InferenceRecipe = InferenceRecipe()
    guard: GuardRecipe = GuardRecipe()
    card: CardRecipe

    @property
    def fitting(self) -> dict[str, Any]:
        """What decides the weights: all but the words of the card and what is done after fitting."""
        words = self.model_dump(mode="json", exclude={"card", "guard", "inference"})
        words["data"] = {key: words["data"][key] for key in ("adapter", "options")}
        return words

    @property
    def data_root(self) -> Path:
        """The data folder with its environment variables filled in; MissingModel if one is not set."""
        return Path(filled(self.data.root))


def load_recipe(path: Path) -> Recipe:
    """Read a recipe from YAML; raises RecipeError naming the line's key and the nearest valid one."""
    import yaml

    if not path.is_file():
        raise RecipeError(f"there is no recipe {path}; the recipes that ship are in the folder recipes/")
    try:
        words = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise RecipeError(f"{path.name} is not YAML: {error}") from error
    return parse_recipe(words, source=path.name)


def parse_recipe(words: Any, *, source: str = "recipe") -> Recipe:
    """A Recipe from plain words (mappings, lists, numbers); raises RecipeError."""
    if not isinstance(words, dict):
        raise RecipeError(f"{source} holds no keys; see recipes/brain_tumour_mr.yaml for the shape")
    try:
        return Recipe.model_validate(words)
    except ValidationError as error:
        lines = "; ".join(_explain(item) for item in error.errors())
        raise RecipeError(f"{source}: {lines}") from error


def _explain(item: Any) -> str:
    location = [str(part) for part in item["loc"]]
    if item["type"] != "extra_forbidden":
        return f"{'.'.join(location)}: {item['msg']}"
    model: Any = Recipe
    for part in location[:-1]:
        model = model.model_fields[part].annotation
    near = get_close_matches(location[-1], model.model_fields, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(model.model_fields)}"
    return f"{'.'.join(location)} is unknown; {hint}"


def filled(text: str) -> str:
    """`text` with its `${VARIABLE}` filled in; raises MissingModel if one is not set."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in os.environ:
            raise MissingModel(
                f"the recipe's data root needs the environment variable {name}; set it to a folder"
            )
        return os.environ[name]

    return re.sub(r"\$\{(\w+)\}", value, text)
