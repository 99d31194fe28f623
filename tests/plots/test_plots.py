from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, Rectangle
from matplotlib.text import Text
from PIL import Image

from teachgym.core.evaluation import Evaluation
from teachgym.core.feedback import Feedback
from teachgym.core.record import Record
from teachgym.core.sampling import GaussianMixture, Window
from teachgym.core.task_space import FloatArray, Parameter, TaskSpace
from teachgym.plots.curriculum_figure import curriculum_figure
from teachgym.plots.drawn_episodes import DrawnRun, colour_scale
from teachgym.plots.figure_style import (
    COLOURS,
    COLUMN_WIDTH,
    FONT_SIZE,
    PAGE_WIDTH,
    parameter_label,
    save_figure,
    short_steps,
    teacher_looks,
    wrapped,
)
from teachgym.plots.interval_figure import interval_figure
from teachgym.plots.learning_curves import curve_of, learning_curve_figure
from teachgym.plots.mastery_figure import Mastery, mastery_figure
from teachgym.plots.profile_figure import profile_figure
from teachgym.plots.score_figure import score_figure
from teachgym.plots.task_maps import DOTS_IN_MAP, STRETCHES, ellipse_axes, sampling_at
from teachgym.plots.task_timelines import MOST_COLUMNS, sampled_spans
from teachgym.statistics import mean_interval, performance_profile

OUTCOMES = (-100.0, 300.0)


def space(dimensions: int) -> TaskSpace:
    return TaskSpace([Parameter(f"knob_{i}", 0.0, 2.0 + i, "m") for i in range(dimensions)])


def mixture(means: Sequence[Sequence[float]], weights: Sequence[float]) -> GaussianMixture:
    count, dimensions = np.shape(means)
    covariances = np.tile(0.04 * np.eye(dimensions), (count, 1, 1))
    return GaussianMixture(np.array(means), covariances, np.array(weights), uniform=0.2)


def evaluation(steps: int, returns: Sequence[float]) -> Evaluation:
    tasks, lengths = np.zeros((len(returns), 1)), np.ones(len(returns), dtype=np.int64)
    return Evaluation(tasks, np.array(returns), lengths, mastered_above=230.0, spent=steps)


def record(
    seed: int = 0, *, dimensions: int = 2, episodes: int = 40, evaluations: int = 4, steps_each: int = 100
) -> Record:
    rng, made = np.random.default_rng(seed), Record()
    for i, task in enumerate(space(dimensions).uniform(rng, episodes)):
        made.feedback.append(Feedback(task, float(rng.uniform(*OUTCOMES)), False, steps_each, i))
        made.finished_at.append(steps_each * (i + 1))
    for i in range(evaluations):
        made.evaluations.append(evaluation(1_000 * (i + 1) + seed, rng.uniform(*OUTCOMES, size=10).tolist()))
    return made


def lines(axes: Axes, label: str) -> tuple[FloatArray, FloatArray]:
    (line,) = [line for line in axes.get_lines() if str(line.get_label()).startswith(label)]
    return np.asarray(line.get_xdata(), dtype=np.float64), np.asarray(line.get_ydata(), dtype=np.float64)


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def dots(axes: Axes) -> FloatArray:
    (group,) = [group for group in axes.collections if isinstance(group, PathCollection)]
    return np.asarray(group.get_offsets(), dtype=np.float64)


def maps(figure: Figure, row: int = 0) -> list[Axes]:
    return figure.axes[row * STRETCHES : (row + 1) * STRETCHES]


def ellipses(axes: Axes) -> list[Ellipse]:
    return [patch for patch in axes.patches if isinstance(patch, Ellipse)]


# learning curves


def test_lines_are_the_means_over_seeds_at_the_mean_steps() -> None:
    first, second = Record(), Record()
    first.evaluations = [evaluation(100, [0.0, 250.0]), evaluation(200, [300.0, 300.0])]
    second.evaluations = [evaluation(110, [0.0, 0.0]), evaluation(230, [240.0, -40.0])]
    mastered, returns = learning_curve_figure({"alp-gmm": [first, second]}, title="").axes
    for axes, expected in ((mastered, [25.0, 75.0]), (returns, [62.5, 200.0])):
        steps, values = lines(axes, "alp-gmm")
        assert steps.tolist() == [105.0, 215.0]
        assert values.tolist() == expected


