"""PNG and JPEG files that are views of one examination: each is a study of its own, and some applications need them together."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from hounsfield.core import Study

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hounsfield.core import Application, Series


def joined_pictures(studies: Iterable[Study]) -> list[Study]:
    """One study for each folder with several pictures, which holds them all."""
    folders: dict[str, list[Series]] = {}
    for study in studies:
        if _is_of_pictures(study):
            folders.setdefault(PurePath(study.key).parent.as_posix(), []).extend(study.series)
    return [Study(key=folder, series=tuple(series)) for folder, series in folders.items() if len(series) > 1]


def is_asked(application: Application, study: Study) -> bool:
    """Whether an application is asked about a study: of joined pictures one of views, of a single picture any other."""
    if not _is_of_pictures(study):
        return True
    needs_views = any(role.view is not None for role in application.needs.roles)
    return needs_views == (len(study.series) > 1)


def _is_of_pictures(study: Study) -> bool:
    return bool(study.series) and all(series.kind == "raster" for series in study.series)
