"""Geometry and shape on arrays: affines, slice stacks, morphology, components, windows, lungs.

Begin with affine.py and slices.py (where voxels lie); lungs.py shows how the small steps are put
together. Here are functions of arrays: no file, no DICOM, no number of clinical meaning (measures).
"""
