"""All reading: from files to studies whose series know their geometry, unit and faults; derived objects too.

Begin with read_study.py; instances.py is what is kept of a file, grouping.py and dicom_series.py make series
of files, pixel_arrays.py makes the image. Limits on untrusted input are in limits.py. Nothing here writes.
"""

from hounsfield.studies.archive_files import ArchiveFile, changed_files, find_archive_files
from hounsfield.studies.read_study import StudiesRead, read_studies, read_study

__all__ = [
    "ArchiveFile",
    "StudiesRead",
    "changed_files",
    "find_archive_files",
    "read_studies",
    "read_study",
]
