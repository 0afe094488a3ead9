"""What tests of reading ask again and again."""

from __future__ import annotations

from hounsfield.studies import read_study


def only_series(path):
    """The one series of the one study below a path."""
    [series] = read_study(path).series
    return series


def codes(series):
    """Codes of the conditions of a series."""
    return [condition.code for condition in series.conditions]


def condition(series, code):
    """The condition with that code."""
    [found] = [c for c in series.conditions if c.code == code]
    return found


def save(folder, datasets):
    """Write data sets as numbered files."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, ds in enumerate(datasets):
        ds.save_as(folder / f"{number:04d}.dcm", enforce_file_format=True)
    return folder
