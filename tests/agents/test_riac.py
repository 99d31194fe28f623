from typing import Any

import numpy as np
import pytest
from scipy.stats import ks_2samp

from teachgym.agents.progress.region_tree import Region, RegionTree, progress_of
from teachgym.agents.progress.riac import Riac, RiacSettings
from teachgym.core.task_space import FloatArray, Parameter, TaskSpace
from teachgym.testing.equality import difference
from teachgym.testing.teacher import check_teacher
from tests.agents.specs import WALKER, answer, spec, teach

QUICK = RiacSettings(max_region_size=12, split_attempts=5, min_dims_range_ratio=0.1, mutation_share=0.3)


def tree(space: TaskSpace = WALKER, **changes: Any) -> RegionTree:
    chosen: dict[str, Any] = {
        "max_region_size": 200,
        "split_attempts": 50,
        "min_population": 10,
        "min_side": space.range / 15,
        "window": 200,
        "faithful": False,
    }
    return RegionTree(space, **(chosen | changes))


def grown(answers: int, **changes: Any) -> RegionTree:
    """A tree of noisy answers to uniform tasks."""
    made, rng = tree(**changes), np.random.default_rng(0)
    for _ in range(answers):
        made.add(WALKER.uniform(rng), rng.random(), rng)
    return made


def own_progress(region: Region) -> float:
    """The progress of a region's newest 200 outcomes, computed plainly."""
    newest = np.array(region.outcomes[-200:])
    half = len(newest) // 2
    return abs(float(np.mean(newest[: len(newest) - half]) - np.mean(newest[len(newest) - half :])))


def children(tree: RegionTree, region: Region) -> list[Region]:
    return tree.regions[region.first_child : region.first_child + 2]


@pytest.mark.parametrize(
    ("outcomes", "window", "progress"),
    [
        ([], 200, 0),
        ([0, 1], 200, 0),
        ([0, 0, 1], 200, 1),
        ([0, 3, 5, 9, 4], 200, abs((0 + 3 + 5) / 3 - (9 + 4) / 2)),
        ([100, 0, 0, 1, 1], 4, 1),
        ([100, 5, 3, 0], 3, abs((5 + 3) / 2 - 0)),
    ],
)
def test_progress_compares_the_newer_half_with_the_older(outcomes: list[float], window: int, progress: float) -> None:
    assert progress_of(outcomes, window) == progress


def test_the_201st_answer_splits_the_root() -> None:
    assert len(grown(200).regions) == 1
    assert len(grown(201).regions) == 3


