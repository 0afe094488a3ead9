"""Every set of pictures in the data folder against a model's guard: how many are refused, and what other limits would do.

    python -m benchmarks.guard [--data FOLDER] [--most N] [--part tune] [--update-card]
    python -m benchmarks.guard --films runs/chest_films_small/chest-films-small [--write FILE]

Without --films the shipped model of brain slices, with it the network that `recipes/chest_films_small.yaml` trains, which
no application uses. Each picture is read as a file without header, so that nothing but its pixels can speak against it:
by `hounsfield.studies`, the gates of the pipeline and of the application, the model's guard, and of brain slices the
outline, without which the application refuses. Right pictures are the model's own test part (--part tune: the part to
choose on, without foreign sets), always whole; of every other set at most N are read, evenly spaced (all unless told).
Intervals resample patients, volumes or files.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks._guard_sets import (
    PictureSet,
    made_sets,
    right_and_changed,
    sets_of_files,
    sets_of_volumes,
)
from benchmarks._table import heading, table, wilson_interval, with_data_option
from benchmarks.brain_tumour_mr import NAME, cases_of_part
from hounsfield.metrics import auroc, cluster_bootstrap
from hounsfield.zoo import Bundle, Detection, Estimate, GuardCurve, find_bundle, open_bundle, write_bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hounsfield.inference import TorchModel

    Reader = Callable[[Sequence[Path]], list["Answer"]]

EVERY = 10_000
FEWEST_GROUPS = 5  # of fewer the resamples are nearly all alike
LEVELS = (
    0.0,
    0.01,
    0.02,
    0.03,
    0.05,
    0.075,
    0.1,
    0.15,
    0.2,
    0.3,
    0.5,
)  # false refusals that the curve is drawn at
# Sets that show a model's own kind of picture, or that may: told beside it, and no foreign set.
OWN_KIND = {
    NAME: ("head MR with a lesion, from elsewhere (PyRadiomics)",),
    "films": ("chest films (NIH)", "chest films (COVID-19)", "chest films of 64 pixels (NIH)"),
}
LEFT_OUT = {
    NAME: (),
    "films": ("chest films (NIH)",),
}  # the model's own data, of which the test part is shown


@dataclass(frozen=True)
class Answer:
    """What became of one picture; distance: infinite where another gate refused it before the guard could."""

    is_refused: bool
    by_guard: bool
    distance: float


@dataclass(frozen=True, eq=False)
class Row:
    """One set with the answers to its pictures."""

    pictures: PictureSet
    answers: tuple[Answer, ...]

    @property
    def refused(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """(n,) whether each was refused."""
        return np.array([answer.is_refused for answer in self.answers])

    @property
    def distance(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """(n,) distances."""
        return np.array([answer.distance for answer in self.answers])

    @property
    def n_groups(self) -> int:
        """How many patients, volumes or files."""
        return len(set(self.pictures.groups))

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the refused share; groups are resampled.

        Where all or none are refused, or groups are too few to resample, Wilson's interval of as many groups.
        """
        refused = self.refused
        if refused.all() or not refused.any() or self.n_groups < FEWEST_GROUPS:
            return wilson_interval(self.n_groups * float(refused.mean()), self.n_groups)
        rng = np.random.default_rng(0)
        found = cluster_bootstrap(lambda index: float(refused[index].mean()), self.pictures.groups, rng=rng)
        return found.low, found.high

    def as_detection(self, name: str = "") -> Detection:
        """The row as a card holds it."""
        low, high = self.interval
        share = float(self.refused.mean())
        return Detection(
            name=name or self.pictures.name,
            n=len(self.answers),
            n_groups=self.n_groups,
            refused_fraction=round(share, 4),
            low95=round(min(low, share), 4),
            high95=round(max(high, share), 4),
        )


