"""For whom a model fails, what it may have learned instead, whether it drifts, and whether its test data leaked.

section.py (read first): what every part answers with; page.py: the dated page and its JSON; bias.py: figures by group,
which bias_sections.py puts into words.
"""

from hounsfield.evaluation.audit.bias import BiasAudit, audit_bias
from hounsfield.evaluation.audit.bias_sections import bias_sections
from hounsfield.evaluation.audit.page import audit_record, write_audit
from hounsfield.evaluation.audit.section import AuditSection, AuditTable, Verdict

__all__ = [
    "AuditSection",
    "AuditTable",
    "BiasAudit",
    "Verdict",
    "audit_bias",
    "audit_record",
    "bias_sections",
    "write_audit",
]
