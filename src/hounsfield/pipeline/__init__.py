"""The one path from files to results: select series, gate them, run applications, report, write.

Begin with run.py (`read` is what the command, Python and later the node call); selection.py says
which series an application takes and why not; writing.py lays out the folder of results.
"""

from hounsfield.pipeline.inspection import Inspection, SeriesSummary, inspect
from hounsfield.pipeline.run import Run, read, run
from hounsfield.pipeline.selection import Selection, Verdict, judge, select

__all__ = [
    "Inspection",
    "Run",
    "Selection",
    "SeriesSummary",
    "Verdict",
    "inspect",
    "judge",
    "read",
    "run",
    "select",
]
