"""The eight-parameter course, Gymnasium's hardcore course, and the published test protocol."""

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.box2d.bipedal_walker import BipedalWalkerHeuristics
from numpy.typing import NDArray

from teachgym.core.evaluation import Evaluation
from teachgym.envs.tasks.evaluation_courses import FLAT_STEPS, HARDCORE, TEST_COURSES, CourseResult, play_test_courses
from teachgym.envs.tasks.tracks import ObstacleCourseEnv
from teachgym.envs.worlds.bipedal_walker import obstacle_course
from teachgym.envs.worlds.bipedal_walker.batch import WalkerBatch
from teachgym.envs.worlds.bipedal_walker.obstacle_course import RANGES, Hardcore, ObstacleCourse
from teachgym.envs.worlds.bipedal_walker.terrain import Grass
from teachgym.envs.worlds.bipedal_walker.track import Polygon, Terrain, Track, can_be_built
from teachgym.envs.worlds.bipedal_walker.world import ParametricBipedalWalker
from teachgym.students import CallableStudent
from teachgym.worlds.world_batch import WorldBatch
from tests.envs.tasks.test_tracks import lunge
from tests.envs.worlds.bipedal_walker.walker_moves import move, reference_walker, simulation_of

STEP = 14 / 30
HEIGHT = 400 / 30 / 4
COURSE = ObstacleCourse()


def task(**parameters: float) -> NDArray[np.float64]:
    """A task without roughness and obstacles but for those given."""
    nothing = dict(zip(COURSE.task_space.names, [0.0] * 7 + [1.0], strict=True))
    return COURSE.task_space.validate({**nothing, **parameters})


def stumps(low: float, high: float) -> NDArray[np.float64]:
    return task(stump_height_low=low, stump_height_high=high)


def stairs(low: float, high: float, steps: float) -> NDArray[np.float64]:
    return task(stair_height_low=low, stair_height_high=high, stair_steps=steps)


def pits(low: float, high: float) -> NDArray[np.float64]:
    return task(pit_gap_low=low, pit_gap_high=high)


def make(chosen: NDArray[np.float64], seed: int = 0, terrain: Terrain = COURSE) -> Track:
    return terrain.generate(chosen, np.random.default_rng(seed))


def boxes(track: Track) -> NDArray[np.float64]:
    """Left, right, bottom and top of each polygon, in terrain steps, heights above the start pad."""
    corners = np.array(track.obstacles).reshape(-1, 4, 2) / STEP
    (left, bottom), (right, top) = corners.min(axis=1).T, corners.max(axis=1).T
    return np.array([left, right, bottom - HEIGHT / STEP, top - HEIGHT / STEP]).T


def blocks_of_many(chosen: NDArray[np.float64], terrain: Terrain = COURSE) -> NDArray[np.float64]:
    return np.concatenate([boxes(make(chosen, seed, terrain)) for seed in range(40)])


def test_the_full_ranges_and_the_steps_towards_harder_are_the_authors() -> None:
    space = ObstacleCourse("full").task_space
    assert space.names == (
        "ground_roughness",
        "pit_gap_low",
        "pit_gap_high",
        "stump_height_low",
        "stump_height_high",
        "stair_height_low",
        "stair_height_high",
        "stair_steps",
    )
    np.testing.assert_array_equal(space.low, [0, 0, 0, 0, 0, 0, 0, 1])
    np.testing.assert_array_equal(space.high, [10, 10, 10, 5, 5, 5, 5, 9])
    assert [p.harder for p in space.parameters] == [0.6, 0.4, 0.4, 0.2, 0.2, 0.2, 0.2, 1]


def test_the_easy_ranges_lie_within_the_full_ones_and_have_no_stairs() -> None:
    easy, full = ObstacleCourse("easy").task_space, COURSE.task_space
    assert (easy.low >= full.low).all()
    np.testing.assert_array_equal(easy.high[:7], [0.6, 0.8, 0.8, 0.4, 0.4, 0.4, 0.4])
    assert round(easy.high[7]) == 1
    assert len(make(stairs(0.2, 0.4, easy.high[7])).obstacles) == 0


