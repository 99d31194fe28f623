from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from hypothesis import given, settings
from hypothesis import strategies as st

from teachgym.envs.simulated.skill_model import SkillModel, SkillSettings, prerequisites
from teachgym.envs.simulated.skills_env import SimulatedSkillsEnv, make_skills
from teachgym.testing import check_teacher_env
from tests.envs.simulated.student_batches import assert_equals_single_environments, assert_same

KINDS: list[dict[str, Any]] = [
    {},
    {"structure": "random", "skills": 11, "gate": 1.7, "outcomes": "pass-or-fail", "reward": "outcome"},
    {"structure": "chain", "skills": 3, "reward": "learning-progress", "variety": 1.0},
    {"structure": "independent", "skills": 1, "targets": [0], "noise": 0.0},
]
EVEN: dict[str, Any] = {"variety": 0.0, "noise": 0.0}
"""Students who are all the same, and whose outcomes are their competence."""
FIRST = np.zeros(1, dtype=np.int64)


def model(**population: Any) -> SkillModel:
    made = SkillModel(SkillSettings(**{**EVEN, **population}), 1)
    made.begin(FIRST, [0])
    return made


def episodes(student: SkillModel, *skills: int) -> list[float]:
    return [float(student.learn(FIRST, np.array([skill]))[0]) for skill in skills]


def play(env: SimulatedSkillsEnv, seed: int, skills: list[int]) -> list[tuple[Any, ...]]:
    env.reset(seed=seed)
    return [env.step(skill) for skill in skills]


@pytest.mark.parametrize("kind", KINDS)
def test_it_keeps_the_contract(kind: dict[str, Any]) -> None:
    check_teacher_env(lambda: SimulatedSkillsEnv(budget=40, **kind))


def test_constant_practice_has_the_closed_form() -> None:
    student = model(structure="independent", rate=0.2, initial=0.1, forgetting=0.03)
    outcomes = episodes(student, *[2] * 50)
    assert outcomes == pytest.approx([1 - (1 - 0.1) * (1 - 0.2) ** t for t in range(1, 51)])
    others = np.delete(student.competence[0], 2)
    assert others == pytest.approx(0.1 * (1 - 0.03) ** 50)


def test_a_lesson_is_worth_what_the_student_knows_of_what_the_skill_builds_on() -> None:
    student = model(structure="chain", skills=3, rate=0.2, gate=2.0, transfer=0.0, forgetting=0.0, initial=0.0)
    student.competence[0] = [0.5, 0.4, 0.0]
    assert episodes(student, 1) == pytest.approx([0.4 + 0.2 * 0.5**2 * 0.6])
    assert student.competence[0] == pytest.approx([0.5, 0.43, 0.0])


def test_of_several_prerequisites_the_least_known_counts() -> None:
    student = model(structure="random", skills=12, gate=1.5)
    competence = np.linspace(0.1, 0.9, 12)[None]
    for skill, below in enumerate(student.prerequisites):
        expected = min(competence[0, below]) ** 1.5 if below else 1.0
        assert student.readiness(competence)[0, skill] == pytest.approx(expected)
    assert {len(below) for below in student.prerequisites} == {0, 1, 2}


def test_a_lesson_carries_over_to_the_neighbours_only_and_keeps_them_from_being_forgotten_by_as_much() -> None:
    student = model(structure="tree", skills=7, rate=0.2, gate=0.0, transfer=0.25, forgetting=0.1, initial=0.5)
    episodes(student, 1)
    neighbour = 0.5 + 0.25 * 0.2 * 0.5 - 0.75 * 0.1 * 0.5
    stranger = 0.5 - 0.1 * 0.5
    expected = [neighbour, 0.5 + 0.2 * 0.5, stranger, neighbour, neighbour, stranger, stranger]
    assert student.competence[0] == pytest.approx(expected)


def test_structures_are_what_their_names_say() -> None:
    def of(structure: Any, **others: Any) -> list[list[int]]:
        return prerequisites(SkillSettings(structure=structure, skills=7, **others))

    assert of("independent") == [[]] * 7
    assert of("chain") == [[], [0], [1], [2], [3], [4], [5]]
    assert of("tree") == [[], [0], [0], [1], [1], [2], [2]]
    assert of("random") == of("random")
    assert of("random") != of("random", structure_seed=1)


@pytest.mark.parametrize("seed", range(20))
def test_a_random_structure_has_no_circles(seed: int) -> None:
    below = prerequisites(SkillSettings(structure="random", skills=10, structure_seed=seed))
    known: set[int] = set()
    for _ in range(10):
        known |= {skill for skill in range(10) if known.issuperset(below[skill])}
    assert known == set(range(10))
    assert sum(not one for one in below) == 1


@settings(max_examples=60, deadline=None)
@given(
    rate=st.sampled_from([0.0, 0.3, 1.0]),
    forgetting=st.sampled_from([0.0, 0.3, 1.0]),
    transfer=st.sampled_from([0.0, 0.5, 1.0]),
    variety=st.sampled_from([0.0, 3.0]),
    skills=st.lists(st.integers(0, 5), min_size=1, max_size=40),
)
def test_competence_and_outcomes_stay_from_0_to_1(skills: list[int], **population: float) -> None:
    student = model(skills=6, noise=5.0, **population)
    for outcome in episodes(student, *skills):
        assert 0 <= outcome <= 1
        assert (student.competence >= 0).all()
        assert (student.competence <= 1 + 1e-12).all()


