"""What a reader should know before believing a comparison, in plain sentences."""

import math
from collections.abc import Iterator, Mapping, Sequence

from teachgym.statistics.power import smallest_difference
from teachgym.study.results.stored import Missing

BOOTSTRAP_COVERAGE = {2: 52, 3: 74, 4: 80, 5: 84, 6: 86, 7: 87, 8: 88, 9: 89}
"""Percent of 95 % percentile bootstrap intervals of a mean of so many normal values that hold the true mean."""
ENOUGH_FOR_BOOTSTRAP = max(BOOTSTRAP_COVERAGE) + 1
"""With fewer seeds than this a report says that bootstrap intervals are too narrow, and draws the seeds instead."""
FEW_FOR_WELCH = 5
_MOST_NAMED = 5


def cautions(
    seeds: Mapping[str, int],
    missing: Sequence[Missing],
    *,
    spread: float,
    score_name: str,
    decimals: int,
    unmastered: Sequence[str] = (),
    versions: Sequence[str] = (),
) -> tuple[str, ...]:
    """Sentences, the gravest first.

    Args:
        seeds: Finished runs of each teacher.
        missing: Cells that are not finished.
        spread: Standard deviation of the score between seeds of a teacher; NaN where it is unknown.
        score_name: What teachers are compared by.
        decimals: How many of the score are worth showing.
        unmastered: Titles of the studies that were to be compared by what is mastered, in which nothing was.
        versions: Of teachgym, that cells may have been run by.
    """
    of_versions = (
        f"Several versions of teachgym ran these cells ({', '.join(versions)}), which may explain differences."
    )
    studies = " and ".join(unmastered)
    of_mastery = f"No student mastered any test task of {studies}, so the score there is the mean outcome."
    found = _cautions(seeds, missing, spread, score_name, decimals)
    return (*([of_mastery] if unmastered else []), *found, *([of_versions] if len(versions) > 1 else []))


def _cautions(
    seeds: Mapping[str, int], missing: Sequence[Missing], spread: float, score_name: str, decimals: int
) -> Iterator[str]:
    fewest, most = min(seeds.values()), max(seeds.values())
    if missing:
        failed = sum(bool(one.reason) for one in missing)
        named = ", ".join(f"{one.cell.teacher} seed {one.cell.seed}" for one in missing[:_MOST_NAMED])
        named += f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
        yield (
            f"{len(missing)} cell{'s are' if len(missing) > 1 else ' is'} not finished ({failed} failed): {named}. "
            "All numbers are about the finished ones; if cells fail because their students do badly, these numbers "
            "flatter the teacher."
        )
    if fewest == 1:
        yield "A teacher with one seed has no interval and no test, so it can't be compared."
    if fewest < most:
        yield f"Teachers have between {fewest} and {most} seeds; results with fewer seeds are less certain."
    if 2 <= fewest < FEW_FOR_WELCH:
        yield (
            f"With {fewest} seeds Welch's test is valid only if scores are roughly normal, which so few can't show; "
            "use 5 or more for a claim."
        )
    if fewest in BOOTSTRAP_COVERAGE:
        yield (
            f"Bootstrap intervals over {fewest} seeds are too narrow: the coverage of such 95 % intervals of a mean is "
            f"about {BOOTSTRAP_COVERAGE[fewest]} %. Student-t intervals, and 10 seeds or more, are safer."
        )
    if len(seeds) > 1 and fewest >= 2 and math.isfinite(spread) and spread > 0:
        least = smallest_difference(fewest, spread)
        yield (
            f"Scores have a standard deviation of {spread:.{decimals}f} over seeds. With {fewest} seeds per teacher, a "
            f"test of two teachers has 80 % power to detect a difference of {least:.{decimals}f} ({score_name}), and "
            "less for smaller ones: no significant difference is not the same as no difference."
        )
