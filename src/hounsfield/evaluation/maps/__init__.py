"""Which explanation of a model may be believed: tests of maps, and the record that its card holds.

Read judge.py first (every test of one case, then of all), then randomisation.py and covering.py (the tests that ask the
network again). Where a map lies is measured by metrics/map_localisation.py; maps themselves are made by explain.
"""

from hounsfield.evaluation.maps.covering import Areas, areas_of_curves
from hounsfield.evaluation.maps.judge import (
    TESTS,
    CaseToJudge,
    JudgedMap,
    MapScores,
    MapTest,
    judge_case,
    summarise,
)
from hounsfield.evaluation.maps.randomisation import (
    rank_correlation,
    redrawn,
    redrawn_model,
    structural_similarity,
)

__all__ = [
    "TESTS",
    "Areas",
    "CaseToJudge",
    "JudgedMap",
    "MapScores",
    "MapTest",
    "areas_of_curves",
    "judge_case",
    "rank_correlation",
    "redrawn",
    "redrawn_model",
    "structural_similarity",
    "summarise",
]
