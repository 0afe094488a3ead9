"""Documents for people from a Reading: sentences, pictures, an HTML page, a PDF, an overview of a run.

Begin with draft.py. sentences.py says what is said, content.py puts it in tables, html.py and pdf.py lay
it out, planes.py and pictures.py draw. Not here: writing files (results), explanation maps (explain).
"""

from hounsfield.reports.chart_drawing import chart_file
from hounsfield.reports.draft import draft
from hounsfield.reports.index_page import FailedStudy, IndexEntry, index_page, index_page_in_parts

__all__ = ["FailedStudy", "IndexEntry", "chart_file", "draft", "index_page", "index_page_in_parts"]