def reader_of(model: TorchModel, *, needs_outline: bool) -> Reader:
    """The gates before the model, its guard, and of the model of brain slices whether a tumour was outlined.

    These are the steps of `hounsfield.read` with the application, one by one and without maps and several answers, which
    change no verdict and take four fifths of the time.
    """
    from hounsfield.applications.brain_tumour_mr import grey_picture
    from hounsfield.core.errors import HounsfieldError
    from hounsfield.pipeline.gate import judge_pixels
    from hounsfield.studies import read_studies

    level = model.bundle.card.inference.mask_threshold
    by_gate = Answer(is_refused=True, by_guard=False, distance=np.inf)

    def read(file: Path) -> Answer:
        try:
            image = read_studies(file).studies[0].series[0].image()
            if judge_pixels(image):
                return by_gate
            prediction = model.run(grey_picture(image))
        except (HounsfieldError, IndexError):
            return by_gate
        foreign = prediction.is_foreign
        if not foreign and needs_outline and not (prediction.mask >= level).any():
            return by_gate
        return Answer(foreign, foreign, float(prediction.guard_distance or 0.0))

    return lambda files: [read(file) for file in files]


def without_answers(bundle: Bundle) -> TorchModel:
    """The model of a bundle, giving one answer alone to each picture."""
    from dataclasses import replace

    from hounsfield.inference import load_model

    inference = bundle.card.inference.model_copy(update={"answers": None})
    return load_model(replace(bundle, card=bundle.card.model_copy(update={"inference": inference})))


def curve(right: Row, foreign: Sequence[Row], threshold: float) -> GuardCurve:
    """Shares refused at the thresholds that refuse `LEVELS` of the right pictures, and at the model's own."""
    distances = right.distance
    finite = distances[np.isfinite(distances)]
    candidates = [float(np.quantile(distances, 1 - level, method="lower")) for level in LEVELS]
    known = [min(one, float(finite.max())) for one in candidates]
    thresholds = sorted({*known, threshold})

    def shares(row: Row) -> tuple[float, ...]:
        return tuple(round(float((row.distance > one).mean()), 4) for one in thresholds)

    return GuardCurve(
        thresholds=tuple(thresholds),
        false_refusals=shares(right),
        detection={row.pictures.name: shares(row) for row in foreign},
        area={row.pictures.name: area(right, row) for row in foreign},
    )


def area(right: Row, foreign: Row) -> Estimate:
    """AUROC of the distance between right and foreign pictures; groups of both are resampled."""
    # Infinite distances rank above all others and level with each other.
    score = np.minimum(np.concatenate([right.distance, foreign.distance]), 1e9)
    truth = np.repeat([False, True], [len(right.answers), len(foreign.answers)])
    groups = [f"right {g}" for g in right.pictures.groups] + [f"foreign {g}" for g in foreign.pictures.groups]
    rng = np.random.default_rng(0)
    found = cluster_bootstrap(
        lambda index: auroc(truth[index], score[index]), groups, rng=rng, n_resamples=300
    )
    values = found.value, min(found.low, found.value), max(found.high, found.value)
    return Estimate(**dict(zip(("value", "low95", "high95"), (round(v, 4) for v in values), strict=True)))


def with_rows(bundle: Bundle, rows: Sequence[Row]) -> Any:
    """The guard's part of the card with the figures of these rows in place of those before."""
    guard = bundle.card.guard
    if guard is None:
        raise SystemExit(f"bundle {bundle.name} holds no guard")
    right = next(row for row in rows if row.pictures.kind == "right")
    foreign = [row for row in rows if row.pictures.kind == "foreign"]
    related = [row for row in rows if row.pictures.kind == "related"]
    # Noise and gradients that training made stand beside what was read here.
    read = {row.pictures.name for row in rows}
    made = [
        item
        for item in guard.detection
        if item.n_groups is None and item.name in {"white noise", "gradients"}
    ]
    return guard.model_copy(
        update={
            "false_refusal_rate": right.as_detection("right pictures of the test part (false refusals)"),
            "detection": tuple(
                [row.as_detection() for row in foreign] + [item for item in made if item.name not in read]
            ),
            "related": tuple(row.as_detection() for row in related),
            "curve": curve(right, foreign, guard.threshold),
        }
    )


