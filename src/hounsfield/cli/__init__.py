"""The command `hounsfield` (short `hu`): one file a command, imported when it is called.

Begin with __init__.py's neighbour _group.py. Commands parse, call, print; logic lives below.
"""

from hounsfield.cli._group import main

__all__ = ["main"]
