"""The protocol of a curriculum: steps, actions, observations, rewards."""

import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import SyncVectorEnv
from numpy.typing import NDArray
from stable_baselines3 import PPO

from teachgym import Feedback
from teachgym.students import CallableStudent
from tests.envs.tasks.curricula import make_countdown, make_env, run, tasks_for
from tests.toy import Reach, noisy_walk


@pytest.mark.parametrize("slots", [1, 3])
@pytest.mark.filterwarnings("ignore:.*Not able to test alternative render modes:UserWarning")
@pytest.mark.filterwarnings("ignore:.*we recommend using a symmetric and normalized space:UserWarning")
def test_gymnasiums_checker_finds_nothing(slots: int) -> None:
    check_env(make_countdown(slots=slots))


def test_gymnasium_makes_it_by_its_name() -> None:
    env = gymnasium.make(
        "teachgym/TaskTeaching-v0",
        world=Reach,
        student=CallableStudent(noisy_walk),
        budget=10,
        outcome_range=(-5.0, 0.0),
        mastered_above=-2.0,
    )
    env.reset(seed=0)
    assert env.step(np.array([0.5]))[4]["feedback"].cost == 5
    env.close()


def test_with_one_slot_one_step_is_one_episode_of_its_own_task() -> None:
    env = make_countdown(steps=40)
    draw, before, terminated, decision = tasks_for(env), 0, False, 0
    _, info = env.reset(seed=0)
    assert info == {"feedback": None, "spent": 0}
    while True:
        task = draw()
        _, reward, terminated, truncated, info = env.step(task)
        assert not truncated
        if info["feedback"] is None:
            break
        length = int(np.ceil(task[0]))
        assert np.array_equal(info["feedback"].task, task)
        assert info["feedback"].decision == decision
        assert info["feedback"].cost == length == info["spent"] - before
        assert info["feedback"].outcome == reward == pytest.approx(length * task[1])
        before, decision = info["spent"], decision + 1
    assert terminated
    assert before + np.ceil(task[0]) > 40, "the episode that gave nothing must be the one that the budget cut short"


def test_several_slots_answer_nothing_in_their_first_steps_and_then_late() -> None:
    env = make_countdown(slots=4, steps=60)
    answers = run(env)
    assert answers[:3] == [None] * 3
    assert answers[3] is not None
    late = [step - answer.decision for step, answer in enumerate(answers) if answer is not None]
    assert max(late) >= 3


@pytest.mark.parametrize("steps", [1, 4, 5, 6, 50])
def test_it_terminates_exactly_at_the_budget(steps: int) -> None:
    env = make_env(steps=steps)
    answers = run(env)
    assert env.spent == env.budget == steps
    assert len([answer for answer in answers if answer is not None]) == steps // 5


def test_step_needs_a_reset_before_the_first_and_after_the_end() -> None:
    env = make_env(steps=5)
    with pytest.raises(ResetNeeded, match="reset"):
        env.step([0.0])
    run(env)
    with pytest.raises(ResetNeeded, match="reset"):
        env.step([0.0])
    env.reset()
    env.step([0.0])


