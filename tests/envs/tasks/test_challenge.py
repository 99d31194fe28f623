from typing import Any, get_args

import gymnasium
import numpy as np
import pytest

import teachgym
from teachgym.core.needs import Needs
from teachgym.core.task_space import Parameter, TaskSpace
from teachgym.envs.tasks.challenge import ChallengeEnv, ChallengeKind
from teachgym.envs.tasks.task_transforms import Shuffled, Stretched
from teachgym.testing import check_teacher_env

SPACE = TaskSpace([Parameter("height", 0.0, 3.0, harder=0.1), Parameter("spacing", 0.0, 6.0, harder=-0.2)])
VARIANTS = [{"forgetting": 0.0}, {"forgetting": 0.01}]


def make(challenge: str, **settings: Any) -> ChallengeEnv:
    if challenge == "varied-students":
        settings = {"variants": VARIANTS, **settings}
    return ChallengeEnv("Hypercubes", challenge=challenge, **{"budget": 200, **settings})  # type: ignore[arg-type]


@pytest.mark.parametrize("knowledge", ["none", "low", "high", "original"])
@pytest.mark.parametrize("challenge", get_args(ChallengeKind))
def test_every_challenge_keeps_the_contract_at_every_level_of_knowledge(challenge: str, knowledge: str) -> None:
    check_teacher_env(lambda: make(challenge, knowledge=knowledge))


@pytest.mark.parametrize("challenge", get_args(ChallengeKind))
def test_every_challenge_takes_probes_and_an_antagonist(challenge: str) -> None:
    check_teacher_env(lambda: make(challenge, probes="free", antagonist=True, budget=100))


def test_the_walker_takes_every_challenge() -> None:
    student = {"student": "ppo", "student_settings": {"slots": 2, "rollout_steps": 32, "batch_size": 32}}
    for challenge in get_args(ChallengeKind)[:-1]:
        env = ChallengeEnv("StumpTracks", challenge=challenge, budget=500, knowledge="high", **student)  # type: ignore[arg-type]
        record = teachgym.teach(env, teachgym.make_teacher("random", env, seed=0), seed=0)
        assert env.spent == 500, challenge
        assert record.feedback, challenge
        env.close()


def test_without_a_challenge_the_run_is_that_of_the_environment() -> None:
    def outcomes(env: Any) -> Any:
        return teachgym.teach(env, teachgym.make_teacher("alp-gmm", env, seed=3), seed=3).outcomes

    plain = gymnasium.make("teachgym/Hypercubes-v0", budget=500)
    assert np.array_equal(outcomes(plain), outcomes(make("none", budget=500)))


def test_tasks_beyond_the_hard_end_fail_at_the_cost_of_an_episode() -> None:
    env = make("mostly-unfeasible", budget=10)
    assert env.task_space.high.tolist() == [3.0, 1.0]
    env.reset(seed=0)
    _, reward, _, _, info = env.step([2.0, 0.0])
    assert (reward, info["feedback"].success, info["spent"]) == (0.0, False, 1)
    assert env.step([0.0, 0.0])[1] == 0.01
    assert env.lifetime.inner.spent == 1
    assert env.spent == 2


def test_two_thirds_of_the_tasks_are_unfeasible_or_by_choice_eight_ninths() -> None:
    env = make("mostly-unfeasible", parameters=["x_0", "x_1"])
    tasks = env.task_space.uniform(np.random.default_rng(0), 3000)
    assert np.mean([np.any(task > 1.0) for task in tasks]) == pytest.approx(8 / 9, abs=0.02)


def test_stump_tracks_have_stumps_up_to_9_or_down_to_minus_3() -> None:
    settings: dict[str, Any] = {"student": "ppo", "budget": 100}
    unfeasible = ChallengeEnv("StumpTracks", challenge="mostly-unfeasible", **settings)
    assert unfeasible.task_space.high.tolist() == [9.0, 6.0]
    trivial = ChallengeEnv("StumpTracks", challenge="mostly-trivial", **settings)
    assert trivial.task_space.low.tolist() == [-3.0, 0.0]
    for env in (unfeasible, trivial):
        inner: Any = env.lifetime.inner
        assert inner.test_tasks[0] == pytest.approx([0.31214771245198125, 3.8609874944904026])


def test_beyond_the_easy_end_every_task_is_the_easiest() -> None:
    stretched = Stretched(SPACE, ["height", "spacing"], easier=1.0)
    assert stretched.outer.low.tolist() == [-3.0, 0.0]
    assert stretched.outer.high.tolist() == [3.0, 12.0]
    assert stretched.inward(np.array([-1.0, 9.0])).tolist() == [0.0, 6.0]  # type: ignore[union-attr]
    assert stretched.inward(np.array([2.0, 5.0])).tolist() == [2.0, 5.0]  # type: ignore[union-attr]


def test_the_hard_end_is_where_the_direction_points() -> None:
    stretched = Stretched(SPACE, ["height", "spacing"], harder=1.0)
    assert stretched.outer.low.tolist() == [0.0, -6.0]
    assert stretched.inward(np.array([1.0, -0.1])) is None
    assert stretched.inward(np.array([3.1, 1.0])) is None
    assert stretched.inward(np.array([3.0, 0.0])) is not None


