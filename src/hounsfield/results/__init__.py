"""All writing: the files that a reading leaves behind.

Here: one file a kind of result (`reading_json`, `segmentation`, `structured_report`, ...), found by
`@result_writer`; to add one, copy `encapsulated_pdf.py`. Not here: the drawing of pages and pictures
(`reports`), and reading of derived objects (`studies`). Begin with write.py, then folder.py (all or
nothing) and dicom_context.py (what every derived DICOM object states).
"""

from hounsfield.results.converted_nifti import write_image_nifti, write_side_file
from hounsfield.results.converted_series import MODALITIES, UNITS, SeriesOrigin, write_image_series
from hounsfield.results.documents import Documents, Picture
from hounsfield.results.folder import is_disk_full, remove_half_written, remove_result, write_page
from hounsfield.results.schemas import readings_schema, schema
from hounsfield.results.write import Written, write_reading
from hounsfield.results.writer import Context, ResultWriter, result_writer, result_writers

__all__ = [
    "MODALITIES",
    "UNITS",
    "Context",
    "Documents",
    "Picture",
    "ResultWriter",
    "SeriesOrigin",
    "Written",
    "is_disk_full",
    "readings_schema",
    "remove_half_written",
    "remove_result",
    "result_writer",
    "result_writers",
    "schema",
    "write_image_nifti",
    "write_image_series",
    "write_page",
    "write_reading",
    "write_side_file",
]