def test_unknown_ranges_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown ranges of the obstacle course 'eazy'; did you mean 'easy'"):
        ObstacleCourse("eazy")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("high", "chosen"),
    [(0.2, stumps), (0.2, lambda low, high: stairs(low, high, 5)), (0.8, pits)],
    ids=["stumps", "stairs", "pits"],
)
def test_a_kind_of_obstacle_whose_high_is_too_low_is_left_out(high: float, chosen: Callable[..., Any]) -> None:
    assert len(blocks_of_many(chosen(0.0, high - 1e-6))) == 0
    assert len(blocks_of_many(chosen(0.0, high))) > 0


def test_without_obstacles_at_roughness_1_it_is_grass_bit_for_bit() -> None:
    for seed in range(10):
        one, other = np.random.default_rng(seed), np.random.default_rng(seed)
        assert COURSE.generate(task(ground_roughness=1.0), one) == Grass().generate(np.array([1.0]), other)
        assert one.bit_generator.state == other.bit_generator.state


def test_roughness_multiplies_every_change_of_height() -> None:
    level, gentle, rough = (
        np.array(make(task(ground_roughness=roughness)).ground)[:, 1] - HEIGHT for roughness in (0.0, 0.5, 2.0)
    )
    assert (level == 0).all()
    # Only until the first step back: that depends on the side of the start pad's height.
    until = int(np.flatnonzero(gentle)[0]) + 2
    np.testing.assert_allclose(rough[:until], 4 * gentle[:until])


def test_stump_heights_are_uniform_between_low_and_high_in_either_order() -> None:
    found = blocks_of_many(stumps(1.0, 3.0))
    tops = found[:, 3]
    assert tops.min() > 1.0 - 1e-9
    assert tops.max() < 3.0 + 1e-9
    assert tops.mean() == pytest.approx(2.0, abs=0.1)
    np.testing.assert_allclose(found[:, 1] - found[:, 0], 1.0)
    np.testing.assert_allclose(found[:, 2], 0.0, atol=1e-9)
    assert make(stumps(1.0, 3.0)) == make(stumps(3.0, 1.0))


def test_the_first_stump_is_as_high_as_drawn_however_low() -> None:
    for seed in range(40):
        rng = np.random.default_rng(seed)
        rng.integers(5, 10)  # the length of a stretch
        (_, left_y), _, (_, top), _ = make(stumps(0.0, 0.4), seed).obstacles[0]
        assert left_y == HEIGHT
        assert top == HEIGHT + rng.uniform(0.0, 0.4) * STEP


def test_an_eighth_of_the_stumps_of_easy_courses_is_lower_than_a_twentieth_of_a_step() -> None:
    tops = blocks_of_many(stumps(0.0, 0.4))[:, 3]
    assert len(tops) > 400
    assert 0.0 < tops.min() < 0.01
    assert np.mean(tops < 0.05) == pytest.approx(1 / 8, abs=0.05)


def test_a_stump_too_low_for_box2d_is_drawn_again() -> None:
    seed, chosen = 100, stumps(0.0, 0.2)
    refused = []

    def noted(block: Polygon) -> bool:
        built = can_be_built(block)
        refused.extend([] if built else [block])
        return built

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(obstacle_course, "can_be_built", noted)
        track = make(chosen, seed)
    assert len(refused) == 1
    (_, bottom), _, (_, top), _ = refused[0]
    assert top - bottom < 1e-4 * STEP
    assert len(boxes(track)) == len(track.obstacles) > 10


def test_the_first_obstacle_stands_where_the_start_pad_ends_and_grass_parts_the_others() -> None:
    for seed in range(20):
        lefts = boxes(make(stumps(1.0, 1.0), seed))[:, 0]
        assert lefts[0] == pytest.approx(20)
        apart = np.diff(lefts)
        assert apart.min() > 10 - 1e-9
        assert apart.max() < 18 + 1e-9


def test_a_pit_is_as_wide_between_its_posts_as_drawn_and_four_deep() -> None:
    for seed in range(40):
        track = make(pits(2.0, 4.5), seed)
        found = boxes(track).reshape(-1, 2, 4)
        gaps = found[:, 1, 0] - found[:, 0, 1]
        assert gaps.min() > 2.0 - 1e-9
        assert gaps.max() < 4.5 + 1e-9
        np.testing.assert_allclose(found[:, :, 3], 0.0, atol=1e-9)
        np.testing.assert_allclose(found[:, :, 2], -4.0)
        x, y = np.array(track.ground).T / STEP
        for (_, inner_left, _, _), (inner_right, right, _, _) in found:
            if right < 199:
                between = (x >= inner_left - 1e-9) & (x < inner_right + 1e-9)
                np.testing.assert_allclose(y[between] - HEIGHT / STEP, -4.0)
                assert np.isclose(x, right).any()


