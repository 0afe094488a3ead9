"""Applications: one file each, found by `@application`, none imports another.

Begin with lung_ct.py, the one to copy. An application gets Inputs (series by role, given regions,
models) and returns a Reading; selection, provenance and writing are the pipeline's.
"""