def test_band_is_the_interval_over_seeds() -> None:
    seeds = [record(seed).evaluations for seed in range(3)]
    curve = curve_of(seeds, "mean_return")
    for i in range(4):
        interval = mean_interval([seed[i].mean_return for seed in seeds])
        assert (curve.low[i], curve.mean[i], curve.high[i]) == (interval.low, interval.mean, interval.high)
    returns = learning_curve_figure({"random": [record(seed) for seed in range(3)]}, title="").axes[1]
    corners = np.asarray(returns.collections[0].get_paths()[0].vertices)
    assert {*curve.low, *curve.high} <= set(corners[:, 1])


def test_band_of_a_percentage_stays_within_0_and_100() -> None:
    curve = curve_of([record(seed).evaluations for seed in range(2)], "mastered")
    assert curve.low.min() >= 0.0
    assert curve.high.max() <= 100.0
    assert np.all((curve.low <= curve.mean) & (curve.mean <= curve.high))


def test_legend_counts_the_seeds_that_were_evaluated() -> None:
    runs = {"random": [record(0), record(1), Record()], "oracle": [record(2)], "alp-gmm": [Record()]}
    assert legend(learning_curve_figure(runs, title="")) == [
        "random (2 seeds)",
        "oracle (1 seed)",
        "alp-gmm (no evaluations yet)",
    ]


def test_mean_ends_with_the_shortest_seed_and_the_legend_says_so() -> None:
    runs = {"random": [record(0, evaluations=5), record(1, evaluations=3)]}
    figure = learning_curve_figure(runs, title="")
    assert len(lines(figure.axes[0], "random")[0]) == 3
    assert legend(figure) == ["random (2 seeds, mean of the first 3 of 5 evaluations)"]
    assert max(len(np.asarray(line.get_xdata())) for line in figure.axes[0].get_lines()) == 5


def test_wide_band_of_two_seeds_does_not_flatten_the_lines() -> None:
    seeds = [record(seed) for seed in range(2)]
    values = [test.mean_return for seed in seeds for test in seed.evaluations]
    bottom, top = learning_curve_figure({"random": seeds}, title="").axes[1].get_ylim()
    assert bottom < min(values) < max(values) < top
    assert top - bottom < 2.5 * (max(values) - min(values))


def test_two_seeds_have_no_band_and_three_have_one() -> None:
    for count in (2, 3):
        axes = learning_curve_figure({"random": [record(seed) for seed in range(count)]}, title="").axes[0]
        assert len(axes.collections) == count - 2


def test_lines_begin_with_the_untrained_student_unless_a_seed_was_not_tested_then() -> None:
    old, new, newer = record(0), record(1), record(2)
    for made in (new, newer):
        made.evaluations.insert(0, evaluation(0, [0.0] * 10))
    steps, values = lines(learning_curve_figure({"random": [new, newer]}, title="").axes[1], "random")
    assert (steps[0], values[0], len(steps)) == (0.0, 0.0, 5)
    steps, _ = lines(learning_curve_figure({"random": [old, new]}, title="").axes[1], "random")
    assert steps.tolist() == [1_000.5, 2_000.5, 3_000.5, 4_000.5]


def test_one_measure_may_be_shown_alone() -> None:
    (axes,) = learning_curve_figure({"random": [record()]}, title="", shows=("mean_return",)).axes
    assert axes.get_ylabel() == "mean return on the test tasks"


# curricula of two parameters


def test_every_episode_is_drawn_once_in_its_stretch() -> None:
    made = record(episodes=40)
    panels = maps(curriculum_figure({"random": [made]}, space(2), title=""))
    for i, axes in enumerate(panels):
        np.testing.assert_array_equal(dots(axes), made.tasks[10 * i : 10 * (i + 1)])
    assert [axes.get_title() for axes in panels] == [
        "0 to 1k steps",
        "1k to 2k steps",
        "2k to 3k steps",
        "3k to 4k steps",
    ]