def test_gains_telescope_to_final_minus_initial_of_the_targets() -> None:
    env = SimulatedSkillsEnv(budget=50, targets=[1, 4])
    start = env.reset(seed=3)[1]["competence"]
    steps = [env.step(step % 8) for step in range(50)]
    gained = (steps[-1][4]["competence"] - start)[[1, 4]].mean()
    assert sum(step[1] for step in steps) == pytest.approx(gained)
    assert gained > 0.1


def test_learning_progress_is_the_change_since_the_skill_was_last_tested() -> None:
    env = SimulatedSkillsEnv(reward="learning-progress", structure="independent", rate=0.5, initial=0.0, **EVEN)
    rewards = [reward for _, reward, *_ in play(env, 0, [0, 0, 1, 0])]
    assert rewards == pytest.approx([0, 0.25, 0, 0.875 - 0.75 - 0.5 * 0.005 * 0.75], abs=1e-12)


def test_outcomes_scatter_about_the_competence_by_the_noise() -> None:
    students = SkillModel(SkillSettings(structure="independent", initial=0.5, rate=0.0, variety=0.0, noise=0.1), 4000)
    slots = np.arange(4000)
    students.begin(slots, slots.tolist())
    outcomes = students.learn(slots, np.zeros(4000, dtype=np.int64))
    assert outcomes.mean() == pytest.approx(0.5, abs=4 * 0.1 / 4000**0.5)
    assert outcomes.std() == pytest.approx(0.1, rel=0.05)


def test_pass_or_fail_passes_as_often_as_the_competence_says() -> None:
    population = SkillSettings(structure="independent", initial=0.3, rate=0.0, variety=0.0, outcomes="pass-or-fail")
    students, slots = SkillModel(population, 4000), np.arange(4000)
    students.begin(slots, slots.tolist())
    outcomes = students.learn(slots, np.zeros(4000, dtype=np.int64))
    assert set(outcomes.tolist()) == {0.0, 1.0}
    assert outcomes.mean() == pytest.approx(0.3, abs=4 * 0.46 / 4000**0.5)


def test_students_vary_about_the_typical_one_by_seed_and_not_without_variety() -> None:
    slots = np.arange(2000)
    population = SkillModel(SkillSettings(variety=0.5, rate=0.01), 2000)
    population.begin(slots, slots.tolist())
    logarithms = np.log(population.rate / 0.01)
    assert logarithms.mean() == pytest.approx(0, abs=0.02)
    assert logarithms.std() == pytest.approx(0.5, rel=0.03)
    same = SkillModel(SkillSettings(variety=0.0), 2000)
    same.begin(slots, slots.tolist())
    for trait in (same.rate, same.forgetting, same.competence, same.noise):
        assert len(np.unique(trait)) == 1


def test_a_student_is_the_same_whichever_teacher_it_has() -> None:
    env = SimulatedSkillsEnv(budget=300, rate=0.0, forgetting=0.0, initial=0.5, variety=0.0)
    one = [step[4]["feedback"].outcome for step in play(env, 5, [0] * 300)]
    other = [step[4]["feedback"].outcome for step in play(env, 5, list(range(8)) * 37 + [0] * 4)]
    assert one == other
    assert len(set(one)) > 250


def test_the_observation_is_what_its_names_say() -> None:
    env = SimulatedSkillsEnv(skills=3, budget=10, structure="chain")
    assert env.observation_names == (
        "progress",
        *(f"{what}_{k}" for what in ("outcome", "since", "share") for k in range(3)),
    )
    start, _ = env.reset(seed=1)
    assert start.tolist() == [0, 0, 0, 0, 1, 1, 1, 0, 0, 0]
    steps = [env.step(skill) for skill in (0, 2, 0, 0)]
    first, _, second, third = (step[4]["feedback"].outcome for step in steps)
    average = 0.7 * (0.7 * first + 0.3 * second) + 0.3 * third
    outcome = steps[1][4]["feedback"].outcome
    expected = [0.4, average, 0, outcome, 0, 1, 2 / 5, 3 / 4, 0, 1 / 4]
    assert steps[-1][0].tolist() == pytest.approx(expected, abs=1e-6)


def test_a_lesson_tells_what_was_expected_and_what_came() -> None:
    env = SimulatedSkillsEnv()
    _, info = env.reset(seed=0)
    feedback = env.step(3)[4]["feedback"]
    assert feedback.task.tolist() == [3.0]
    assert feedback.trace.values.tolist() == [info["competence"][3], 0.0]
    assert feedback.trace.rewards.tolist() == [feedback.outcome]
    assert feedback.success == (feedback.outcome > 0.8)


