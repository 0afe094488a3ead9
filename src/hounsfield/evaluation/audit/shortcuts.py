"""Shortcuts: is the label written around the anatomy, and could a model take the acquisition for the disease?

A shortcut is usable where a property of the acquisition can be read off the picture and goes with the label.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import UsageError
from hounsfield.evaluation.audit.picture_properties import AROUND, FAMILIES, picture_properties
from hounsfield.evaluation.audit.probes import Probe, ProbePlan, judged_values, plan_probes, probe
from hounsfield.metrics import holm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from hounsfield.core import Progress
    from hounsfield.evaluation.audit.picture_table import PictureTable

    Array = NDArray[np.float64]

LEVEL = 0.05
# Found: beyond chance after adjustment, and the interval's lower limit this far above 0.5. Less is for a person to look at.
MARGIN = 0.1
FEWEST_PERMUTATIONS = 999
# More pictures are thinned to about this many, by whole groups.
MOST_PICTURES = 3000
ALL_PROPERTIES, MODEL_FEATURES = "all properties", "the model's features"
AROUND_TOGETHER = "all around anatomy"
# A column that the audit makes itself where a model is given: whether the picture holds burned-in text.
TEXT_COLUMN = "burned-in text"


@dataclass(frozen=True, slots=True)
class JudgedProbe:
    """A probe with its p adjusted for all probes of the audit."""

    probe: Probe
    p_holm: float

    @property
    def is_beyond_chance(self) -> bool:
        """Whether it stands after adjustment."""
        return self.p_holm < LEVEL

    @property
    def is_strong(self) -> bool:
        """Whether it also clears MARGIN."""
        return self.is_beyond_chance and self.probe.auroc.low > 0.5 + MARGIN

    def to_json(self) -> dict[str, Any]:
        """The probe, its adjusted p, and both verdicts."""
        return self.probe.to_json() | {
            "p_holm": self.p_holm,
            "is_beyond_chance": self.is_beyond_chance,
            "is_strong": self.is_strong,
        }


@dataclass(frozen=True, slots=True)
class ColumnShortcut:
    """A column of the acquisition: how well it is read off the picture and off the model's features, how well the label
    is told from it alone, and Cramer's V of both. None: too few groups to judge, no model, or (TEXT_COLUMN) found in the
    picture itself.
    """

    column: str
    read_off_picture: JudgedProbe | None
    read_off_model: JudgedProbe | None
    label_from_column: JudgedProbe | None
    cramers_v: float

    @property
    def is_judged(self) -> bool:
        """Whether there were enough groups."""
        return self.read_off_picture is not None or self.read_off_model is not None

    @property
    def is_usable(self) -> bool:
        """Whether it can be read and goes with the label, both strongly."""
        readable = [one for one in (self.read_off_picture, self.read_off_model) if one is not None]
        tied = self.label_from_column
        return tied is not None and tied.is_strong and any(one.is_strong for one in readable)

    @property
    def deserves_a_look(self) -> bool:
        """Whether both stand beyond chance, though not both strongly."""
        readable = [one for one in (self.read_off_picture, self.read_off_model) if one is not None]
        tied = self.label_from_column
        return tied is not None and tied.is_beyond_chance and any(one.is_beyond_chance for one in readable)


@dataclass(frozen=True, slots=True, eq=False)
class ShortcutAudit:
    """Everything that was computed. from_families: the label read off each family of properties, and off those around
    the anatomy together. n_left_out: pictures thinned away.
    """

    table: PictureTable
    from_families: tuple[JudgedProbe, ...]
    columns: tuple[ColumnShortcut, ...]
    n_pictures: int
    n_groups: int
    n_left_out: int
    n_permutations: int
    has_model: bool
    seed: int


def audit_shortcuts(
    table: PictureTable,
    *,
    features: Callable[[NDArray[np.float32]], Array] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> ShortcutAudit:
    """Probe the label and every column of `table`. features: the model's numbers (k,) of a picture (y, x).

    Raises UsageError if there are too few groups for the label to be probed at all. The same seed gives the same figures.
    """
    kept = _thinned(table.groups, seed)
    n_columns = len(table.columns)
    n_tests = len(FAMILIES) + 1 + 3 * (n_columns + 1)
    n_permutations = max(FEWEST_PERMUTATIONS, 40 * n_tests - 1)
    plan = plan_probes([table.groups[at] for at in kept], seed=seed, n_permutations=n_permutations)
    measured, learned = _measured(table, kept, features, progress)
    label = table.label[kept]
    sources = {**measured, AROUND_TOGETHER: np.concatenate([measured[name] for name in AROUND], axis=1)}
    raw = [
        probe(plan, numbers, label, target=table.label_name, source=name) for name, numbers in sources.items()
    ]
    if not any(raw):
        raise UsageError(
            f"{len(set(table.groups))} groups are too few to read {table.label_name!r} on groups that were not fitted on; "
            "give more pictures, or a coarser label"
        )
    everything = np.concatenate([measured[name] for name in FAMILIES], axis=1)
    values = {name: own[kept] for name, own in table.columns.items()}
    if learned is not None:
        values[TEXT_COLUMN] = np.where(measured["text"][:, 0] > 0, "yes", "no")
    by_column = {
        name: _column_probes(plan, own, name, (everything, learned, label, table.label_name))
        for name, own in values.items()
    }
    judged = iter(_adjusted([*raw, *(one for three in by_column.values() for one in three)]))
    families = [next(judged) for _ in raw]
    columns = tuple(
        ColumnShortcut(name, next(judged), next(judged), next(judged), cramers_v(label, values[name]))
        for name in by_column
    )
    return ShortcutAudit(
        table,
        tuple(one for one in families if one is not None),
        columns,
        kept.size,
        int(plan.group.max()) + 1,
        len(table.cases) - kept.size,
        n_permutations,
        features is not None,
        seed,
    )


def _adjusted(probes: Sequence[Probe | None]) -> list[JudgedProbe | None]:
    """Each probe with its p adjusted for all of them, in the same order."""
    p = holm(np.array([np.nan if one is None else one.p for one in probes]))
    return [None if one is None else JudgedProbe(one, float(own)) for one, own in zip(probes, p, strict=True)]


def cramers_v(first: NDArray[np.str_], second: NDArray[np.str_]) -> float:
    """Association of two columns of words (n,), 0 to 1 (Cramer 1946); 0 where one has a single value."""
    rows, columns = (np.unique(one, return_inverse=True)[1] for one in (first, second))
    counts = np.zeros((int(rows.max()) + 1, int(columns.max()) + 1))
    np.add.at(counts, (rows, columns), 1)
    least = min(counts.shape) - 1
    if least == 0:
        return 0.0
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    return float(np.sqrt(((counts - expected) ** 2 / expected).sum() / counts.sum() / least))


def _column_probes(
    plan: ProbePlan,
    values: NDArray[np.str_],
    name: str,
    given: tuple[Array, Array | None, NDArray[np.str_], str],
) -> tuple[Probe | None, Probe | None, Probe | None]:
    """The column off the picture, off the model, and the label off the column. given: both features, label, its name."""
    everything, learned, label, label_name = given
    if not judged_values(values, plan.group):
        return None, None, None
    off_model = None if learned is None else probe(plan, learned, values, target=name, source=MODEL_FEATURES)
    # Text was found in the picture, so that nothing is learned from reading it off the picture's text.
    is_read = name == TEXT_COLUMN
    off_picture = None if is_read else probe(plan, everything, values, target=name, source=ALL_PROPERTIES)
    alone = np.stack([values == value for value in np.unique(values)], axis=1).astype(np.float64)
    return off_picture, off_model, probe(plan, alone, label, target=label_name, source=f"{name} alone")


def _measured(
    table: PictureTable,
    kept: NDArray[np.intp],
    features: Callable[[NDArray[np.float32]], Array] | None,
    progress: Progress | None,
) -> tuple[Mapping[str, Array], Array | None]:
    """Properties by family (n, k), and the model's features (n, f), of the pictures kept."""
    found: dict[str, list[Array]] = {name: [] for name in FAMILIES}
    learned: list[Array] = []
    for number, at in enumerate(kept):
        case = table.cases[at]
        picture = case.picture()
        for name, numbers in picture_properties(picture, case.image_path.stat().st_size).items():
            found[name].append(numbers)
        if features is not None:
            learned.append(features(picture))
        if progress is not None:
            progress.report("measuring pictures", (number + 1) / kept.size)
    return {name: np.stack(own) for name, own in found.items()}, np.stack(learned) if learned else None


def _thinned(groups: tuple[str, ...], seed: int) -> NDArray[np.intp]:
    """Pictures of groups drawn at random until there are MOST_PICTURES; all of them where there are fewer."""
    if len(groups) <= MOST_PICTURES:
        return np.arange(len(groups))
    group = np.unique(np.asarray(groups), return_inverse=True)[1]
    order = np.random.Generator(np.random.PCG64(seed)).permutation(int(group.max()) + 1)
    counts = np.bincount(group)[order]
    chosen = order[: int(np.searchsorted(np.cumsum(counts), MOST_PICTURES)) + 1]
    return np.flatnonzero(np.isin(group, chosen))
