"""Compare a handful of seeds honestly."""

from teachgym.statistics.bootstrap import bootstrap, interquartile_mean
from teachgym.statistics.improvement import probability_of_improvement
from teachgym.statistics.means import Interval, Values, mean_interval
from teachgym.statistics.profiles import Profile, performance_profile
from teachgym.statistics.significance import holm, mean_difference, stratified_welch, welch

__all__ = [
    "Interval",
    "Profile",
    "Values",
    "bootstrap",
    "holm",
    "interquartile_mean",
    "mean_difference",
    "mean_interval",
    "performance_profile",
    "probability_of_improvement",
    "stratified_welch",
    "welch",
]
