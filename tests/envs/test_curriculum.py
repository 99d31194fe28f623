import random
import warnings
from collections.abc import Callable
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
from teachgym.envs.curriculum import CurriculumEnv
from teachgym.seeding import fan_out
from teachgym.students import CallableStudent, Student
from tests.students.test_taught_world import Marcher
from tests.toy import Countdown, Reach, noisy_walk

QUICK_PPO = {"slots": 1, "rollout_steps": 16, "batch_size": 8, "epochs": 1, "hidden": (8,), "device": "cpu"}
QUICK_SAC = {"hidden": (8,), "batch_size": 16, "random_steps": 20, "device": "cpu"}


def make_env(*, student: str | Student | None = None, steps: int = 50, world: Any = Reach, **settings: Any) -> Any:
    student = CallableStudent(noisy_walk) if student is None else student
    defaults: dict[str, Any] = {"outcome_range": (-5.0, 0.0), "mastered_above": -2.0}
    return CurriculumEnv(world, student=student, student_steps=steps, **defaults | settings)


def make_countdown(*, slots: int = 1, steps: int = 50, **settings: Any) -> Any:
    """An environment whose outcomes follow from the tasks alone: ``ceil(length) * pay``."""
    settings = {"outcome_range": (-6.0, 6.0), "mastered_above": 1.0} | settings
    return make_env(student=Marcher(slots, "dummy"), steps=steps, world=Countdown, **settings)


