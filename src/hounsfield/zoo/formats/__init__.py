"""Formats of models that others publish, one file each, found by its file name: how each is known and becomes a bundle.

Begin with `model_formats.py` one floor up, which asks them in turn. A format reads weights through `foreign_weights` alone, so
that nothing in a file is run.
"""
