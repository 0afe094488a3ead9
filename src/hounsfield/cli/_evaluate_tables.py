"""`hounsfield evaluate --predictions`: labels, classes or values of a table, and thresholds to lock."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hounsfield.cli._evaluate_asked import Asked, Told, cell_of, pairs_of, share_of, thresholds_by_label
from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hounsfield.evaluation import PredictionTable, ThresholdRule, Use


def judge_predictions(asked: Asked) -> Told:
    """A table of predictions: labels, classes or values; or only locked thresholds."""
    kinds: dict[str, Callable[[Asked], Told]] = {
        "labels": _judge_labels,
        "classes": _judge_classes,
        "regression": _judge_values,
    }
    if asked.task not in kinds:
        raise UsageError(f"--task {asked.task} is none of {', '.join(kinds)}")
    if asked.images is not None and not asked.images.is_dir():
        raise UsageError(f"there is no folder {asked.images} of pictures")
    rule = _rule(asked)
    if asked.lock_thresholds is None:
        return kinds[asked.task](asked)
    if rule is None:
        raise UsageError("--lock-thresholds needs one of --sensitivity, --specificity and --youden")
    return _lock(asked, rule, asked.lock_thresholds)


def _rule(asked: Asked) -> ThresholdRule | None:
    from hounsfield.evaluation import ThresholdRule

    rules = [
        ThresholdRule("sensitivity", asked.sensitivity) if asked.sensitivity is not None else None,
        ThresholdRule("specificity", asked.specificity) if asked.specificity is not None else None,
        ThresholdRule("youden") if asked.youden else None,
    ]
    chosen = [rule for rule in rules if rule is not None]
    if len(chosen) > 1:
        raise UsageError("give one of --sensitivity, --specificity and --youden")
    if chosen and asked.lock_thresholds is None:
        raise UsageError("--sensitivity, --specificity and --youden choose thresholds: name their file with "
                         "--lock-thresholds")  # fmt: skip
    return chosen[0] if chosen else None


def _lock(asked: Asked, rule: ThresholdRule, path: Path) -> Told:
    from hounsfield.evaluation import (
        choose_thresholds,
        read_class_table,
        read_prediction_table,
        thresholds_record,
        write_thresholds,
    )

    if asked.thresholds or asked.threshold or asked.compare or asked.prevalence:
        raise UsageError("--lock-thresholds only chooses thresholds; judge with them in a second command")
    if asked.task == "regression":
        raise UsageError("--lock-thresholds is for probabilities, not for --task regression")
    files = [Path(str(asked.predictions)), *([asked.labels] if asked.labels else [])]
    if asked.task == "classes":
        own = read_class_table(files[0], asked.labels, asked.columns, label_column=asked.label_column).table
    else:
        own = read_prediction_table(files[0], asked.labels, asked.columns)
    chosen, withheld = choose_thresholds(own, rule)
    record = thresholds_record(own, chosen, withheld, rule=rule, files=files)
    write_thresholds(record, path)
    rows = [
        (label, f"{one.threshold:.4g}", cell_of(one.counts.sensitivity), cell_of(one.counts.specificity))
        for label, one in chosen.items()
    ]
    rows += [(label, "none", reason, "") for label, reason in withheld.items()]
    heads = ("label", "threshold", "sensitivity here", "specificity here")
    return Told(record, ((f"{rule.text}, on {files[0].name}", heads, rows),), (f"Thresholds: {path}",))


def _judge_labels(asked: Asked) -> Told:
    from hounsfield.evaluation import (
        Columns,
        evaluate_table,
        read_prediction_table,
        read_probabilities,
        table_record,
        write_table_evaluation,
    )

    if asked.label_column is not None:
        raise UsageError("--label-column goes with --task classes; labels have a column each")
    path = Path(str(asked.predictions))
    own = read_prediction_table(path, asked.labels, asked.columns)
    others = {
        name: read_probabilities(other, own, Columns(asked.case_column, probability_prefix=prefix))
        for name, other, prefix in map(_compared, asked.compare or ())
    }
    evaluation = evaluate_table(
        own,
        uses=_uses(asked, own, path),
        others=others,
        n_resamples=asked.resamples,
        seed=asked.seed,
    )
    title = asked.title or f"Predictions of {path.name}"
    page = write_table_evaluation(evaluation, asked.out, title=title, images=asked.images)
    rows = [
        (
            one.label,
            str(one.n_positive),
            *(cell_of(one.figures.get(key)) for key in ("auroc", "average_precision")),
        )
        for one in evaluation.labels
    ]
    rows.append(("mean", "", *(cell_of(evaluation.macro[key]) for key in ("auroc", "average_precision"))))
    head = f"{len(own.cases)} cases, {evaluation.n_patients} patients"
    shown = (head, ("label", "positive", "AUROC", "average precision"), rows)
    return Told(table_record(evaluation, title), (shown,), (f"Evaluation: {page}",))


def _judge_classes(asked: Asked) -> Told:
    from hounsfield.evaluation import (
        About,
        AsLabels,
        evaluate_model,
        model_record,
        read_class_table,
        write_model_evaluation,
    )

    if asked.compare:
        raise UsageError("--compare is for labels; judge each model of classes by itself")
    path = Path(str(asked.predictions))
    own = read_class_table(path, asked.labels, asked.columns, label_column=asked.label_column)
    judged = evaluate_model(
        own.predictions,
        as_labels=AsLabels(own.table, _uses(asked, own.table, path)),
        seed=asked.seed,
        n_resamples=asked.resamples,
    )
    about = About(
        asked.title or f"Predictions of {path.name}",
        "Evaluation of predictions of classes that exclude each other. Every figure has a 95 % interval from resampling "
        f"{'patients' if own.table.has_patients else 'cases'}.",
    )
    page = write_model_evaluation(judged, about, asked.out, picture_of=_pictures(asked))
    rows = [(key, cell_of(item.overall)) for key, item in judged.classes.figures.items() if item.overall]
    head = f"{judged.classes.n_cases} cases, {judged.classes.n_groups} patients"
    return Told(model_record(judged, about), ((head, ("figure", "value"), rows),), (f"Evaluation: {page}",))


def _pictures(asked: Asked) -> Callable[[str], str] | None:
    from functools import partial

    from hounsfield.evaluation import picture_of_file

    return partial(picture_of_file, asked.images) if asked.images is not None else None


def _judge_values(asked: Asked) -> Told:
    from hounsfield.evaluation import (
        evaluate_values,
        read_value_table,
        value_record,
        write_value_evaluation,
    )

    wrong = [
        word
        for word in ("threshold", "thresholds", "prevalence", "compare", "images", "group", "label_column")
        if getattr(asked, word)
    ]
    if wrong:
        raise UsageError(f"--{wrong[0].replace('_', '-')} does not go with --task regression")
    path = Path(str(asked.predictions))
    own = read_value_table(path, asked.labels, asked.columns)
    evaluation = evaluate_values(own, n_resamples=asked.resamples, seed=asked.seed)
    title = asked.title or f"Values of {path.name}"
    page = write_value_evaluation(evaluation, asked.out, title=title)
    keys = ("bias", "mae", "limit_low", "limit_high", "correlation")
    rows = [
        (one.quantity, str(one.n), *(cell_of(one.figures.get(key)) for key in keys))
        for one in evaluation.quantities
    ]
    heads = ("quantity", "n", "bias", "MAE", "lower limit", "upper limit", "correlation")
    head = f"{len(own.cases)} cases, {evaluation.n_patients} patients"
    return Told(value_record(evaluation, title), ((head, heads, rows),), (f"Evaluation: {page}",))


def _uses(asked: Asked, own: PredictionTable, predictions: Path) -> dict[str, Use]:
    """Threshold and prevalence of each label that has one."""
    from hounsfield.evaluation import Use, read_thresholds, thresholds_for

    stated = thresholds_by_label(asked.threshold)
    prevalence = {
        key: share_of("--prevalence", key, text)
        for key, text in pairs_of("--prevalence", asked.prevalence).items()
    }
    if asked.thresholds is not None:
        locked = thresholds_for(own, read_thresholds(asked.thresholds), predictions)
        twice = sorted(set(locked) & set(stated))
        if twice:
            raise UsageError(
                f"{', '.join(twice)} has a threshold by --threshold and in {asked.thresholds.name}"
            )
        stated |= locked
    return {key: Use(stated.get(key), prevalence.get(key)) for key in dict.fromkeys([*stated, *prevalence])}


def _compared(stated: str) -> tuple[str, Path, str]:
    """Name, table and prefix from NAME=TABLE[:PREFIX]."""
    name, equals, rest = stated.partition("=")
    path, _, prefix = rest.rpartition(":") if ":" in rest else (rest, "", "")
    if not equals or not name or not path:
        raise UsageError(f"--compare {stated} is not of the form NAME=TABLE or NAME=TABLE:PREFIX")
    return name, Path(path), prefix
