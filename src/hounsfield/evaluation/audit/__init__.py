"""For whom a model fails, what it may have learned instead, whether it drifts, and whether its test data leaked.

section.py (read first): what every part answers with; page.py: the dated page and its JSON; into_card.py: the summary in
a bundle. bias.py: figures by group; shortcuts.py: probes of pictures; each has a file beside it that puts it into words.
"""

from hounsfield.evaluation.audit.bias import BiasAudit, audit_bias
from hounsfield.evaluation.audit.bias_sections import bias_sections
from hounsfield.evaluation.audit.into_card import write_into_card
from hounsfield.evaluation.audit.page import audit_record, write_audit
from hounsfield.evaluation.audit.picture_table import PictureColumns, PictureTable, read_picture_table
from hounsfield.evaluation.audit.section import AuditSection, AuditTable, Verdict
from hounsfield.evaluation.audit.shortcut_sections import shortcut_sections
from hounsfield.evaluation.audit.shortcuts import ShortcutAudit, audit_shortcuts

__all__ = [
    "AuditSection",
    "AuditTable",
    "BiasAudit",
    "PictureColumns",
    "PictureTable",
    "ShortcutAudit",
    "Verdict",
    "audit_bias",
    "audit_record",
    "audit_shortcuts",
    "bias_sections",
    "read_picture_table",
    "shortcut_sections",
    "write_audit",
    "write_into_card",
]
