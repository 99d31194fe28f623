"""From what outcome on a student counts as competent on its tasks, or as failing at them, where nobody says."""

from teachgym.core.spec import TeachingSpec

COMPETENT, FAILING = 33 / 38, 15 / 38
"""Shares of the way from the worst outcome to ``mastered_above``: on the walker the outcomes 180 and 0 that the code
of TeachMyAgent (Romac et al. 2021, arXiv:2103.09815) and CURROT (Klink et al. 2022) gives as plain numbers."""


def competent_outcome(spec: TeachingSpec) -> float:
    """Mean outcome from which a teacher moves on; for a teacher that needs ``"success"``. On the walker 180."""
    return _between(spec, COMPETENT)


def failing_outcome(spec: TeachingSpec) -> float:
    """Mean outcome down from which a teacher steps back; for a teacher that needs ``"success"``. On the walker 0."""
    return _between(spec, FAILING)


def _between(spec: TeachingSpec, share: float) -> float:
    worst = spec.outcome_range[0]
    return worst + share * (spec.mastered_above - worst)