@pytest.mark.parametrize("faithful", [False, True])
def test_the_cut_is_nearly_the_best_of_all(faithful: bool) -> None:
    space = TaskSpace([Parameter("height", 0.0, 1.0)])
    rng = np.random.default_rng(1)
    tasks = rng.random(201)
    outcomes = (tasks < 0.3) * np.arange(201) / 201 + 0.05 * rng.random(201)  # only below 0.3 does it learn

    def score(threshold: float) -> float:
        sides = [outcomes[tasks <= threshold][-200:], outcomes[tasks > threshold][-200:]]
        progress = [abs(np.mean(side[: -(len(side) // 2)]) - np.mean(side[-(len(side) // 2) :])) for side in sides]
        return float(abs(progress[0] - progress[1]) * (1 if faithful else len(sides[0]) * len(sides[1])))

    made = tree(space, split_attempts=500, faithful=faithful)
    for task, outcome in zip(tasks, outcomes, strict=True):
        made.add(np.array([task]), outcome, rng)
    allowed = [t for t in np.linspace(1 / 15, 14 / 15, 3000) if 10 <= np.count_nonzero(tasks <= t) <= 191]
    best, chosen = max(allowed, key=score), float(made.regions[1].high[0])
    assert score(chosen) >= 0.97 * score(best)
    assert chosen == pytest.approx(best, abs=0.05)


def test_new_regions_have_their_own_progress_but_in_the_authors_code_that_of_the_last_cut() -> None:
    for faithful in (False, True):
        made = grown(201, faithful=faithful)
        own = [own_progress(region) for region in made.regions]
        assert np.allclose(made.progress, own) is not faithful
        task = (made.regions[1].low + made.regions[1].high) / 2
        made.add(task, 0.5, np.random.default_rng(0))
        assert made.progress[1] == pytest.approx(own_progress(made.regions[1]))
        assert (made.progress[2] == pytest.approx(own[2])) is not faithful


def test_regions_halve_their_parents_down_to_a_fifteenth_of_each_range() -> None:
    made = grown(20_000)
    assert len(made.regions) > 100
    for region in made.regions:
        assert (region.high - region.low >= WALKER.range / 15).all()
        assert 10 <= len(region.tasks) <= 201
        assert all((region.low <= task).all() and (task <= region.high).all() for task in region.tasks)
        if region.first_child < 0:
            continue
        below, above = children(made, region)
        other = 1 - region.dimension
        assert below.high[region.dimension] == above.low[region.dimension]
        assert below.low.tolist() == region.low.tolist()
        assert above.high.tolist() == region.high.tolist()
        assert below.high[other] == region.high[other]
        assert above.low[other] == region.low[other]


def test_inner_regions_keep_their_newest_201_answers() -> None:
    made, rng = tree(), np.random.default_rng(0)
    for i in range(1000):
        made.add(WALKER.uniform(rng), i, rng)
    assert made.regions[0].outcomes == list(range(799, 1000))
    assert made.progress[0] == pytest.approx(100)


def test_a_region_that_cannot_be_cut_forgets_its_oldest_quarter() -> None:
    made, rng = tree(), np.random.default_rng(0)
    sizes = []
    for i in range(2000):
        made.add(np.array([1.0, 2.0]), i, rng)
        sizes.append(len(made.regions[0].tasks))
    assert len(made.regions) == 1
    assert sizes[199:202] == [200, 151, 152]
    assert max(sizes) == 200
    assert made.regions[0].outcomes[-1] == 1999


def test_nearly_equal_tasks_do_not_split_forever() -> None:
    made, rng = tree(), np.random.default_rng(0)
    for _ in range(10_000):
        made.add(np.array([1.0, 2.0]) + 1e-9 * rng.random(2), rng.random(), rng)
    assert len(made.regions) < 20


def test_a_task_on_a_threshold_is_remembered_on_both_sides() -> None:
    made = grown(201)
    root = made.regions[0]
    task = (root.low + root.high) / 2
    task[root.dimension] = made.regions[1].high[root.dimension]
    before = [len(region.tasks) for region in made.regions]
    made.add(task, 0, np.random.default_rng(0))
    assert [len(region.tasks) for region in made.regions] == [201, before[1] + 1, before[2] + 1]


def test_cuts_are_distributed_as_if_drawn_until_enough_answers_are_on_each_side() -> None:
    rng = np.random.default_rng(0)
    tasks = np.stack([rng.uniform(0, 3, 60), rng.normal(2, 0.5, 60)], axis=1)
    wanted: list[tuple[int, float]] = []
    while len(wanted) < 3000:
        dimension = int(rng.integers(2))
        threshold = float(rng.uniform(WALKER.low[dimension], WALKER.high[dimension]))
        if 10 <= np.count_nonzero(tasks[:, dimension] <= threshold) <= 50:
            wanted.append((dimension, threshold))
    made = tree(split_attempts=3000)
    drawn = made._cuts(made.regions[0], tasks, rng)
    shares = [np.mean([dimension == 0 for dimension, _ in cuts]) for cuts in (wanted, drawn)]
    assert shares[0] == pytest.approx(shares[1], abs=0.04)
    for i in range(2):
        one, other = ([threshold for dimension, threshold in cuts if dimension == i] for cuts in (wanted, drawn))
        assert ks_2samp(one, other).pvalue > 0.01


def test_regions_are_chosen_in_proportion_to_progress_or_equally_without_any() -> None:
    made, rng = grown(201), np.random.default_rng(0)
    made.progress[:] = 0.5, 0.2, 0.3
    for leaves_only, expected in [(False, [0.5, 0.2, 0.3]), (True, [0, 0.4, 0.6])]:
        chosen = [made.choose(rng, leaves_only=leaves_only) for _ in range(3000)]
        np.testing.assert_allclose(np.bincount(chosen, minlength=3) / 3000, expected, atol=0.03)
    made.progress[:] = 0
    for leaves_only, expected in [(False, [1 / 3] * 3), (True, [0, 0.5, 0.5])]:
        chosen = [made.choose(rng, leaves_only=leaves_only) for _ in range(3000)]
        np.testing.assert_allclose(np.bincount(chosen, minlength=3) / 3000, expected, atol=0.03)


def test_a_loaded_tree_is_the_same() -> None:
    made, loaded = grown(3000), tree()
    loaded.load(made.state())
    for old, new in zip(made.regions, loaded.regions, strict=True):
        np.testing.assert_array_equal(old.tasks, new.tasks)
        assert (old.outcomes, old.dimension, old.first_child) == (new.outcomes, new.dimension, new.first_child)
    task, rngs = np.array([1.0, 2.0]), (np.random.default_rng(0), np.random.default_rng(0))
    for _ in range(300):
        made.add(task, 1.0, rngs[0])
        loaded.add(task, 1.0, rngs[1])
    assert difference(made.state(), loaded.state()) is None


def test_a_fifth_is_random_and_a_tenth_mutated() -> None:
    teacher = Riac(spec(), seed=0)
    teacher.act(None)
    assert teacher.origin in ("random", "region 0")  # nothing to mutate yet
    teach(teacher, 1000, lambda task: float(100 * task[0]))
    origins = []
    for _ in range(3000):
        teacher.act(None)
        origins.append(teacher.origin.split()[0])
    shares = [origins.count(origin) / 3000 for origin in ("random", "mutation", "region")]
    np.testing.assert_allclose(shares, [0.2, 0.1, 0.7], atol=0.03)


@pytest.mark.parametrize(("normalise", "deviation"), [(False, [0.1, 0.1]), (True, [0.3, 0.6])])
def test_mutations_lie_around_the_task_with_the_least_outcome(normalise: bool, deviation: list[float]) -> None:
    settings = RiacSettings(random_share=0, mutation_share=1, normalise=normalise)
    teacher = Riac(spec(), settings, seed=0)
    for task, outcome in [([0, 0], 100), ([1.5, 3], -100), ([3, 6], 200)]:
        teacher.update(answer(task, outcome))
    tasks = np.array([teacher.act(None) for _ in range(3000)])
    assert teacher.origin == "mutation 0"
    np.testing.assert_allclose(tasks.mean(axis=0), [1.5, 3], atol=0.05)
    np.testing.assert_allclose(tasks.std(axis=0), deviation, rtol=0.06)


def test_mutations_stay_inside_their_region() -> None:
    teacher = Riac(spec(), RiacSettings(random_share=0, mutation_share=1, mutation_noise=5.0), seed=0)
    teach(teacher, 201, lambda task: float(100 * task[0]))
    for _ in range(300):
        task = teacher.act(None)
        region = teacher._tree.regions[int(teacher.origin.split()[1])]
        assert (region.low < task).all()
        assert (task < region.high).all()


def test_other_draws_are_uniform_in_their_region() -> None:
    teacher = Riac(spec(), RiacSettings(random_share=0, mutation_share=0), seed=0)
    teach(teacher, 201, lambda task: float(100 * task[0]))
    teacher._tree.progress[:] = 0, 1, 0
    region = teacher._tree.regions[1]
    units = np.array([teacher.act(None) for _ in range(2000)] - region.low) / (region.high - region.low)
    np.testing.assert_allclose(units.mean(axis=0), [0.5, 0.5], atol=0.03)
    np.testing.assert_allclose([units.min(), units.max()], [0, 1], atol=0.01)


@pytest.mark.parametrize("faithful", [False, True])
def test_where_one_corner_teaches_it_goes_there_more_often_than_uniform(faithful: bool) -> None:
    visits = 0

    def corner(task: FloatArray) -> float:
        nonlocal visits
        if task[0] > 1 or task[1] > 2:
            return -150
        visits += 1
        return min(-150 + 0.5 * visits, 350)

    settings = RiacSettings(max_region_size=60, faithful=faithful)
    tasks = teach(Riac(spec(), settings, seed=0), 2000, corner)
    shares = [np.mean([task[0] <= 1 and task[1] <= 2 for task in part]) for part in (tasks[:60], tasks[500:1500])]
    assert shares[0] < 0.25  # a ninth is uniform
    assert shares[1] > 0.4


def test_outcomes_are_scaled_and_clipped_unless_told_otherwise() -> None:
    for scaled, kept in [(True, [0, 0.5, 1]), (False, [-9000, 100, 9000])]:
        teacher = Riac(spec(), RiacSettings(scale_outcomes=scaled), seed=0)
        for outcome in (-9000, 100, 9000):
            teacher.update(answer([1, 1], outcome))
        assert teacher._tree.regions[0].outcomes == kept


@pytest.mark.parametrize("changes", [{}, {"faithful": True}, {"sampling_in_leaves_only": True, "normalise": True}])
def test_it_keeps_the_contract(changes: dict[str, Any]) -> None:
    settings = {**vars(QUICK), **changes}
    check_teacher(Riac, settings=RiacSettings(**settings), episodes=100)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"max_region_size": 3}, "max_region_size is 3; expected a whole number, at least 4"),
        ({"split_attempts": 0}, "split_attempts is 0"),
        ({"min_dims_range_ratio": 0}, r"min_dims_range_ratio is 0; expected a number in \(0, 1\]"),
        ({"min_population": 0}, "min_population is 0"),
        ({"min_population": 101}, "min_population is 101; expected at most half of max_region_size, which is 200"),
        ({"window": 1}, "window is 1"),
        ({"random_share": -0.1}, "random_share is -0.1"),
        ({"mutation_share": 1.1}, "mutation_share is 1.1"),
        ({"random_share": 0.6, "mutation_share": 0.5}, "expected a sum of at most 1"),
        ({"mutation_noise": 0}, "mutation_noise is 0"),
    ],
)
def test_bad_settings_are_named(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RiacSettings(**setting)
