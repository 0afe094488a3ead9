"""Measurements: each file a command `python -m benchmarks.NAME` that prints a table of what it measured.

Begin with brain_tumour_mr.py. Each states machine, versions and input above its table, so that a figure
can be repeated. Run them from the root of the repository; `--help` says what each needs.
"""
