"""Maps that say where in a picture a model looked, and how far each may be believed.

One file a method, found by its name through `explanations`; read grad_cam.py first, then lrp/ for relevance. Called with
a model and a picture, or as `.on_network` with a network and its input, picture or volume. `evidence_sentence` says what
was measured of a map's worth. Not here: running models (inference), showing maps (reports), judging maps (evaluation).
"""

from hounsfield.explain._evidence import evidence_sentence
from hounsfield.explain._registry import Explanation, explanation, explanations

__all__ = ["Explanation", "evidence_sentence", "explanation", "explanations"]
