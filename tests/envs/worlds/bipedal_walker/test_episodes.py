"""Facts of an episode, from the paper's constants."""

import numpy as np
import pytest

from teachgym.envs.worlds.bipedal_walker.bodies import BODIES
from teachgym.envs.worlds.bipedal_walker.defects import Defects
from teachgym.envs.worlds.bipedal_walker.simulation import Simulation
from teachgym.envs.worlds.bipedal_walker.terrain import TERRAINS, Grass
from tests.envs.worlds.bipedal_walker.walker_moves import move, reference_walker, simulation_of

FINISH = 190 * 14 / 30


@pytest.mark.parametrize(("body", "leg"), [("default", 34 / 30), ("short", 17 / 30), ("quadruped", 51 / 30)])
def test_the_walker_starts_in_the_middle_of_the_start_pad(body: str, leg: float) -> None:
    track = Grass().generate(np.zeros(1), np.random.default_rng(0))
    simulation = Simulation(BODIES[body], track, push=0.0, defects=Defects())
    assert tuple(simulation.hull.position) == pytest.approx((10 * 14 / 30, 400 / 30 / 4 + 2 * leg))
    assert simulation.hull.angle == 0.0


@pytest.mark.parametrize(("body", "legs"), [("default", 2), ("short", 2), ("quadruped", 4)])
def test_a_walker_is_a_hull_and_a_thigh_and_a_shin_per_leg(body: str, legs: int) -> None:
    env = reference_walker(body=body)
    env.reset(seed=0)
    assert len(simulation_of(env).parts) == 1 + 2 * legs


def test_a_push_to_the_right_moves_the_hull_to_the_right() -> None:
    track = Grass().generate(np.zeros(1), np.random.default_rng(0))
    speeds = []
    for push in (-5.0, 5.0):
        simulation = Simulation(BODIES["default"], track, push=push, defects=Defects())
        simulation.drive([0.0] * 4)
        speeds.append(simulation.observe()[2])
    assert speeds[0] < 0 < speeds[1]


@pytest.mark.parametrize("body", sorted(BODIES))
def test_a_walker_that_lets_go_falls_for_a_reward_of_minus_100(body: str) -> None:
    env = reference_walker(body=body, terrain="grass")
    env.reset(seed=0, options={"task": 0.0})
    rewards: list[float] = []
    terminated = False
    while not terminated and len(rewards) < 1000:
        _, reward, terminated, _, _ = env.step(np.zeros(env.body.joints))
        rewards.append(reward)
    assert terminated
    assert rewards[-1] == -100.0
    assert min(rewards[:-1]) > -100.0


def test_left_of_zero_the_episode_ends_with_minus_100() -> None:
    env = reference_walker(terrain="grass")
    env.reset(seed=0)
    move(env, 0.02, velocity=(-5.0, 0.0))
    _, reward, terminated, _, _ = env.step(np.zeros(4))
    assert simulation_of(env).hull_x < 0
    assert terminated
    assert reward == -100.0


@pytest.mark.parametrize("body", sorted(BODIES))
def test_beyond_the_finish_the_episode_ends_without_minus_100(body: str) -> None:
    env = reference_walker(body=body, terrain="grass")
    env.reset(seed=0, options={"task": 0.0})
    start = simulation_of(env).hull_x
    still = np.zeros(env.body.joints)
    move(env, FINISH - 0.06, velocity=(2.0, 0.0))
    _, first, terminated, _, _ = env.step(still)
    assert not terminated
    assert simulation_of(env).hull_x < FINISH
    rewards = [first]
    while not terminated:
        _, reward, terminated, _, _ = env.step(still)
        rewards.append(reward)
    assert FINISH < simulation_of(env).hull_x < FINISH + 0.1
    assert min(rewards) > -10
    assert sum(rewards) == pytest.approx(130 / 30 * (FINISH - start), abs=3)


def test_the_whole_way_is_worth_more_than_300() -> None:
    assert 130 / 30 * (FINISH - 10 * 14 / 30) > 300


@pytest.mark.parametrize(
    ("body", "price"),
    [("default", 0.00035 * 80), ("short", 0.00035 * 80), ("quadruped", 0.00035 / 8 * 300)],
)
@pytest.mark.parametrize("terrain", sorted(TERRAINS))
def test_the_return_is_the_gain_in_position_and_posture_minus_the_price_of_torque(
    body: str, price: float, terrain: str
) -> None:
    env = reference_walker(body=body, terrain=terrain)
    env.reset(seed=7)
    hull = simulation_of(env).hull
    start = 130 * hull.position.x / 30 - 5 * abs(hull.angle)
    rng = np.random.default_rng(7)
    total = effort = 0.0
    for _ in range(60):
        action = rng.uniform(-1.5, 1.5, env.body.joints)
        before = total, effort
        _, reward, terminated, _, _ = env.step(action)
        if terminated:
            total, effort = before
            break
        total += reward
        effort += float(np.minimum(np.abs(action), 1).sum())
        end = 130 * hull.position.x / 30 - 5 * abs(hull.angle)
    assert total == pytest.approx(end - start - price * effort, abs=1e-9)


def test_the_observation_is_scaled_as_documented() -> None:
    env = reference_walker()
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    for _ in range(30):
        observation, *_ = env.step(rng.uniform(-1, 1, 4))
    hull = simulation_of(env).hull
    expected = [
        hull.angle,
        hull.angularVelocity * 2 / 50,
        hull.linearVelocity.x * 0.12,
        hull.linearVelocity.y * 0.08,
    ]
    np.testing.assert_allclose(observation[:4], expected, rtol=1e-6)


@pytest.mark.parametrize(("joint", "index"), [(0, 4), (1, 6), (2, 9), (3, 11)])
def test_each_action_turns_its_own_joint(joint: int, index: int) -> None:
    angles = []
    for direction in (-1.0, 1.0):
        env = reference_walker()
        env.reset(seed=0, options={"task": [0.0, 6.0]})
        move(env, 5.0, up=3.0)
        action = np.zeros(4)
        action[joint] = direction
        for _ in range(8):
            observation, *_ = env.step(action)
        angles.append(observation[index])
    assert angles[1] - angles[0] > 0.1


def test_a_standing_foot_is_observed_and_a_lifted_one_is_not() -> None:
    env = reference_walker()
    env.reset(seed=0, options={"task": [0.0, 6.0]})
    for _ in range(6):
        observation, *_ = env.step(np.zeros(4))
    assert observation[8] == observation[13] == 1.0
    move(env, 5.0, up=2.0)
    observation, *_ = env.step(np.zeros(4))
    assert observation[8] == observation[13] == 0.0
