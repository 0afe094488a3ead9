"""Where results go: one folder a study, one inside it for each reading, an index page over all."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

from hounsfield.core.errors import ResultError
from hounsfield.reports import IndexEntry, draft, index_page
from hounsfield.results import write_page, write_reading

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from hounsfield.core import Condition, Image, Reading, Series, Study
    from hounsfield.pipeline.selection import Verdict


class ResultFolder:
    """The folder that `--out` names.

    Layout: `<study>/<application>/` with reading.json, report.html, ... and `index.html`,
    `readings.json` over all. A study's folder is named after its UID's digest (a raster file's after
    its name as well), never after a patient. written: folder and line of the overview of each reading
    that was added, in that order. Raises ResultError if the folder cannot be made.
    """

    def __init__(self, out: Path, created: datetime) -> None:
        self.out, self.created = out, created
        self.written: list[tuple[str, IndexEntry]] = []
        self._records: list[dict[str, object]] = []
        self._names: set[str] = set()
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ResultError(
                f"cannot make the folder {out}: {error.strerror}. Name another with --out."
            ) from error

    def add(
        self, reading: Reading, *, study: Study, series: Mapping[str, Series], image: Image | None
    ) -> None:
        """Draft the report of `reading` and write all its results."""
        name = self._name(reading, study)
        documents = draft(reading, image, study=study)
        write_reading(
            reading,
            series=series,
            study=study,
            image=image,
            documents=documents,
            folder=self.out / name,
            created=self.created,
        )
        self.written.append((name, IndexEntry.of(reading, f"{name}/report.html")))
        self._records.append({"folder": name, **reading.to_json()})

    def _name(self, reading: Reading, study: Study) -> str:
        # 64 bits: with half of them two of 100,000 studies would share a folder.
        digest = hashlib.sha256(study.key.encode()).hexdigest()[:16]
        stem = ""
        if study.study_instance_uid is None:
            stem = re.sub(r"[^A-Za-z0-9_-]+", "-", study.key.rsplit("/", 1)[-1]).strip("-")[:40] + "-"
        name = f"{stem or 'study-'}{digest}/{reading.application}"
        number = 1
        while name in self._names:
            number += 1
            name = f"{stem or 'study-'}{digest}/{reading.application}-{number}"
        self._names.add(name)
        return name

    def finish(self, refused: Sequence[Condition], not_taken: Sequence[Verdict]) -> None:
        """Write index.html and readings.json over everything that was added."""
        write_page(self.out / "index.html", index_page([entry for _, entry in self.written], refused=refused))
        summary = {
            "readings": self._records,
            "not_taken": [
                {
                    "application": v.application,
                    "series": v.series.key,
                    "reasons": [r.to_json() for r in v.reasons],
                }
                for v in not_taken
            ],
            "refused": [condition.to_json() for condition in refused],
        }
        write_page(self.out / "readings.json", (json.dumps(summary, indent=2) + "\n").encode())