def test_colours_are_the_outcomes_on_one_scale() -> None:
    made = record(episodes=40)
    figure = curriculum_figure({"random": [made], "oracle": [record(1)]}, space(2), title="")
    groups = [axes.collections[0] for axes in figure.axes[: 2 * STRETCHES]]
    np.testing.assert_array_equal(np.asarray(groups[1].get_array()), made.outcomes[10:20])
    shown = np.percentile([*made.outcomes, *record(1).outcomes], [2.5, 97.5])
    assert {(group.norm.vmin, group.norm.vmax) for group in groups} == {tuple(shown)}


def test_only_the_first_seed_is_drawn() -> None:
    both = curriculum_figure({"random": [record(0), record(1)]}, space(2), title="")
    assert sum(len(dots(axes)) for axes in maps(both)) == 40
    assert "first seed" in legend(both)[0]


def test_each_gaussian_in_force_as_a_stretch_ends_has_two_ellipses() -> None:
    made = record(episodes=40)
    made.sampling = [
        (1_500, mixture([[1.0, 1.0], [0.5, 2.0]], [0.9, 0.1])),
        (3_500, mixture([[1.0, 1.0], [0.5, 2.0], [0.2, 0.2]], [0.5, 0.4, 0.1])),
        (4_000, mixture([[1.0, 1.0]], [1.0])),  # fitted after the last episode: nothing was drawn from it
    ]
    panels = maps(curriculum_figure({"alp-gmm": [made]}, space(2), title=""))
    assert [len(ellipses(axes)) for axes in panels] == [0, 4, 4, 6]
    heavy, light = ellipses(panels[1])[0], ellipses(panels[1])[2]
    assert heavy.get_linewidth() > light.get_linewidth()
    assert np.asarray(heavy.get_center()).tolist() == [1.0, 1.0]
    assert (heavy.width, heavy.height) == pytest.approx((0.4, 0.4))  # twice the standard deviation of 0.2


def test_a_window_is_a_rectangle() -> None:
    made = record(episodes=40)
    made.sampling = [(0, Window(np.array([0.5, 1.0]), np.array([1.0, 3.0])))]
    panels = maps(curriculum_figure({"oracle": [made]}, space(2), title=""))
    for axes in panels:
        (window,) = axes.patches
        assert isinstance(window, Rectangle)
        assert (window.get_xy(), window.get_width(), window.get_height()) == ((0.5, 1.0), 0.5, 2.0)


def test_a_teacher_that_stopped_early_has_empty_maps_and_no_overlay_afterwards() -> None:
    short = record(episodes=10)
    short.sampling = [(0, mixture([[1.0, 1.0]], [1.0]))]
    runs = {"random": [record(episodes=40)], "alp-gmm": [short]}
    row = maps(curriculum_figure(runs, space(2), title=""), row=1)
    assert [len(ellipses(axes)) for axes in row] == [2, 0, 0, 0]
    assert [text.get_text() for axes in row[1:] for text in axes.texts] == ["no episodes"] * 3


def test_long_runs_are_thinned_evenly_and_the_legend_says_so() -> None:
    made = record(episodes=4 * (2 * DOTS_IN_MAP + 1), evaluations=0)
    figure = curriculum_figure({"random": [made]}, space(2), title="")
    inside = made.tasks[: 2 * DOTS_IN_MAP + 1]
    np.testing.assert_array_equal(dots(maps(figure)[0]), inside[::3])
    assert legend(figure)[0].endswith("one in 3 drawn")


def test_ellipse_of_a_correlated_gaussian() -> None:
    turn = np.array([[np.cos(0.5), -np.sin(0.5)], [np.sin(0.5), np.cos(0.5)]])
    width, height, angle = ellipse_axes(turn @ np.diag([9.0, 4.0]) @ turn.T, 2.0)
    assert (width, height) == pytest.approx((12.0, 8.0))
    assert angle % 180.0 == pytest.approx(np.degrees(0.5))
    assert ellipse_axes(np.zeros((2, 2)), 1.0)[:2] == (0.0, 0.0)


