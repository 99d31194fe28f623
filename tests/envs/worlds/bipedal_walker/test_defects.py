"""Every defect of the authors' simulator does what it says, and nothing else."""

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from teachgym.envs.tasks.tracks import HexagonTracksEnv, StumpSequenceEnv, StumpTracksEnv, TrackEnv
from teachgym.envs.worlds.bipedal_walker.batch import make_walkers
from teachgym.envs.worlds.bipedal_walker.defects import DEFECTS, Defects
from teachgym.envs.worlds.bipedal_walker.terrain import TERRAINS
from teachgym.envs.worlds.bipedal_walker.world import ParametricBipedalWalker
from tests.envs.worlds.bipedal_walker.walker_moves import move, reference_walker, simulation_of

Observations = NDArray[np.float32]
CONTACTS = [8, 13, 18, 23]
SPACING_6 = {"stump_height": 0.0, "stump_spacing": 6.0}


def walk(
    defects: Mapping[str, str | int], *, terrain: str = "stump-tracks", body: str = "quadruped", seed: int = 0
) -> tuple[Observations, NDArray[np.float64]]:
    """Observations and rewards of 80 random steps."""
    env = reference_walker(terrain=terrain, body=body, defects=defects)
    first, _ = env.reset(seed=seed)
    rng = np.random.default_rng(seed)
    observations, rewards = [first], []
    for _ in range(80):
        observation, reward, *_ = env.step(rng.uniform(-1, 1, env.body.joints))
        observations.append(observation)
        rewards.append(reward)
    return np.array(observations), np.array(rewards)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("fixed", Defects()),
        ("faithful", Defects(lidar=True, leg_contacts=True, ground_end=True, ground_seam=True)),
        ({}, Defects()),
        ({"lidar": "faithful"}, Defects(lidar=True)),
        ({"lidar": "fixed", "effort_price": 3}, Defects(effort_price=3)),
        ({"effort_price": "faithful"}, Defects()),
    ],
)
def test_a_choice_of_defects_is_read(choice: Any, expected: Defects) -> None:
    assert Defects.parse(choice) == expected


def test_every_defect_is_in_the_documentation() -> None:
    assert ParametricBipedalWalker.__doc__ is not None
    for name in DEFECTS:
        assert f"``{name}``: " in ParametricBipedalWalker.__doc__


def test_the_faithful_lidar_changes_only_the_rays_and_never_shortens_one() -> None:
    longer = 0
    for seed in range(8):
        fixed, rewards = walk({}, terrain="hexagon-tracks", body="default", seed=seed)
        faithful, same_rewards = walk({"lidar": "faithful"}, terrain="hexagon-tracks", body="default", seed=seed)
        np.testing.assert_array_equal(faithful[:, :14], fixed[:, :14])
        np.testing.assert_array_equal(same_rewards, rewards)
        assert (faithful[:, 14:] >= fixed[:, 14:]).all()
        longer += int((faithful[:, 14:] > fixed[:, 14:]).sum())
    assert longer > 0


@pytest.mark.parametrize("terrain", sorted(TERRAINS))
def test_the_default_sees_other_rays_than_the_original_wherever_there_are_obstacles(terrain: str) -> None:
    first, second = (make_walkers(32, terrain=terrain, defects=choice) for choice in ("fixed", "faithful"))
    rng, differ = np.random.default_rng(0), []
    pair = first.reset(seed=0)[0], second.reset(seed=0)[0]
    for _ in range(60):
        np.testing.assert_array_equal(pair[0][:, :14], pair[1][:, :14])
        differ.append((pair[0] != pair[1]).any(axis=1))
        actions = rng.uniform(-1, 1, (32, 4))
        pair = first.step(actions)[0], second.step(actions)[0]
    assert (np.mean(differ) > 0.05) == (terrain != "grass")
    assert terrain != "grass" or not np.any(differ)


@pytest.mark.parametrize("env", [StumpTracksEnv, HexagonTracksEnv, StumpSequenceEnv])
def test_only_the_faithful_world_is_said_to_be_the_original(env: type[TrackEnv]) -> None:
    assert env.__doc__ is not None
    assert '- Truth: none; with ``defects="faithful"`` the world' in env.__doc__
    assert inspect.signature(TrackEnv).parameters["defects"].default == "fixed"


