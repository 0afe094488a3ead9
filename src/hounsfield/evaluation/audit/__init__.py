"""For whom a model fails, what it may have learned instead, whether it drifts, and whether its test data leaked.

section.py (read first): what every part answers with; page.py: the dated page and its JSON.
"""

from hounsfield.evaluation.audit.page import audit_record, write_audit
from hounsfield.evaluation.audit.section import AuditSection, AuditTable, Verdict

__all__ = ["AuditSection", "AuditTable", "Verdict", "audit_record", "write_audit"]