def test_what_is_in_force_began_before() -> None:
    first, second = mixture([[1.0, 1.0]], [1.0]), mixture([[0.5, 0.5]], [1.0])
    made = record()
    made.sampling = [(100, first), (200, second)]
    run = DrawnRun.of("alp-gmm", [made], space(2))
    assert [sampling_at(run, end) for end in (100, 101, 200, 201)] == [None, first, first, second]


# curricula of one parameter, and of many


@pytest.mark.parametrize("dimensions", [1, 3, 4, 12])
def test_every_teacher_and_parameter_has_a_panel(dimensions: int) -> None:
    runs = {name: [record(seed, dimensions=dimensions)] for seed, name in enumerate(["random", "alp-gmm"])}
    figure = curriculum_figure(runs, space(dimensions), title="")
    pairs = [(name, i) for name in runs for i in range(dimensions)]
    if dimensions > MOST_COLUMNS:  # then a row belongs to a parameter
        pairs = [(name, i) for i in range(dimensions) for name in runs]
    for axes, (name, i) in zip(figure.axes[:-1], pairs, strict=True):  # the last axes are the colour bar
        (made,) = runs[name]
        np.testing.assert_array_equal(dots(axes), np.column_stack([made.finished_at, made.tasks[:, i]]))


def test_spans_of_a_mixture_are_its_mean_and_standard_deviation() -> None:
    made = record(dimensions=1)
    centres, weights = np.array([[0.5], [1.5]]), np.array([0.25, 0.75])
    made.sampling = [(1_000, mixture(centres.tolist(), weights.tolist())), (9_999, mixture([[1.0]], [1.0]))]
    spans = sampled_spans(DrawnRun.of("alp-gmm", [made], space(1)), 1)
    assert spans is not None
    steps, low, centre, high = spans
    # variance of a mixture: 0.04 within, and 0.25 * 0.75 between two centres that are 1 apart
    spread = np.sqrt(0.04 + 0.25 * 0.75)
    assert steps.tolist() == [1_000, 4_000]
    np.testing.assert_allclose(centre[:, 0], 1.25)
    np.testing.assert_allclose(low[:, 0], 1.25 - spread)
    np.testing.assert_allclose(high[:, 0], 1.25 + spread)


def test_spans_of_a_window_are_its_bounds() -> None:
    made = record(dimensions=3)
    made.sampling = [(0, Window(np.zeros(3), np.array([1.0, 2.0, 3.0])))]
    spans = sampled_spans(DrawnRun.of("oracle", [made], space(3)), 3)
    assert spans is not None
    _, low, centre, high = spans
    assert (low[0].tolist(), high[0].tolist()) == ([0.0, 0.0, 0.0], [1.0, 2.0, 3.0])
    assert np.isnan(centre).all()


# both figures


LONG = "my_package.my_teachers:CuriousTeacherWithAVeryLongName and its settings (fit_every=100, random_share=0.1)"
CASES: Mapping[str, Mapping[str, Sequence[Record]]] = {
    "nothing yet": {"random": [], "alp-gmm": [Record(), Record()]},
    "one evaluation": {"random": [record(evaluations=1, episodes=1)]},
    "equal seeds": {"random": [record(), record()]},
    "six teachers": {name: [record(), record(1)] for name in ["random", "oracle", "alp-gmm", "riac", "b", LONG]},
}