def test_with_faithful_leg_contacts_only_the_second_pairs_are_lost() -> None:
    fixed, rewards = walk({})
    faithful, same_rewards = walk({"leg_contacts": "faithful"})
    assert fixed[:, CONTACTS].any(axis=0).all()
    assert not faithful[:, CONTACTS[2:]].any()
    others = np.setdiff1d(np.arange(34), CONTACTS[2:])
    np.testing.assert_array_equal(faithful[:, others], fixed[:, others])
    np.testing.assert_array_equal(same_rewards, rewards)


def test_faithful_leg_contacts_change_nothing_for_two_legs() -> None:
    np.testing.assert_array_equal(walk({"leg_contacts": "faithful"}, body="default")[0], walk({}, body="default")[0])


@pytest.mark.parametrize("terrain", ["stump-tracks", "hexagon-tracks", "stump-sequence"])
def test_the_faithful_ground_lacks_the_last_edge_only(terrain: str) -> None:
    edges = []
    for variant in ("fixed", "faithful"):
        env = reference_walker(terrain=terrain, defects={"ground_end": variant})
        env.reset(seed=0)
        edges.append(simulation_of(env).edges)
    assert edges[1] == edges[0][:-1]
    np.testing.assert_array_equal(walk({"ground_end": "faithful"}, terrain=terrain)[0], walk({}, terrain=terrain)[0])


def test_only_off_the_faithful_ground_can_a_walker_fall_below_it_and_then_the_episode_goes_on() -> None:
    outcomes = {}
    for variant in ("fixed", "faithful"):
        env = reference_walker(defects={"ground_end": variant})
        env.reset(seed=0, options={"task": SPACING_6})
        move(env, 88.6, up=0.1, velocity=(0.0, 0.0))
        terminated, steps = False, 0
        while not terminated and steps < 250:
            _, _, terminated, _, _ = env.step(np.zeros(4))
            steps += 1
        outcomes[variant] = terminated, float(simulation_of(env).hull.position.y)
    assert outcomes["fixed"][0]
    assert outcomes["fixed"][1] > 400 / 30 / 4
    assert not outcomes["faithful"][0]
    assert outcomes["faithful"][1] < 0


def test_the_faithful_seam_is_one_edge_of_length_zero() -> None:
    edges = []
    for variant in ("fixed", "faithful"):
        env = reference_walker(defects={"ground_seam": variant})
        env.reset(seed=0)
        edges.append(simulation_of(env).edges)
    pad_end = edges[0][0][1]
    assert [edge for edge in edges[1] if edge not in edges[0]] == [(pad_end, pad_end)]
    assert len(edges[1]) == len(edges[0]) + 1
    np.testing.assert_array_equal(walk({"ground_seam": "faithful"})[0], walk({})[0])


@pytest.mark.parametrize("times", [1, 2, 3])
def test_the_quadrupeds_price_of_torque_is_divided_by_8_as_often_as_asked(times: int) -> None:
    fixed, rewards = walk({})
    faithful, other_rewards = walk({"effort_price": times})
    np.testing.assert_array_equal(faithful, fixed)
    rng = np.random.default_rng(0)
    effort = np.abs(rng.uniform(-1, 1, (80, 8))).sum(axis=1)
    price = 0.00035 * 300
    walked = rewards > -100
    np.testing.assert_allclose((other_rewards - rewards)[walked], (effort * price * (1 / 8 - 8.0**-times))[walked])


def test_the_other_bodies_price_of_torque_is_never_divided() -> None:
    for body in ("default", "short"):
        np.testing.assert_array_equal(walk({"effort_price": 3}, body=body)[1], walk({}, body=body)[1])


@pytest.mark.parametrize("terrain", sorted(TERRAINS))
def test_a_faithful_episode_is_reproducible(terrain: str) -> None:
    everything = dict.fromkeys(DEFECTS, "faithful")
    np.testing.assert_array_equal(walk(everything, terrain=terrain)[0], walk(everything, terrain=terrain)[0])
