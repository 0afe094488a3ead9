"""Maps that say where in a picture a model looked, and how far each may be believed.

One file a method, found by its name through `explanations`; read grad_cam.py first, then lrp/ for relevance. `reading_maps` makes those of a reading. Called with
a model and a picture, or as `.on_network` with a network and its input, picture or volume. `evidence_sentence` says what
was measured of a map's worth. Not here: running models (inference), showing maps (reports), judging maps (evaluation).
"""

from hounsfield.explain._evidence import evidence_sentence
from hounsfield.explain._registry import Explanation, explanation, explanations
from hounsfield.explain.reading_maps import best_tested, check_maps, chosen_maps, method_code, reading_maps

__all__ = [
    "Explanation",
    "best_tested",
    "check_maps",
    "chosen_maps",
    "evidence_sentence",
    "explanation",
    "explanations",
    "method_code",
    "reading_maps",
]