@pytest.mark.parametrize("dimensions", [1, 2, 5])
@pytest.mark.parametrize("case", CASES)
def test_degenerate_runs_make_whole_pictures(case: str, dimensions: int, tmp_path: Path) -> None:
    runs = {
        name: [
            record(seed, dimensions=dimensions, episodes=len(made.feedback), evaluations=len(made.evaluations))
            for seed, made in enumerate(seeds)
        ]
        for name, seeds in CASES[case].items()
    }
    save_figure(learning_curve_figure(runs, title=LONG), tmp_path / "curves.png")
    save_figure(curriculum_figure(runs, space(dimensions), title=LONG), tmp_path / "tasks.png")
    for name in ("curves.png", "tasks.png"):
        with Image.open(tmp_path / name) as picture:
            assert picture.format == "PNG"
            assert picture.width >= 1_200
            assert picture.height >= 500
            assert picture.info["dpi"] == pytest.approx((150, 150), abs=0.1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["curves.png", "tasks.png"]


def test_a_gaussian_without_width_and_weights_of_zero_are_drawn(tmp_path: Path) -> None:
    flat = GaussianMixture(np.ones((2, 2)), np.zeros((2, 2, 2)), np.zeros(2), uniform=1.0)
    made = record()
    made.sampling = [(0, flat)]
    save_figure(curriculum_figure({"alp-gmm": [made]}, space(2), title=""), tmp_path / "flat.png")


def test_figures_leave_the_users_style_and_backend_alone(tmp_path: Path) -> None:
    with matplotlib.rc_context({"font.size": 33.0, "axes.facecolor": "black"}):
        before = dict(matplotlib.rcParams.items())
        figure = learning_curve_figure({"random": [record()]}, title="")
        save_figure(curriculum_figure({"random": [record()]}, space(2), title=""), tmp_path / "a.png")
        assert dict(matplotlib.rcParams.items()) == before
    assert to_hex(figure.axes[0].get_facecolor()) == "#ffffff"


def test_path_decides_the_format(tmp_path: Path) -> None:
    figure = learning_curve_figure({"random": [record()]}, title="")
    save_figure(figure, tmp_path / "curves.pdf")
    assert (tmp_path / "curves.pdf").read_bytes().startswith(b"%PDF")
    for name in ("curves", "curves.docx"):
        with pytest.raises(ValueError, match=r"\.png"):
            save_figure(figure, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["curves.pdf"]


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(ValueError, match="there are 0 teachers to draw; expected at least one"):
        learning_curve_figure({}, title="")
    with pytest.raises(ValueError, match="there are 0 teachers to draw; expected at least one"):
        curriculum_figure({}, space(2), title="")
    with pytest.raises(ValueError, match="'random' have 3 parameters; expected 2: knob_0, knob_1"):
        curriculum_figure({"random": [record(dimensions=3)]}, space(2), title="")


SHARES = Mastery(space(2).uniform(np.random.default_rng(0), 4), np.array([0.0, 0.2, 0.4, 0.4]), np.arange(4.0), 5)


def every_figure() -> Iterator[Figure]:
    runs = {"random": [record(0), record(1)], "alp-gmm": [record(2), record(3)]}
    yield learning_curve_figure(runs, title="title")
    yield learning_curve_figure(runs, title="title", shows=("mastered",))
    for dimensions in (1, 2, 5):
        of_space = {name: [record(dimensions=dimensions)] for name in runs}
        of_space["alp-gmm"][0].sampling = [(0, Window(np.zeros(dimensions), np.ones(dimensions)))]
        yield curriculum_figure(of_space, space(dimensions), title="title")
    for dimensions in (2, 3):
        yield mastery_figure({"random": SHARES}, space(dimensions), title="title", outcome_name="return")
    skills = Mastery(np.arange(4.0)[:, None], SHARES.share, np.array([0.2, 0.3, 0.4, 0.5]), 5)
    names = ("a", "b", "c", "d")
    yield mastery_figure({"random": skills}, space(1), title="title", outcome_name="accuracy", skills=names)
    scores = {"random": [1.0, 2.0], "alp-gmm": [3.0]}
    yield score_figure(scores, score_name="score")
    intervals = {name: {"mean": mean_interval([1.0, 2.0])} for name in scores}
    yield interval_figure(intervals, score_name="score")
    profiles = {
        name: performance_profile([of], np.arange(4.0), np.random.default_rng(0)) for name, of in scores.items()
    }
    yield profile_figure(profiles, score_name="score", intervals=True)


def test_all_text_of_all_figures_has_one_size() -> None:
    for figure in every_figure():
        sizes = {text.get_fontsize() for text in figure.findobj(Text) if text.get_text()}
        assert sizes == {FONT_SIZE}


def test_figures_fit_a_page_or_a_column() -> None:
    for figure in every_figure():
        assert figure.get_figwidth() <= PAGE_WIDTH
    curves = learning_curve_figure({"random": [record()]}, title="", shows=("mastered",))
    assert curves.get_figwidth() == COLUMN_WIDTH


@pytest.mark.parametrize("dimensions", [2, 3])
def test_colours_of_what_is_mastered_go_over_what_is_shown(dimensions: int) -> None:
    axes = mastery_figure({"random": SHARES}, space(dimensions), title="", outcome_name="return").axes[0]
    (drawn,) = axes.collections or axes.images
    assert (drawn.norm.vmin, drawn.norm.vmax) == (0.0, 0.4)


@pytest.mark.parametrize(
    ("values", "ends"),
    [([3.0, 1.0, 2.0], (1.0, 3.0)), ([-2.0, -2.0], (-2.0, 0.0)), ([0.0], (0.0, 1.0)), ([], (0.0, 1.0))],
)
def test_ends_of_a_colour_scale(values: list[float], ends: tuple[float, float]) -> None:
    scale = colour_scale(np.array(values))
    assert (scale.vmin, scale.vmax) == ends


def test_a_few_extreme_outcomes_do_not_leave_the_others_all_alike() -> None:
    made = record(episodes=100)
    made.feedback[0] = replace(made.feedback[0], outcome=-1e6)
    figure = curriculum_figure({"random": [made]}, space(2), title="")
    scale = figure.axes[0].collections[0].norm
    assert np.sum(np.asarray(scale(made.outcomes)) < 0.0) == 3, "of a hundred"
    assert {axes.collections[0].norm.vmax for axes in maps(figure)} == {np.percentile(made.outcomes, 97.5)}


def test_every_run_has_a_point_and_every_teacher_its_mean() -> None:
    (axes,) = score_figure({"random": [1.0, 2.0, 6.0], "alp-gmm": [4.0]}, score_name="% mastered").axes
    points = {tuple(np.asarray(line.get_xdata()).tolist()) for line in axes.get_lines()}
    assert points == {(1.0, 2.0, 6.0), (4.0,)}
    assert [label.get_text() for label in axes.get_yticklabels()] == ["alp-gmm", "random"], "the first on top"
    strokes = [np.asarray(one.get_paths()[0].vertices)[0, 0] for one in axes.collections]
    assert strokes == [4.0, 3.0]


# looks


def test_a_registered_teacher_looks_the_same_beside_whomever() -> None:
    alone, together = teacher_looks(["oracle"]), teacher_looks(["mine", "random", "oracle", "alp-gmm"])
    assert alone["oracle"] == together["oracle"]
    assert len({look.colour for look in together.values()}) == 4


def test_more_teachers_than_colours_differ_in_their_lines() -> None:
    looks = teacher_looks([f"teacher-{i}" for i in range(2 * len(COLOURS))])
    assert len(set(looks.values())) == 2 * len(COLOURS)
    with pytest.raises(ValueError, match="at most"):
        teacher_looks(map(str, range(100)))


@pytest.mark.parametrize(
    ("steps", "text"),
    [(0, "0"), (950, "950"), (1_000, "1k"), (12_500, "12.5k"), (999_950, "1M"), (3e6, "3M"), (2e9, "2G")],
)
def test_steps_are_written_short(steps: float, text: str) -> None:
    assert short_steps(steps) == text


def test_labels_carry_units_and_long_names_are_cut() -> None:
    assert parameter_label(Parameter("stump_height", 0.0, 3.0, "terrain steps")) == "stump height (terrain steps)"
    assert parameter_label(Parameter("x", 0.0, 3.0)) == "x"
    assert wrapped("alp-gmm", 20) == "alp-gmm"
    cut = wrapped(LONG, 20).split("\n")
    assert len(cut) == 2
    assert all(len(line) <= 20 for line in cut)
    assert cut[1].endswith("…")
