"""Geometry of the tracks."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from teachgym.core.task_space import FloatArray, Parameter, TaskSpace
from teachgym.envs.worlds.bipedal_walker.terrain import (
    TERRAINS,
    Grass,
    HexagonTracks,
    StumpSequence,
    StumpTracks,
    Terrain,
    Track,
    draw_clouds,
)
from tests.envs.worlds.bipedal_walker.walker_moves import reference_walker, simulation_of

STEP = 14 / 30
HEIGHT = 400 / 30 / 4
FINISH = 190 * STEP


def make(terrain: Terrain, task: object, seed: int = 0) -> Track:
    vector = terrain.task_space.validate(task)  # type: ignore[arg-type]
    return terrain.generate(vector, np.random.default_rng(seed))


def heights(track: Track) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Heights of the obstacles, in terrain steps."""
    return np.array([(max(y for _, y in corners) - HEIGHT) / STEP for corners in track.obstacles])


def test_task_spaces_have_the_papers_bounds() -> None:
    stumps = StumpTracks().task_space
    assert stumps.names == ("stump_height", "stump_spacing")
    np.testing.assert_array_equal([stumps.low, stumps.high], [[0, 0], [3, 6]])
    assert [p.harder for p in stumps.parameters] == [0.1, -0.2]
    hexagons = HexagonTracks().task_space
    np.testing.assert_array_equal([hexagons.low, hexagons.high], [[0] * 12, [4] * 12])
    sequence = StumpSequence().task_space
    np.testing.assert_array_equal([sequence.low, sequence.high], [[0] * 10, [6] * 10])
    assert sequence.names[:3] == ("height_0", "width_0", "height_1")
    assert {p.harder for space in (hexagons, sequence) for p in space.parameters} == {0.1}


@pytest.mark.parametrize("highest", [3.0, 4.0, 5.0])
def test_stump_tracks_come_in_three_heights(highest: float) -> None:
    assert StumpTracks(max_height=highest).task_space.high[0] == highest


def test_the_first_stump_stands_where_the_start_pad_ends() -> None:
    track = make(StumpTracks(), [1.0, 3.0])
    assert track.ground[0] == (0.0, HEIGHT)
    assert track.obstacles[0][0] == (20 * STEP, HEIGHT)


@pytest.mark.parametrize("spacing", [0.0, 0.5, 3.0, 6.0])
def test_each_stump_is_one_step_wide_and_followed_by_one_edge_of_the_spacing(spacing: float) -> None:
    track = make(StumpTracks(), [1.0, spacing])
    lefts = [corners[0][0] for corners in track.obstacles]
    rights = [corners[1][0] for corners in track.obstacles]
    np.testing.assert_allclose(np.subtract(rights, lefts), STEP)
    np.testing.assert_allclose(np.subtract(lefts[1:], rights[:-1]), max(0.01, spacing))
    edges = set(track.edges())
    for right, left in zip(rights, lefts[1:], strict=False):
        assert ((right, HEIGHT), (left, HEIGHT)) in edges


def test_stumps_are_at_least_a_twentieth_of_a_step_high() -> None:
    found = heights(make(StumpTracks(), [0.0, 0.0]))
    assert found.min() == pytest.approx(0.05)
    assert found.max() > 0.1


def test_stump_heights_scatter_by_a_tenth_of_a_step() -> None:
    found = heights(make(StumpTracks(), [2.0, 0.0]))
    assert len(found) > 150
    assert found.mean() == pytest.approx(2.0, abs=0.03)
    assert found.std() == pytest.approx(0.1, abs=0.02)


def test_with_spacing_6_the_original_ground_ends_at_87_4_before_the_finish() -> None:
    track = make(StumpTracks(), [1.0, 6.0])
    *_, (_, (end, _)) = track.edges(original_end=True)
    assert end == pytest.approx(87.4)
    assert end < FINISH


@pytest.mark.parametrize("name", sorted(TERRAINS))
def test_a_track_is_valid_and_its_ground_unbroken_from_zero_to_beyond_the_finish(name: str) -> None:
    terrain = TERRAINS[name]()
    for seed in range(5):
        rng = np.random.default_rng(seed)
        track = terrain.generate(terrain.task_space.uniform(rng), rng)
        assert Track(track.ground, track.obstacles, track.original_points, check=True) == track
        edges = list(track.edges())
        assert edges[0][0] == (0.0, HEIGHT)
        assert all(left[1] == right[0] for left, right in pairwise(edges))
        assert all(left[0] < right[0] for left, right in edges)
        assert edges[-1][1][0] > FINISH + 3


