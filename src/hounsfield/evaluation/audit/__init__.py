"""For whom a model fails, what it may have learned instead, whether it drifts, and whether its test data leaked.

section.py (read first): what every part answers with; page.py: the dated page and its JSON; into_card.py: the summary in
a bundle. bias.py: figures by group; shortcuts.py: probes of pictures. Drift: drift_record.py (the file), drift.py (a
window), drift_over_time.py (a stream). Leaks: leaks.py, and near_duplicates.py for pictures. Files named `..._section`
put an answer into words.
"""

from hounsfield.evaluation.audit.bias import BiasAudit, audit_bias
from hounsfield.evaluation.audit.bias_sections import bias_sections
from hounsfield.evaluation.audit.drift import DriftOptions, Monitor, watch_windows
from hounsfield.evaluation.audit.drift_cases import DriftCases, cases_of, split_windows
from hounsfield.evaluation.audit.drift_over_time import Track, watch_stream
from hounsfield.evaluation.audit.drift_record import (
    CaseLine,
    LabelLine,
    Record,
    append_record,
    hashed_identifier,
    read_record,
    salt_beside,
)
from hounsfield.evaluation.audit.drift_section import stream_section, window_section
from hounsfield.evaluation.audit.into_card import write_into_card
from hounsfield.evaluation.audit.leak_items import (
    LeakColumns,
    LeakItem,
    item_of_picture,
    read_items,
    read_split_table,
)
from hounsfield.evaluation.audit.leak_section import leak_section
from hounsfield.evaluation.audit.leaks import LeakReport, look_for_leaks
from hounsfield.evaluation.audit.near_duplicates import Pair, as_thumbnails, near_duplicates
from hounsfield.evaluation.audit.page import audit_record, write_audit
from hounsfield.evaluation.audit.picture_table import PictureColumns, PictureTable, read_picture_table
from hounsfield.evaluation.audit.reading_lines import (
    TableColumns,
    lines_of_readings,
    lines_of_table,
    read_study_rows,
)
from hounsfield.evaluation.audit.section import AuditSection, AuditTable, Verdict
from hounsfield.evaluation.audit.shortcut_sections import shortcut_sections
from hounsfield.evaluation.audit.shortcuts import ShortcutAudit, audit_shortcuts

__all__ = [
    "AuditSection",
    "AuditTable",
    "BiasAudit",
    "CaseLine",
    "DriftCases",
    "DriftOptions",
    "LabelLine",
    "LeakColumns",
    "LeakItem",
    "LeakReport",
    "Monitor",
    "Pair",
    "PictureColumns",
    "PictureTable",
    "Record",
    "ShortcutAudit",
    "TableColumns",
    "Track",
    "Verdict",
    "append_record",
    "as_thumbnails",
    "audit_bias",
    "audit_record",
    "audit_shortcuts",
    "bias_sections",
    "cases_of",
    "hashed_identifier",
    "item_of_picture",
    "leak_section",
    "lines_of_readings",
    "lines_of_table",
    "look_for_leaks",
    "near_duplicates",
    "read_items",
    "read_picture_table",
    "read_record",
    "read_split_table",
    "read_study_rows",
    "salt_beside",
    "shortcut_sections",
    "split_windows",
    "stream_section",
    "watch_stream",
    "watch_windows",
    "window_section",
    "write_audit",
    "write_into_card",
]