def test_evaluation_gives_the_true_competence_and_changes_nothing() -> None:
    env = SimulatedSkillsEnv(budget=20)
    with pytest.raises(ResetNeeded, match="call reset"):
        env.evaluate()
    expected = [step[0].tolist() for step in play(env, 2, [0, 1] * 10)]
    env.reset(seed=2)
    got = []
    for skill in [0, 1] * 10:
        step = env.step(skill)
        got.append(step[0].tolist())
        assert np.array_equal(env.evaluate().returns, step[4]["competence"])
        assert env.evaluate([[1.4], [-0.5]]).returns.tolist() == step[4]["competence"][[1, 0]].tolist()
    assert got == expected


def test_a_student_can_be_replaced_in_mid_episode() -> None:
    env = SimulatedSkillsEnv()
    before = [step[4]["competence"] for step in play(env, 0, [0] * 30)][-1]
    start = env.reset(seed=0)[1]["competence"]
    for _ in range(30):
        env.step(0)
    env.lifetime.replace_student()
    assert env.spent == 30
    fresh = env.evaluate().returns
    assert fresh[0] < before[0]
    assert not np.array_equal(fresh, start)


@pytest.mark.parametrize("kind", KINDS[:3])
@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP])
def test_a_vector_equals_single_environments(kind: dict[str, Any], mode: AutoresetMode) -> None:
    name = "teachgym/SimulatedSkills-v0"
    assert_equals_single_environments(name, mode, steps=45, size=4, truth="competence", budget=20, **kind)


def test_long_lifetimes_in_a_vector_equal_single_ones() -> None:
    vector, env = make_skills(3, budget=400), SimulatedSkillsEnv(budget=400)
    vector.reset(seed=10)
    rows = np.array([vector.step(np.array([0, step % 5, 3]))[0][1] for step in range(400)])
    assert_same(rows, np.array([step[0] for step in play(env, 11, [step % 5 for step in range(400)])]))


def test_without_autoreset_a_lifetime_that_is_over_has_to_be_reset() -> None:
    vector = gymnasium.make_vec("teachgym/SimulatedSkills-v0", num_envs=2, budget=2, autoreset_mode="Disabled")
    assert isinstance(vector, VectorEnv)
    actions = np.zeros(2, dtype=np.int64)
    with pytest.raises(ResetNeeded, match="call reset"):
        vector.step(actions)
    vector.reset(seed=0)
    vector.step(actions)
    assert vector.step(actions)[2].all()
    with pytest.raises(ResetNeeded, match=r"slots \[0, 1\] are over"):
        vector.step(actions)
    vector.reset(options={"reset_mask": np.array([True, False])})
    with pytest.raises(ResetNeeded, match=r"slots \[1\] are over"):
        vector.step(actions)
    vector.reset(options={"reset_mask": np.array([False, True])})
    assert vector.step(actions)[4]["spent"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"skils": 3}, "unknown setting of SimulatedSkills 'skils'; did you mean 'skills'"),
        ({"skills": 0}, "skills is 0; expected a whole number, at least 1"),
        ({"structure": "ring"}, "structure is 'ring'; expected one of 'independent'"),
        ({"rate": 1.5}, r"rate is 1.5; expected a number in \[0, 1\]"),
        ({"noise": -1}, "noise is -1; expected a number, at least 0"),
        ({"gate": "big"}, "gate is 'big'"),
        ({"budget": 0}, "budget is 0; expected a whole number"),
        ({"reward": "joy"}, "reward is 'joy'; expected one of"),
        ({"targets": [8]}, r"targets is \(8,\); expected distinct skills from 0 to 7"),
        ({"targets": [1, 1]}, "expected distinct skills"),
        ({"targets": []}, "expected distinct skills"),
        ({"mastered_above": 2}, "mastered_above is 2"),
    ],
)
def test_arguments_that_are_not_allowed_are_named_with_the_fix(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SimulatedSkillsEnv(**arguments)
    with pytest.raises(ValueError, match=message):
        make_skills(2, **arguments)


@pytest.mark.parametrize("action", [8, -1, 1.5, None, "first", [1]])
def test_what_is_no_skill_is_refused(action: Any) -> None:
    env = SimulatedSkillsEnv()
    env.reset(seed=0)
    with pytest.raises(ValueError, match="expected the number of a skill"):
        env.step(action)


def test_a_vector_refuses_what_it_does_not_know() -> None:
    vector = make_skills(2)
    with pytest.raises(ValueError, match="unknown reset option 'task'"):
        vector.reset(options={"task": [0]})
    with pytest.raises(ValueError, match="expected a NumPy array of 2 bools"):
        vector.reset(options={"reset_mask": [True, False]})
    with pytest.raises(ValueError, match="no True"):
        vector.reset(options={"reset_mask": np.zeros(2, dtype=np.bool_)})
    with pytest.raises(ValueError, match="there are 3 seeds; expected 2"):
        vector.reset(seed=[1, 2, 3])
    with pytest.raises(ValueError, match="seed is -1"):
        vector.reset(seed=-1)
    vector.reset(seed=0)
    with pytest.raises(ValueError, match="there are 3 actions; expected 2"):
        vector.step(np.zeros(3, dtype=np.int64))