@pytest.mark.parametrize("action", [[np.nan], [1.5], [np.inf], [0.0, 0.0], [[0.0]], "left", None, {"targt": 0.0}])
def test_what_is_no_task_is_refused_and_changes_nothing(action: Any) -> None:
    expected = run(make_env())

    env = make_env()

    def refuse() -> None:
        with pytest.raises(ValueError, match="task"):
            env.step(action)

    assert run(env, between=refuse) == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": 0}, "budget is 0; expected a whole number, at least 1"),
        ({"steps": 1.5}, "budget is 1.5; expected a whole number"),
        ({"student": "pppo"}, "unknown student 'pppo'; did you mean 'ppo'"),
        (
            {"student": "ppo", "student_settings": {"learning_rat": 1}},
            "unknown setting of student 'ppo': 'learning_rat'; did you mean 'learning_rate'",
        ),
        ({"student": "tests.toy:Reach"}, "expected a subclass of teachgym.students.rl.student.RLStudent"),
        ({"student_settings": {"slots": 2}}, "student_settings go with a student's name"),
        (
            {"reward": "learning-progres"},
            "reward is 'learning-progres'; expected one of 'outcome',",
        ),
        ({"outcome_range": (1.0, 1.0)}, r"outcome_range is \(1.0, 1.0\)"),
        ({"test_tasks": [[2.0]]}, "'target' is 2.0"),
    ],
)
def test_arguments_that_are_not_allowed_are_named_with_the_fix(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_env(**arguments)


def test_a_world_without_a_task_space_is_refused_with_the_fix() -> None:
    with pytest.raises(ValueError, match=r"has no task_space; give the world an attribute task_space = "):
        make_env(world="Pendulum-v1")

    class Plain(Reach):
        def __init__(self) -> None:
            super().__init__()
            self.task_space: Any = self.action_space

    with pytest.raises(ValueError, match=r"has the task_space Box.*give the world an attribute"):
        make_env(world=Plain)


@pytest.mark.parametrize("slots", [1, 3])
def test_learning_progress_is_the_change_from_the_nearest_earlier_task(slots: int) -> None:
    env = make_countdown(slots=slots, steps=100, reward="learning-progress")
    draw, terminated, paid = tasks_for(env), False, 0
    history: list[tuple[NDArray[np.float64], float]] = []
    env.reset(seed=0)
    while not terminated:
        _, reward, terminated, _, info = env.step(draw())
        feedback = info["feedback"]
        expected = 0.0
        if feedback is not None:
            if len(history) > 5:
                _, nearest = min((float(np.linalg.norm(task - feedback.task)), out) for task, out in history)
                expected = abs(feedback.outcome - nearest)
            history.append((feedback.task, feedback.outcome))
        assert reward == pytest.approx(expected)
        paid += reward > 0
    assert paid > 15


@pytest.mark.parametrize("slots", [1, 3])
def test_the_observation_is_what_its_names_say(slots: int) -> None:
    env = make_countdown(slots=slots, steps=700)
    names = [
        "progress",
        "finished",
        "length",
        "pay",
        "outcome",
        "success",
        "outcome_mean",
        "outcome_sd",
        "success_rate",
    ]
    assert list(env.observation_names) == names
    draw, terminated = tasks_for(env), False
    answers: list[Feedback] = []
    observation, _ = env.reset(seed=0)
    assert observation.tolist() == [0.0] * 9
    while not terminated:
        observation, _, terminated, _, info = env.step(draw())
        assert env.observation_space.contains(observation)
        finished = info["feedback"] is not None
        if finished:
            answers.append(info["feedback"])
        expected = np.zeros(9)
        expected[0], expected[1] = info["spent"] / 700, finished
        if answers:
            last = answers[-1]
            scaled = np.clip([(answer.outcome + 6) / 12 for answer in answers[-100:]], 0, 1)
            successes = np.array([answer.outcome > 1.0 for answer in answers[-100:]])
            expected[2:] = (
                (last.task[0] - 0.5) / 5.5,
                (last.task[1] + 1) / 2,
                scaled[-1],
                successes[-1],
                scaled.mean(),
                scaled.std(),
                successes.mean(),
            )
        assert np.allclose(observation, expected, atol=1e-6)
    assert len(answers) > 110


def test_outcomes_beyond_the_range_are_clipped_in_the_observation_only() -> None:
    env = make_countdown(outcome_range=(-0.5, 0.5))
    env.reset(seed=0)
    observation, reward, *_ = env.step([4.0, 1.0])
    assert reward == 4.0
    assert observation[env.observation_names.index("outcome")] == 1.0
    assert env.observation_space.contains(observation)


def test_a_second_episode_remembers_nothing_of_the_first() -> None:
    env = make_countdown(steps=100, reward="learning-progress")
    rewards = []
    for _ in range(2):
        env.reset(seed=0)
        rewards.append([env.step([2.0, pay])[1] for pay in np.linspace(-1, 1, 12)])
    assert rewards[0] == rewards[1]
    assert rewards[0][:6] == [0.0] * 6
    assert rewards[0][6] > 0


def test_what_the_problem_says_is_what_was_asked_for() -> None:
    env = make_env(test_tasks=[[0.0], [1.0]])
    assert env.teaching_spec.action_space == env.action_space == Reach().task_space
    assert env.teaching_spec.observation_space == env.observation_space
    assert env.teaching_spec.outcome_range == (-5.0, 0.0)
    assert env.teaching_spec.mastered_above == -2.0
    assert env.lifetime.test_tasks.tolist() == [[0.0], [1.0]]


def test_vectors_of_teacher_environments_work() -> None:
    alone = run(make_env(), seed=4)
    vector = SyncVectorEnv([make_env, make_env])
    vector.reset(seed=[4, 9])
    draw = tasks_for(make_env())
    for expected in alone[:5]:
        task = draw()
        _, _, _, _, infos = vector.step(np.stack([task, -task]))
        assert infos["feedback"][0] == expected
        assert np.array_equal(infos["feedback"][1].task, -task)
    vector.close()


def test_stable_baselines_trains_a_teacher_in_it() -> None:
    env = make_env(steps=25)
    with warnings.catch_warnings():
        model = PPO("MlpPolicy", env, n_steps=16, batch_size=8, n_epochs=1, seed=0, device="cpu")
        before = [parameter.detach().clone() for parameter in model.policy.parameters()]
        model.learn(32)
    assert any(not torch.equal(a, b) for a, b in zip(before, model.policy.parameters(), strict=True))
    observation, _ = env.reset(seed=0)
    action, _ = model.predict(observation)
    assert env.action_space.contains(action.astype(np.float64))
    assert env.step(action)[4]["feedback"].cost == 5
