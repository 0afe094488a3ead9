"""Write docs/reference/metrics.md: every figure of merit beside an independent program or a published table.

    HOUNSFIELD_DATA=/folder/of/data .venv/bin/python docs/metric_page.py

The comparisons are those that the tests make (tests/metrics/independent_references.py). The folder of real data is
needed for the published tables; a test compares the page with what this would write.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "metrics.md"
# Differences by rounding vary from processor to processor: the page names the least of these that holds.
STEPS = (1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
INTRODUCTION = """# Figures of merit, and how they were checked

<!-- Written by docs/metric_page.py: change the code, then run that. -->

Research use only. Not a medical device.

Each row is a figure of `hounsfield.metrics` computed on the same input as an independent program or a published table,
and the largest difference over all values compared. A published value is held to its last printed digit, a program in 32 bits to
its own rounding; the tests fail where a difference exceeds what is allowed. Properties, examples by hand and simulations
stand in `tests/metrics`; what has no independent reference (partial credit of entities, the lesion-wise figures) is tested by
these alone.
"""


def below(difference: float) -> str:
    """The difference as the page shows it."""
    return next(
        (f"below {step:.0e}".replace("e-0", "e-") for step in STEPS if difference < step), f"{difference:.1e}"
    )


def metric_page(real_data: Path) -> str:
    """The page's text; real_data: the folder of real images and tables."""
    sys.path.insert(0, str(ROOT))
    from tests.metrics.independent_references import rows_by_kind

    parts = [INTRODUCTION]
    for kind, rows in rows_by_kind(real_data).items():
        lines = [
            f"| {r.figure} | {r.reference} | {below(r.difference)} | {r.allowed:.0e} |".replace(
                "e-0", "e-"
            ).replace("0e+00", "0")
            for r in rows
        ]
        head = [
            "| figure | independent reference | largest difference | allowed |",
            "| --- | --- | --- | --- |",
        ]
        parts.append("\n".join([f"## {kind}", "", *head, *lines]) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    data = Path(os.environ.get("HOUNSFIELD_DATA", ROOT.parent / "shared" / "data"))
    PAGE.write_text(metric_page(data), encoding="utf-8")