def tasks_for(env: Any, seed: int = 0) -> Callable[[], NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    return lambda: env.task_space.uniform(rng)


def run(env: Any, *, seed: int = 0, between: Callable[[], Any] = lambda: None) -> list[Feedback]:
    """Teach random tasks until the budget is spent."""
    draw, answers = tasks_for(env), []
    env.reset(seed=seed)
    terminated = False
    while not terminated:
        between()
        _, _, terminated, _, info = env.step(draw())
        answers.append(info["feedback"])
    return answers


def weights(env: Any) -> dict[str, NDArray[Any]]:
    found: dict[str, NDArray[Any]] = env.student.state_dict()["weights"]
    return found


def equal_weights(left: dict[str, NDArray[Any]], right: dict[str, NDArray[Any]]) -> bool:
    return left.keys() == right.keys() and all(np.array_equal(left[name], right[name]) for name in left)


@pytest.mark.parametrize("slots", [1, 3])
@pytest.mark.filterwarnings("ignore:.*Not able to test alternative render modes:UserWarning")
@pytest.mark.filterwarnings("ignore:.*we recommend using a symmetric and normalized space:UserWarning")
def test_gymnasiums_checker_finds_nothing(slots: int) -> None:
    check_env(make_countdown(slots=slots))


def test_gymnasium_makes_it_by_its_name() -> None:
    env = gymnasium.make(
        "teachgym/Curriculum-v0",
        world=Reach,
        student=CallableStudent(noisy_walk),
        student_steps=10,
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
    assert info == {"feedback": None, "student_steps": 0}
    while True:
        task = draw()
        _, reward, terminated, truncated, info = env.step(task)
        assert not truncated
        if info["feedback"] is None:
            break
        length = int(np.ceil(task[0]))
        assert np.array_equal(info["feedback"].task, task)
        assert info["feedback"].decision == decision
        assert info["feedback"].cost == length == info["student_steps"] - before
        assert info["feedback"].outcome == reward == pytest.approx(length * task[1])
        before, decision = info["student_steps"], decision + 1
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
        ({"steps": 0}, "student_steps is 0; expected an integer from 1 up"),
        ({"steps": 1.5}, "student_steps is 1.5; expected an integer"),
        ({"student": "pppo"}, "unknown student 'pppo'; did you mean 'ppo'"),
        (
            {"student": "ppo", "student_settings": {"learning_rat": 1}},
            "unknown setting of student 'ppo': 'learning_rat'; did you mean 'learning_rate'",
        ),
        ({"student": "tests.toy:Reach"}, "expected a subclass of teachgym.students.Student"),
        ({"student_settings": {"slots": 2}}, "student_settings go with a student's name"),
        ({"reward": "learning-progres"}, "unknown reward 'learning-progres'; did you mean 'learning-progress'"),
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


@pytest.mark.parametrize("seed", [-1, True, 1.0])
def test_what_is_no_seed_is_refused(seed: Any) -> None:
    with pytest.raises(ValueError, match="expected an integer from 0 up"):
        make_env().reset(seed=seed)


def test_options_are_refused() -> None:
    with pytest.raises(ValueError, match=r"options \['task'\] are unknown"):
        make_env().reset(options={"task": [0.5]})


def test_without_a_seed_every_episode_is_another_of_a_stream_that_the_first_seed_fixes() -> None:
    def outcomes() -> list[list[float]]:
        env, found = make_env(), []
        env.reset(seed=3)
        for _ in range(3):
            env.reset()
            found.append([env.step([0.5])[1] for _ in range(3)])
        return found

    first = outcomes()
    assert first[0] != first[1] != first[2]
    assert outcomes() == first


@pytest.mark.parametrize(
    ("student", "settings"), [("ppo", QUICK_PPO), ("ppo", QUICK_PPO | {"slots": 3}), ("sac", QUICK_SAC)]
)
def test_one_seed_makes_one_run_whatever_happens_between_its_steps(student: str, settings: dict[str, Any]) -> None:
    def make() -> Any:
        return make_env(student=student, student_settings=settings, steps=100)

    quiet = make()
    expected = run(quiet, seed=5)

    noisy = make()

    def disturb() -> None:
        random.random()
        np.random.random(3)  # noqa: NPY002
        torch.rand(3)
        noisy.evaluate()

    with torch.no_grad():
        assert run(noisy, seed=5, between=disturb) == expected
    assert equal_weights(weights(noisy), weights(quiet))

    other = make()
    assert run(other, seed=6) != expected
    assert not equal_weights(weights(other), weights(quiet))


def test_a_run_leaves_the_global_generators_alone() -> None:
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    expected = np.random.random(), float(torch.rand(()))  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    env = make_env(student="ppo", student_settings=QUICK_PPO)
    run(env)
    env.evaluate()
    env.close()
    assert (np.random.random(), float(torch.rand(()))) == expected  # noqa: NPY002


def test_evaluation_is_deterministic_and_costs_nothing() -> None:
    env = make_env(student="ppo", student_settings=QUICK_PPO)
    env.reset(seed=0)
    untrained = env.evaluate()
    for _ in range(6):
        env.step([0.5])
    first, second = env.evaluate(), env.evaluate()
    assert env.spent == first.student_steps == 30
    assert np.array_equal(first.returns, second.returns)
    assert not np.array_equal(first.returns, untrained.returns)
    assert np.array_equal(first.tasks, env.test_tasks)
    assert first.tasks.shape == (50, 1)
    assert first.mastered_above == env.problem.mastered_above
    assert env.evaluate([[0.1], [0.2]]).tasks.tolist() == [[0.1], [0.2]]


def test_evaluation_meets_the_same_worlds_at_any_time_whoever_is_tested() -> None:
    quick, late = make_env(), make_env()
    quick.reset(seed=2)
    late.reset(seed=2)
    for _ in range(5):
        late.step([0.5])
    assert np.array_equal(quick.evaluate().returns, late.evaluate().returns)
    quick.reset(seed=3)
    assert not np.array_equal(quick.evaluate().returns, late.evaluate().returns)


def test_a_policy_that_draws_when_tested_leaves_the_global_generators_alone() -> None:
    def train(world: Any, *, steps: int, seed: int, publish: Any) -> None:
        publish(lambda observations: np.random.random((len(observations), 1)))  # noqa: NPY002
        world.reset()

    env = make_env(student=CallableStudent(train))
    env.reset(seed=0)
    np.random.seed(1)  # noqa: NPY002
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    env.evaluate()
    assert np.random.random() == expected  # noqa: NPY002
    env.close()


def test_worlds_and_students_are_seeded_by_their_own_parts_of_the_seed() -> None:
    seen = []

    def look(world: Any, *, steps: int, seed: int, publish: Any) -> None:
        observation, _ = world.reset()
        seen.append((seed, observation[0]))

    env = make_env(student=CallableStudent(look))
    env.reset(seed=6)
    env.step([0.5])
    world_seed = np.random.SeedSequence(fan_out(6).world).generate_state(1)[0]
    observation, _ = Reach().reset(seed=int(world_seed), options={"task": [0.5]})
    assert seen == [(fan_out(6).student, observation[0])]


def test_evaluation_needs_a_student_and_tasks_within_bounds() -> None:
    env = make_env()
    with pytest.raises(RuntimeError, match=r"call reset\(\)"):
        env.evaluate()
    env.reset()
    with pytest.raises(ValueError, match="'target' is 3"):
        env.evaluate([[3.0]])


class StudentError(Exception):
    pass


def fall(world: Any, *, steps: int, seed: int, publish: Any) -> None:
    world.reset()
    for _ in range(7):
        _, _, over, _, _ = world.step(np.zeros(1))
        if over:
            world.reset()
    raise StudentError("fell")


def test_an_exception_in_the_student_surfaces_in_step_and_ends_the_episode() -> None:
    env = make_env(student=CallableStudent(fall))
    env.reset()
    env.step([0.5])
    with pytest.raises(StudentError, match="fell"):
        env.step([0.5])
    with pytest.raises(ResetNeeded):
        env.step([0.5])
    env.reset()
    env.step([0.5])
    env.close()


def test_an_exception_before_the_first_task_surfaces_in_reset() -> None:
    def stumble(world: Any, *, steps: int, seed: int, publish: Any) -> None:
        raise StudentError("stumbled")

    env = make_env(student=CallableStudent(stumble))
    with pytest.raises(StudentError, match="stumbled"):
        env.reset()
    with pytest.raises(ResetNeeded):
        env.step([0.5])


def test_closing_in_mid_run_ends_the_student_and_its_worlds() -> None:
    ended = []

    class Closing(Reach):
        def close(self) -> None:
            ended.append("world")

    def train(world: Any, *, steps: int, seed: int, publish: Any) -> None:
        try:
            noisy_walk(world, steps=steps, seed=seed, publish=publish)
        finally:
            ended.append("student")

    env = make_env(student=CallableStudent(train), world=Closing)
    ended.clear()
    env.reset()
    env.step([0.5])
    env.close()
    assert ended == ["student", "world"]
    env.close()
    assert ended == ["student", "world"]
    with pytest.raises(ResetNeeded):
        env.step([0.5])


def test_reset_in_mid_run_begins_afresh() -> None:
    env = make_env(student="ppo", student_settings=QUICK_PPO)
    expected = run(env, seed=1)
    first = weights(env)
    env.reset(seed=2)
    for _ in range(4):
        env.step([0.5])
    assert run(env, seed=1) == expected
    assert equal_weights(weights(env), first)


def test_two_environments_of_one_student_do_not_share_a_learner() -> None:
    student = CallableStudent(noisy_walk)
    learners = []

    def train(world: Any, *, steps: int, seed: int, publish: Any) -> None:
        learners.append(seed)
        mine = float(len(learners))
        publish(lambda observations: np.full((len(observations), 1), mine))
        noisy_walk(world, steps=steps, seed=seed, publish=lambda _: None)

    student = CallableStudent(train)
    first, second = make_env(student=student), make_env(student=student)
    first.reset(seed=0)
    second.reset(seed=1)
    first.step([0.5])
    second.step([0.5])
    observations = np.zeros((1, 2))
    assert first.student.act(observations).item() == 1.0
    assert second.student.act(observations).item() == 2.0
    with pytest.raises(RuntimeError):
        student.act(observations)


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
        expected[0], expected[1] = info["student_steps"] / 700, finished
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
    assert env.problem.action_space == env.action_space == Reach().task_space
    assert env.problem.observation_space == env.observation_space
    assert env.problem.outcome_range == (-5.0, 0.0)
    assert env.problem.mastered_above == -2.0
    assert env.test_tasks.tolist() == [[0.0], [1.0]]


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