@pytest.mark.parametrize(
    ("terrain", "name"),
    [(HexagonTracks, "spacing"), (StumpSequence, "spacing"), (StumpTracks, "min_spacing"), (StumpTracks, "max_height")],
)
def test_a_size_that_is_out_of_range_is_refused(terrain: Any, name: str) -> None:
    for bad in (np.nan, np.inf, -np.inf, -1.0, 201.0 if name == "max_height" else 94.0, "8"):
        with pytest.raises(ValueError, match=f"{name} is {bad!r}; expected"):
            terrain(**{name: bad})


@pytest.mark.parametrize("terrain", [HexagonTracks, StumpSequence])
def test_the_widest_spacing_leaves_one_obstacle(terrain: Any) -> None:
    assert len(make(terrain(spacing=93.0), np.ones(len(terrain().task_space.low))).obstacles) in (1, 5)


def test_hexagons_advance_by_one_world_unit() -> None:
    track = make(HexagonTracks(spacing=8.0), [2.0] * 12)
    corners = [x for x, _ in track.ground[2:]]
    np.testing.assert_allclose(np.diff(corners)[0::2], 1.0)
    np.testing.assert_allclose(np.diff(corners)[1::2], 8.0)


def test_a_hexagons_first_and_last_corner_stand_on_the_ground() -> None:
    for corners in make(HexagonTracks(), [3.0] * 12).obstacles:
        assert len(corners) == 6
        assert corners[0][1] == corners[5][1] == HEIGHT


def test_hexagon_offsets_1_and_11_do_not_change_the_track_and_the_others_do() -> None:
    plain = make(HexagonTracks(), [1.0] * 12)
    for offset in range(12):
        task = np.ones(12)
        task[offset] = 3.0
        assert (make(HexagonTracks(), task) == plain) == (offset in (1, 11))


def test_a_hexagon_corner_is_moved_by_its_offset() -> None:
    task = np.zeros(12)
    low, high = (make(HexagonTracks(), task + shift).obstacles[0] for shift in (0.0, 2.0))
    np.testing.assert_allclose(np.subtract(high, low)[1:5], 2.0 * STEP)


def test_a_sequence_is_five_stumps_that_touch() -> None:
    track = make(StumpSequence(), [1.0, 2.0, 2.0, 1.0, 3.0, 0.5, 1.0, 0.5, 0.5, 2.0])
    group = track.obstacles[:5]
    assert all(left[1][0] == right[0][0] for left, right in pairwise(group))
    np.testing.assert_allclose(heights(track)[:5], [1, 2, 3, 1, 0.5], atol=0.35)
    np.testing.assert_allclose([c[1][0] - c[0][0] for c in group], [2, 1, 0.5, 0.5, 2], atol=0.35)
    assert track.obstacles[5][0][0] == pytest.approx(group[-1][1][0] + 8.0)


def test_a_sequence_of_nothing_has_stumps_of_the_least_size() -> None:
    track = make(StumpSequence(), np.zeros(10))
    assert min(corners[1][0] - corners[0][0] for corners in track.obstacles) == pytest.approx(0.05)


def test_grass_has_200_points_and_no_slope_at_roughness_0() -> None:
    assert {y for _, y in make(Grass(), 0.0).ground} == {HEIGHT}
    assert len(make(Grass(), 1.0).ground) == 200


def test_rougher_grass_is_rougher() -> None:
    spread = [float(np.std([y for _, y in make(Grass(), roughness).ground])) for roughness in (0.5, 1.0, 2.0)]
    assert spread == sorted(spread)


@pytest.mark.parametrize("name", sorted(TERRAINS))
def test_a_seed_and_a_task_determine_the_track(name: str) -> None:
    terrain = TERRAINS[name]()
    task = (terrain.task_space.low + terrain.task_space.high) / 2
    assert make(terrain, task, seed=1) == make(TERRAINS[name](), task, seed=1)
    assert make(terrain, task, seed=1) != make(terrain, task, seed=2)


def test_clouds_take_110_draws() -> None:
    rng, counted = np.random.default_rng(0), np.random.default_rng(0)
    assert len(draw_clouds(rng)) == 10
    counted.uniform(size=110)
    assert rng.bit_generator.state == counted.bit_generator.state


class Ramp(Terrain):
    """What an outside author might write."""

    @property
    def task_space(self) -> TaskSpace:
        return TaskSpace([Parameter("rise", 0.0, 2.0, "world units")])

    def generate(self, task: FloatArray, rng: np.random.Generator) -> Track:
        return Track(ground=((0.0, HEIGHT), (10.0, HEIGHT), (95.0, HEIGHT + float(task[0]))))


def test_an_outside_terrain_can_be_walked_on() -> None:
    env = reference_walker(terrain=Ramp())
    _, info = env.reset(seed=0, options={"task": {"rise": 1.5}})
    assert info["task"] == [1.5]
    assert simulation_of(env).edges[-1][1] == (95.0, HEIGHT + 1.5)
    env.step(np.zeros(4))
