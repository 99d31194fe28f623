"""What so many seeds can show (Colas et al. 2018, arXiv:1806.08295)."""

import numpy as np
from scipy.optimize import brentq
from scipy.special import nctdtr, stdtrit

from teachgym.base.annotations import read_value
from teachgym.base.setting_checks import check_from_zero, check_whole


def smallest_difference(seeds: int, standard_deviation: float, *, power: float = 0.8, level: float = 0.05) -> float:
    """The least difference of two means that a t test finds with some probability.

    Args:
        seeds: Runs of either side, from 2 up.
        standard_deviation: Of the runs of a side, above 0 or 0; both sides' are taken to be the same.
        power: Wanted probability of finding it.
        level: Of the two-sided test.

    Returns:
        The difference, in the unit of the standard deviation.

    Raises:
        ValueError: If there are fewer than 2 seeds.
    """
    check_whole("seeds", seeds, 2)
    check_from_zero("standard_deviation", standard_deviation)
    for name, value in (("power", power), ("level", level)):
        if not 0.0 < read_value(name, value, float) < 1.0:
            raise ValueError(f"{name} is {value}; expected a number between 0 and 1")
    freedom = 2 * seeds - 2
    critical = float(stdtrit(freedom, 1 - level / 2))

    def lacking(effect: float) -> float:
        shift = effect * np.sqrt(seeds / 2)
        found = 1.0 - nctdtr(freedom, shift, critical) + nctdtr(freedom, shift, -critical)
        return float(power - found)

    enough = 1.0
    while lacking(enough) > 0:
        enough *= 2.0
    return float(brentq(lacking, 0.0, enough)) * standard_deviation
