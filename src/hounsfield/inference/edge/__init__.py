"""A bundle of pictures as one file that runs without torch and without this project.

`package.py` writes it; `runner.py` is what runs inside, and knows numpy, Pillow and one runtime alone.
"""

from __future__ import annotations

from hounsfield.inference.edge.package import EdgeFacts, write_edge_package

__all__ = ["EdgeFacts", "write_edge_package"]
