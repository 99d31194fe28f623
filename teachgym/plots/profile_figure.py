"""Draw performance profiles: the share of each teacher's runs that does better than each score."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from teachgym.plots.figure_style import PAGE_WIDTH, house_style, legible, teacher_looks, wrapped
from teachgym.statistics import Profile


def profile_figure(profiles: Mapping[str, Profile], *, score_name: str, intervals: bool) -> Figure:
    """One step line for each teacher, with its pointwise 95 % bootstrap band.

    Args:
        profiles: By teacher.
        score_name: What the score is, with its unit.
        intervals: Whether to draw the bands, which are too narrow over few seeds.

    Raises:
        ValueError: If there are no teachers, or too many.
    """
    looks = teacher_looks(profiles)
    with house_style():
        figure = Figure(layout="constrained", figsize=(PAGE_WIDTH, 4.6))
        axes = figure.subplots()
        for name, profile in profiles.items():
            look = looks[name]
            label = f"{wrapped(name, 44)} ({profile.count} run{'s' if profile.count > 1 else ''})"
            if intervals:
                axes.fill_between(
                    profile.scores, profile.low, profile.high, color=look.colour, alpha=0.12, linewidth=0, step="post"
                )
            axes.plot(
                profile.scores,
                profile.share,
                color=look.colour,
                linestyle=look.line_style,
                linewidth=2.2,
                drawstyle="steps-post",
                label=label,
            )
        axes.set_xlabel(f"{legible(score_name)} (tau)")
        axes.set_ylabel("share of runs above tau")
        axes.set_ylim(-0.02, 1.02)
        axes.grid(True)
        axes.set_axisbelow(True)
        figure.legend(loc="outside lower center", ncols=3)
        figure.suptitle("Performance profiles")
    return figure
