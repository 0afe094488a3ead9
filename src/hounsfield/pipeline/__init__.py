"""The one path from files to results: select series, gate them, run applications, report, write.

Begin with run.py (`read` is what the command, Python and later the node call); selection.py says
which series an application takes and why not; writing.py lays out the folder of results. Many studies:
batch.py, which gives one task a study to the same path.
"""

from hounsfield.pipeline.batch import ArchiveSummary, Engine, holds_many, read_archive
from hounsfield.pipeline.conversion import AsDicom, Conversion, ConvertedSeries, convert
from hounsfield.pipeline.inspection import Inspection, SeriesSummary, inspect
from hounsfield.pipeline.journal import JOURNAL_NAME
from hounsfield.pipeline.picture_views import is_one_examination
from hounsfield.pipeline.run import Run, read, run
from hounsfield.pipeline.selection import Selection, Verdict, judge, select
from hounsfield.pipeline.study_task import ArchiveRequest
from hounsfield.pipeline.visits import over_visits

__all__ = [
    "JOURNAL_NAME",
    "ArchiveRequest",
    "ArchiveSummary",
    "AsDicom",
    "Conversion",
    "ConvertedSeries",
    "Engine",
    "Inspection",
    "Run",
    "Selection",
    "SeriesSummary",
    "Verdict",
    "convert",
    "holds_many",
    "inspect",
    "is_one_examination",
    "judge",
    "over_visits",
    "read",
    "read_archive",
    "run",
    "select",
]