def kinds(sets: Iterator[PictureSet], model: str) -> Iterator[PictureSet]:
    """The sets with those of the model's own kind named so, without its own data."""
    for one in sets:
        if one.name in LEFT_OUT[model]:
            continue
        kind = "related" if one.name in OWN_KIND[model] else one.kind
        yield PictureSet(one.name, kind, one.files, one.groups)


def judge(bundle: Bundle, reader: Reader, options: argparse.Namespace) -> list[Row]:
    """Read every set."""
    model = NAME if bundle.name == NAME else "films"
    _, cases = cases_of_part(bundle, options.data, options.part)
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        sets = [right_and_changed(cases, options.most, folder / "changed", options.part)]
        if options.part == "test":
            sets += [
                kinds(sets_of_files(options.data), model),
                kinds(sets_of_volumes(options.data, folder / "volumes"), model),
                kinds(made_sets(options.data, folder / "made"), model),
            ]
        for one in (one for group in sets for one in group if one.files):
            chosen = one if one.kind == "right" else one.thinned(options.most)
            rows.append(Row(chosen, tuple(reader(chosen.files))))
    return rows


def show(bundle: Bundle, rows: Sequence[Row], guard: Any) -> None:
    """Print the table of sets, and the operating curve."""
    n_read = sum(len(row.answers) for row in rows)
    inputs = f"{n_read} pictures; bundle {bundle.name} {bundle.version} {bundle.digest[:16]}"
    print(heading("Pictures refused by guard and gates", inputs=inputs))
    lines = [
        (
            row.pictures.name,
            row.pictures.kind,
            len(row.answers),
            row.n_groups,
            f"{row.refused.mean():.1%}",
            f"{row.interval[0]:.1%} to {row.interval[1]:.1%}",
            sum(answer.by_guard for answer in row.answers),
            sum(answer.is_refused and not answer.by_guard for answer in row.answers),
        )
        for row in rows
    ]
    columns = (
        "pictures",
        "kind",
        "n",
        "groups",
        "refused",
        "95 % interval",
        "by the guard",
        "by other gates",
    )
    print(table(columns, lines))
    if guard is None or guard.curve is None:
        return
    print("\nOperating curve: share refused where so many right pictures are, and the area under it\n")
    shown = guard.curve.false_refusals
    columns = ("set", "area", *(f"{share:.1%}" for share in shown))
    lines = [
        (
            name,
            f"{one.value:.3f} ({one.low95:.3f} to {one.high95:.3f})",
            *(f"{s:.0%}" for s in guard.curve.detection[name]),
        )
        for name, one in guard.curve.area.items()
    ]
    print(table(columns, [("threshold", "", *(f"{one:.2f}" for one in guard.curve.thresholds)), *lines]))


def main() -> None:
    """Read every set and print the tables."""
    parser = with_data_option(argparse.ArgumentParser(description=__doc__))
    parser.add_argument("--most", type=int, default=EVERY, help="most pictures of one set (default: all)")
    parser.add_argument("--part", choices=("tune", "test"), default="test", help="the model's own pictures")
    parser.add_argument("--films", type=Path, default=None, help="bundle of the network of chest films")
    parser.add_argument("--write", type=Path, default=None, help="keep the figures of the film network there")
    parser.add_argument("--update-card", action="store_true", help="write the figures into the model's card")
    options = parser.parse_args()
    bundle = open_bundle(options.films or find_bundle(NAME))
    reader = reader_of(without_answers(bundle), needs_outline=bundle.name == NAME)
    rows = judge(bundle, reader, options)
    guard = with_rows(bundle, rows) if options.part == "test" else None
    show(bundle, rows, guard)
    if guard is None:
        return
    if options.write:
        record = {"name": bundle.name, "version": bundle.version, "title": bundle.card.title}
        record["guard"] = guard.model_dump(mode="json")
        options.write.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if options.update_card:
        written = write_bundle(
            bundle.folder,
            card=bundle.card.model_copy(update={"guard": guard}),
            weights=bundle.weights(),
            guard_arrays=bundle.guard_arrays(),
        )
        print(f"\ncard of {written.name} written anew: digest {written.digest}")


if __name__ == "__main__":
    main()