@pytest.mark.parametrize("most", [2, 5, 9])
def test_a_staircase_has_from_0_to_one_less_than_the_steps_each_as_high_as_drawn(most: int) -> None:
    counts, directions = set(), set()
    for seed in range(75):
        found = boxes(make(stairs(1.0, 2.0, most), seed))
        flights = np.split(found, np.flatnonzero(~np.isclose(found[1:, 0], found[:-1, 1])) + 1) if len(found) else []
        for flight in flights:
            heights = flight[:, 3] - flight[:, 2]
            np.testing.assert_allclose(heights, heights[0])
            assert 1.0 - 1e-9 < heights[0] < 2.0 + 1e-9
            np.testing.assert_allclose(flight[:, 1] - flight[:, 0], 4.0)
            rises = np.diff(flight[:, 3])
            np.testing.assert_allclose(np.abs(rises), heights[0])
            directions |= set(np.sign(rises))
            counts.add(len(flight))
    assert counts == set(range(1, most))
    assert directions == ({-1.0, 1.0} if most > 2 else set())


@pytest.mark.parametrize("seed", [25, 43, 56, 60, 72, 80])
def test_steps_of_at_most_a_hundredth_are_not_built_and_bend_the_ground_as_little(seed: int) -> None:
    rng = np.random.default_rng(seed)
    length, rise, up, steps = int(rng.integers(5, 10)), rng.uniform(0.0, 0.2), rng.random() > 0.5, int(rng.integers(5))
    assert rise <= 0.01
    track = make(stairs(0.0, 0.2, 5), seed)
    assert not np.isclose(boxes(track)[:, 0], 20).any()
    levels = np.array([(4 * steps - left) // 4 for left in range(length - 1, 0, -1)])
    bent = np.array(track.ground)[20 : 20 + length, 1] / STEP - HEIGHT / STEP
    np.testing.assert_allclose(bent, [0.0, *(rise * (levels if up else -levels - 1))], atol=1e-12)


def test_stair_steps_are_rounded() -> None:
    assert make(stairs(1, 1, 4.6)) == make(stairs(1, 1, 5.4)) == make(stairs(1, 1, 5))
    assert make(stairs(1, 1, 4.4)) != make(stairs(1, 1, 5))


def test_the_ground_runs_along_the_tops_of_stairs_that_go_up_and_the_bottoms_of_those_that_go_down() -> None:
    for seed in range(30):
        track = make(stairs(2, 2, 9), seed)
        found = boxes(track)
        x, y = np.array(track.ground).T / STEP
        for left, right, bottom, top in found:
            under = (x > left + 1e-9) & (x < right + 1e-9)
            level = y[under] - HEIGHT / STEP
            assert np.isclose(level, top).all() or np.isclose(level, bottom).all()


def test_all_kinds_come_and_sizes_stay_apart_per_kind() -> None:
    found = blocks_of_many(
        task(pit_gap_high=3, stump_height_low=1, stump_height_high=1, stair_height_high=2, stair_steps=4)
    )
    widths = np.round(found[:, 1] - found[:, 0]).astype(int)
    depths = np.round(found[:, 3] - found[:, 2], 6)
    assert set(widths) == {1, 4}
    assert {1.0, 4.0} == set(depths[widths == 1])


def test_the_hardest_courses_are_valid_and_can_be_walked_on() -> None:
    space = COURSE.task_space
    for chosen in (space.low, space.high, np.where(np.arange(8) % 2, space.low, space.high)):
        for engine in ("fast", "reference"):
            env = ParametricBipedalWalker(terrain="obstacle-course", engine=engine)
            for seed in range(3):
                env.reset(seed=seed, options={"task": chosen})
                rng = np.random.default_rng(seed)
                for _ in range(40):
                    assert env.step(rng.uniform(-1, 1, 4))[0] in env.observation_space


def test_hardcore_equals_a_new_bipedal_walker_hardcore_step_for_step() -> None:
    for seed in range(12):
        theirs = gymnasium.make("BipedalWalkerHardcore-v3").unwrapped
        ours = ParametricBipedalWalker(terrain="hardcore")
        observation, _ = theirs.reset(seed=seed)
        our_observation, _ = ours.reset(seed=seed, options={"task": 1.0})
        np.testing.assert_array_equal(our_observation, observation)
        assert ours.np_random.bit_generator.state == theirs.np_random.bit_generator.state
        controller = BipedalWalkerHeuristics()
        for _ in range(300):
            action = np.array(controller.step_heuristic(observation), dtype=np.float64)  # type: ignore[no-untyped-call]
            observation, reward, terminated, _, _ = theirs.step(action)
            our_observation, our_reward, our_terminated, _, _ = ours.step(action)
            np.testing.assert_array_equal(our_observation, observation)
            assert (our_reward, our_terminated) == (reward, terminated)
            if terminated:
                break


def test_every_piece_of_the_hardcore_course_lies_where_gymnasiums_does() -> None:
    for seed in range(12):
        theirs: Any = gymnasium.make("BipedalWalkerHardcore-v3").unwrapped
        theirs.reset(seed=seed)
        ours = reference_walker(terrain="hardcore")
        ours.reset(seed=seed, options={"task": 1.0})
        simulation = simulation_of(ours)
        shapes = [np.array(body.fixtures[0].shape.vertices) for body in reversed(theirs.terrain)]
        pieces = [*simulation.obstacles, *simulation.edges]
        assert len(shapes) == len(pieces)
        for shape, piece in zip(shapes, pieces, strict=True):
            np.testing.assert_array_equal(np.asarray(piece, np.float32), np.asarray(shape, np.float32))


def test_hardcore_can_be_rougher() -> None:
    level, rough = (make(np.array([roughness]), 3, Hardcore()) for roughness in (0.0, 2.0))
    assert level.ground != rough.ground


def test_the_picture_follows_a_walker_down_and_up() -> None:
    env = reference_walker(terrain="obstacle-course", render_mode="rgb_array")
    env.reset(seed=0, options={"task": task()})
    still = env.render()
    move(env, simulation_of(env).hull_x, up=-40.0)
    below = env.render()
    assert still is not None
    assert below is not None
    hull = (92, 84, 184)
    assert (still == hull).all(axis=2).any()
    assert (below == hull).all(axis=2).any()


def fall(observations: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.ones((len(observations), 4))


def test_the_test_courses_are_tasks() -> None:
    assert all(COURSE.task_space.contains(COURSE.task_space.validate(course)) for course in TEST_COURSES.values())


def test_the_protocol_plays_100_episodes_to_the_time_limits_of_the_originals(monkeypatch: pytest.MonkeyPatch) -> None:
    played = []

    def note(policy: object, make_batch: Callable[[int], WorldBatch], tasks: object, **settings: object) -> Evaluation:
        batch = make_batch(1)
        assert isinstance(batch, WalkerBatch)
        played.append((len(np.array(tasks)), batch.step_limit))
        return Evaluation(np.zeros((1, 8)), np.zeros(1), np.ones(1, dtype=np.int64), 230.0, 0)

    monkeypatch.setattr("teachgym.envs.tasks.evaluation_courses.evaluate", note)
    play_test_courses(fall, seed=0, walker={})
    assert played == [(100, FLAT_STEPS), *[(100, 2000)] * 5]
    assert gymnasium.spec("BipedalWalker-v3").max_episode_steps == FLAT_STEPS
    assert gymnasium.spec("BipedalWalkerHardcore-v3").max_episode_steps == 2000


def test_the_protocol_plays_six_courses_alike_on_both_engines() -> None:
    fast, reference = (
        play_test_courses(fall, seed=0, episodes=3, walker={"engine": engine}) for engine in ("fast", "reference")
    )
    assert fast == reference
    names = ["BipedalWalker-v3", HARDCORE, "Med-Stairs", "Med-PitGap", "Med-StumpHeight", "Med-Roughness"]
    assert list(fast) == names
    assert {result.episodes for result in fast.values()} == {3}
    assert all(result.solved == 0.0 for result in fast.values())
    assert all(-150 < result.mean_return < -90 for result in fast.values())


@pytest.mark.slow
def test_gymnasiums_controller_solves_the_flat_course_more_often_than_the_hard_ones() -> None:
    """It keeps its state in itself, so that it plays one walker at a time."""

    def play(course: str, seed: int) -> float:
        terrain = "hardcore" if course == HARDCORE else "obstacle-course"
        env = gymnasium.make("teachgym/ParametricBipedalWalker-v0", terrain=terrain)
        chosen = [1.0] if course == HARDCORE else TEST_COURSES[course]
        observation, _ = env.reset(seed=seed, options={"task": chosen})
        controller = BipedalWalkerHeuristics()
        total, over = 0.0, False
        while not over:
            action = np.array(controller.step_heuristic(observation))  # type: ignore[no-untyped-call]
            observation, reward, terminated, truncated, _ = env.step(action)
            total, over = total + float(reward), terminated or truncated
        return total

    returns = {course: np.mean([play(course, seed) for seed in range(5)]) for course in (*TEST_COURSES, HARDCORE)}
    assert max(returns, key=lambda course: returns[course]) == "BipedalWalker-v3"


def test_no_episodes_are_refused() -> None:
    with pytest.raises(ValueError, match="episodes is 0; expected"):
        play_test_courses(fall, seed=0, episodes=0, walker={})


def teacher_env(**settings: Any) -> ObstacleCourseEnv:
    chosen = {"student": CallableStudent(lunge), "budget": 1000, **settings}
    env = gymnasium.make("teachgym/ObstacleCourse-v0", **chosen).unwrapped
    assert isinstance(env, ObstacleCourseEnv)
    return env


def test_the_defaults_are_the_authors() -> None:
    env = gymnasium.make("teachgym/ObstacleCourse-v0").unwrapped
    assert isinstance(env, ObstacleCourseEnv)
    assert type(env.lifetime.student).__name__ == "PPOStudent"
    assert env.teaching_spec.outcome_range == (-200.0, 350.0)
    assert env.teaching_spec.mastered_above == 230.0
    np.testing.assert_array_equal(env.lifetime.test_tasks, list(TEST_COURSES.values()))
    easy = env.teaching_spec.easy_tasks
    assert easy is not None
    for terrain in (ObstacleCourse("full"), ObstacleCourse("easy")):
        assert terrain.task_space.contains(np.array(easy.mean, dtype=np.float64))


@pytest.mark.parametrize("ranges", sorted(RANGES))
def test_the_environment_tests_the_student_on_the_courses_whatever_the_range(ranges: str) -> None:
    env = teacher_env(ranges=ranges)
    with pytest.raises(RuntimeError, match="call reset"):
        env.test_courses()
    env.reset(seed=1)
    env.step(env.task_space.low)
    spent = env.spent
    results = env.test_courses(episodes=2)
    assert results == env.test_courses(episodes=2)
    assert all(isinstance(result, CourseResult) and result.episodes == 2 for result in results.values())
    assert len(results) == 6
    assert env.spent == spent


def test_the_protocol_plays_sampled_actions_unless_told_otherwise() -> None:
    env = teacher_env()
    env.reset(seed=1)
    env.step(env.task_space.low)
    asked = {"act": 0, "explore": 0}

    def asked_for(kind: str) -> Callable[..., Any]:
        def answer(observations: NDArray[np.float32]) -> NDArray[np.float64]:
            asked[kind] += 1
            return np.random.uniform(0.9, 1.0, (len(observations), 4))  # noqa: NPY002  # as a student samples

        return answer

    env.lifetime.student.act, env.lifetime.student.explore = asked_for("act"), asked_for("explore")  # type: ignore[method-assign]
    before = np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002
    sampled = env.test_courses(episodes=1)
    assert asked["explore"] > asked["act"] == 0
    assert env.test_courses(episodes=1) == sampled
    env.test_courses(episodes=1, deterministic=True)
    assert asked["act"] > 0
    assert np.random.get_state()[1].tolist() == before  # type: ignore[index]  # noqa: NPY002


def test_the_easy_range_has_test_tasks_of_its_own() -> None:
    env = teacher_env(ranges="easy")
    assert env.lifetime.test_tasks.shape == (50, 8)
    assert all(env.task_space.contains(tested) for tested in env.lifetime.test_tasks)
    assert teacher_env(test_tasks=[[0.0] * 7 + [1.0]]).lifetime.test_tasks.shape == (1, 8)


def test_the_courses_are_played_by_the_environments_own_body() -> None:
    env = teacher_env(body="quadruped")
    env.reset(seed=0)
    env.step(env.task_space.low)
    assert len(env.test_courses(episodes=1)) == 6