def test_a_shuffled_space_is_a_permutation_of_its_intervals() -> None:
    shuffled = Shuffled(SPACE, 4, np.random.default_rng(1))
    tasks = SPACE.uniform(np.random.default_rng(0), 500)
    inner = np.array([shuffled.inward(task) for task in tasks])
    assert np.allclose([shuffled.outward(task) for task in inner], tasks)
    outer_cells, inner_cells = (SPACE.normalise(points) * 4 for points in (tasks, inner))
    assert np.allclose(outer_cells % 1, inner_cells % 1)
    for dimension in range(2):
        pairs = set(zip(outer_cells[:, dimension].astype(int), inner_cells[:, dimension].astype(int), strict=True))
        assert sorted(cell for cell, _ in pairs) == sorted(cell for _, cell in pairs) == [0, 1, 2, 3]
    assert not np.allclose(tasks, inner)


def test_difficulty_is_rugged_for_the_teacher_and_its_answers_are_about_its_own_tasks() -> None:
    env = make("rugged-difficulty", permutation_seed=1)
    env.reset(seed=0)
    easiest = Shuffled(env.lifetime.inner.task_space, 4, np.random.default_rng(1)).outward(np.array([0.01, 0.01]))
    for task, outcome in ([0.01, 0.01], 0.0), (easiest, 0.01), (easiest, 0.02):
        _, reward, _, _, info = env.step(task)
        assert np.array_equal(info["feedback"].task, task)
        assert reward == outcome


def test_a_forgetting_student_starts_afresh_at_7_and_14_twentieths_of_the_budget() -> None:
    env = make("forgetting-student", budget=200)
    env.reset(seed=0)
    outcomes = [env.step([0.0, 0.0])[1] for _ in range(200)]
    assert outcomes == [n / 100 for n in [*range(1, 71), *range(1, 71), *range(1, 61)]]


def test_seeds_take_the_kinds_of_students_in_turn() -> None:
    env = make("varied-students")
    finals = []
    for seed in range(4):
        env.reset(seed=seed)
        for _ in range(10):
            env.step([0.0, 0.0])
        for _ in range(10):
            env.step([0.9, 0.9])
        finals.append(env.evaluate(np.zeros((1, 2))).returns[0])
    assert finals[0] == finals[2] == pytest.approx(0.1)
    assert finals[1] == finals[3] < 0.095


def test_without_knowledge_nothing_says_what_counts_as_mastered() -> None:
    env, told = make("none", knowledge="none"), make("none", knowledge="low")
    assert np.isnan(env.teaching_spec.mastered_above)
    assert told.teaching_spec.mastered_above == 0.75
    for one in (env, told):
        one.reset(seed=0)
        for _ in range(76):
            observation, _, _, _, info = one.step([0.0, 0.0])
        assert info["feedback"].outcome == 0.76
        assert info["feedback"].success is (one is told)
        assert observation[-1] == pytest.approx(1 / 76 if one is told else 0.0)
    assert env.evaluate().mastered == told.evaluate().mastered == 1.0, "the test is as ever"


def test_knowledge_decides_what_teachers_are_told() -> None:
    offers = {level: make("none", knowledge=level).teaching_spec for level in ("none", "low", "high", "original")}
    assert Needs.SUCCESS not in offers["none"].offers
    assert Needs.EASY_TASKS not in offers["low"].offers
    assert Needs.SUCCESS in offers["low"].offers
    assert offers["high"].easy_tasks == offers["original"].easy_tasks is not None
    directions = {level: [p.harder for p in problem.task_space.parameters] for level, problem in offers.items()}
    assert directions["none"] == directions["low"] == [None, None]
    assert directions["high"] == [0.1, 0.1]
    with pytest.raises(ValueError, match="it needs success"):
        teachgym.make_teacher("oracle", make("none", knowledge="none"), seed=0)


def test_without_knowledge_observations_tell_no_success() -> None:
    def successes(knowledge: str) -> float:
        env = make("none", knowledge=knowledge)
        env.reset(seed=0)
        for _ in range(100):
            observation, *_ = env.step([0.0, 0.0])
        return float(observation[env.observation_names.index("success")])

    assert successes("low") == 1.0
    assert successes("none") == 0.0


@pytest.mark.parametrize("env", ["SimulatedSkills", "teachgym/ParametricBipedalWalker-v0"])
def test_what_has_no_box_of_tasks_is_refused(env: str) -> None:
    with pytest.raises(ValueError, match="has no box of tasks"):
        ChallengeEnv(env)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"challenge": "impossible"}, "challenge is 'impossible'"),
        ({"knowledge": "some"}, "knowledge is 'some'"),
        ({"challenge": "varied-students"}, "give variants="),
        ({"challenge": "mostly-trivial", "parameters": ["width"]}, "width can be stretched; expected .* x_0, x_1"),
        ({"intervals": 1}, "intervals is 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ChallengeEnv("Hypercubes", **settings)
