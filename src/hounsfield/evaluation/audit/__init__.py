"""For whom a model fails, what it may have learned instead, whether it drifts, and whether its test data leaked.

section.py (read first): what every part answers with.
"""

from hounsfield.evaluation.audit.section import AuditSection, AuditTable, Verdict

__all__ = ["AuditSection", "AuditTable", "Verdict"]
