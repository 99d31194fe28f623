import copy
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from teachgym.core.episode_trace import EpisodeTrace
from teachgym.core.feedback import Feedback
from teachgym.core.lifetime import Lifetime
from teachgym.core.needs import NOTHING, Needs
from teachgym.core.reward_rule import OutcomeReward, RewardRule
from teachgym.core.seeding import Seeds
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import Parameter, TaskSpace
from teachgym.core.teacher_env import TeacherEnv
from teachgym.core.view import View
from teachgym.envs.tasks.task_teaching_env import TaskTeachingEnv
from teachgym.students import CallableStudent
from teachgym.testing.teacher_env import check_teacher_env
from tests.toy import Reach, noisy_walk

TASKS = TaskSpace([Parameter("skill", -1.0, 1.0), Parameter("level", 0.0, 5.0)])


class Lessons(Lifetime[Any]):
    """A made-up student that answers one decision late, at random cost; subclasses below break one promise each."""

    task_space, decision_space = TASKS, TASKS
    budget = 40
    offers = Needs.SUCCESS

    def __init__(self) -> None:
        self._spent = 0

    @property
    def spent(self) -> int:
        return self._spent

    @property
    def over(self) -> bool:
        return self._spent >= self.budget

    def begin(self, seeds: Seeds) -> None:
        self._rng = np.random.default_rng(seeds.student)
        self._spent, self._actions = 0, list[Any]()

    def read(self, action: Any) -> Any:
        return self.task_space.validate(action)

    def teach(self, decision: Any) -> Feedback | None:
        self._actions.append(decision)
        if len(self._actions) == 1:
            return None
        return self._answer(len(self._actions) - 2)

    def _answer(self, decision: int) -> Feedback:
        cost = min(int(self._rng.integers(1, 4)), self.budget - self._spent)
        self._spent += cost
        outcome = float(self._rng.uniform())
        return Feedback(self._actions[decision], outcome, outcome > 0.5, cost, decision)


class Spent(View):
    """Shows what is spent of the budget."""

    space = spaces.Box(0.0, 1.0, (1,), np.float64)

    def observe(self, feedback: Feedback | None, lifetime: Lifetime[Any]) -> Any:
        return np.array([lifetime.spent / lifetime.budget])


class LessonsEnv(TeacherEnv):
    """The environment of such a student; subclasses choose another, or break a promise of their own."""

    Student: type[Lessons] = Lessons
    Shown: type[View] = Spent
    Reward: type[RewardRule] = OutcomeReward

    def __init__(self) -> None:
        student = self.Student()
        spec = TeachingSpec(student.decision_space, Spent.space, (0.0, 1.0), 0.5, student.offers)
        super().__init__(student, spec, reward=self.Reward(), view=self.Shown())


def of(student: type[Lessons]) -> type[LessonsEnv]:
    """The environment of this student."""
    return type(student.__name__, (LessonsEnv,), {"Student": student})


def test_a_good_environment_passes() -> None:
    check_teacher_env(LessonsEnv)


@pytest.mark.parametrize("slots", [1, 3])
def test_the_curriculum_passes(slots: int) -> None:
    def walk_all(world: Any, *, steps: int, seed: int, publish: Any) -> None:
        rng = np.random.default_rng(seed)
        world.reset()
        while True:
            world.step(rng.uniform(-1, 1, size=(slots, 1)))

    student = CallableStudent(noisy_walk if slots == 1 else walk_all, slots=slots)
    check_teacher_env(
        lambda: TaskTeachingEnv(Reach, student=student, budget=64, outcome_range=(-5.0, 0.0), mastered_above=-1.0)
    )


def test_a_registered_environment_passes_in_its_wrappers() -> None:
    check_teacher_env(
        lambda: gymnasium.make(
            "teachgym/TaskTeaching-v0",
            world=Reach,
            student=CallableStudent(noisy_walk),
            budget=30,
            outcome_range=(-5.0, 0.0),
            mastered_above=-1.0,
            disable_env_checker=True,
        ),
        seed=4,
    )


class Choices(Lessons):
    """Its actions are not tasks."""

    decision_space = spaces.Discrete(3)  # type: ignore[assignment]

    def read(self, action: Any) -> Any:
        if not self.decision_space.contains(np.int64(action)):
            raise ValueError(f"action is {action}; expected 0, 1 or 2")
        return np.array([float(action)])


def test_actions_need_not_be_tasks() -> None:
    check_teacher_env(of(Choices))


class WrongAnswers(Lessons):
    def _answer(self, decision: int) -> Feedback:
        return self._spoil(super()._answer(decision))

    def _spoil(self, feedback: Feedback) -> Feedback:
        raise NotImplementedError


class WrongTask(WrongAnswers):
    def _spoil(self, feedback: Feedback) -> Feedback:
        return replace(feedback, task=self._actions[-1])


class AnsweredTwice(WrongAnswers):
    def _spoil(self, feedback: Feedback) -> Feedback:
        return replace(feedback, decision=0, task=self._actions[0])


class FutureDecision(WrongAnswers):
    def _spoil(self, feedback: Feedback) -> Feedback:
        return replace(feedback, decision=len(self._actions))


class CostsTooMuch(WrongAnswers):
    def _spoil(self, feedback: Feedback) -> Feedback:
        return replace(feedback, cost=feedback.cost + 1)


class UnofferedSuccess(WrongAnswers):
    offers = NOTHING

    def _spoil(self, feedback: Feedback) -> Feedback:
        return replace(feedback, success=True)


class UnofferedTrace(WrongAnswers):
    def _spoil(self, feedback: Feedback) -> Feedback:
        return replace(feedback, trace=EpisodeTrace(np.zeros(1), np.zeros(2)))


class UnofferedAntagonist(WrongAnswers):
    def _spoil(self, feedback: Feedback) -> Feedback:
        return replace(feedback, antagonist_outcome=1.0)


class GlobalDraws(WrongAnswers):
    def _spoil(self, feedback: Feedback) -> Feedback:
        return replace(feedback, outcome=float(np.random.random()))  # noqa: NPY002


class Forgetful(WrongAnswers):
    episodes = 0

    def begin(self, seeds: Seeds) -> None:
        super().begin(seeds)
        self.episodes += 1

    def _spoil(self, feedback: Feedback) -> Feedback:
        return replace(feedback, outcome=feedback.outcome + self.episodes)


class SharedDraws(WrongAnswers):
    generator = np.random.default_rng(0)

    def _spoil(self, feedback: Feedback) -> Feedback:
        return replace(feedback, outcome=float(SharedDraws.generator.uniform()))


class SpendsThirtyMore(Lessons):
    @property
    def spent(self) -> int:
        return self._spent + 30


class HalfSpent(Spent):
    def observe(self, feedback: Feedback | None, lifetime: Lifetime[Any]) -> Any:
        return super().observe(feedback, lifetime) / 2


class Overspends(LessonsEnv):
    Student = SpendsThirtyMore
    Shown = HalfSpent


class Refunds(Lessons):
    @property
    def spent(self) -> int:
        return self._spent if self._spent < 20 else 40 - self._spent


class Endless(Lessons):
    @property
    def over(self) -> bool:
        return False

    def _answer(self, decision: int) -> Feedback:
        answer = replace(super()._answer(decision), cost=0)
        self._spent = min(self._spent, 20)
        return answer


class AllowsNaN(Lessons):
    def read(self, action: Any) -> Any:
        return np.nan_to_num(np.asarray(action))


class AllowsAnyChoice(Choices):
    def read(self, action: Any) -> Any:
        return np.array([0.0])


class CountsRefusedActions(Lessons):
    def read(self, action: Any) -> Any:
        self._rng.uniform()
        return super().read(action)


class GoesOn(LessonsEnv):
    def step(self, action: Any) -> Any:
        self._running = self.spent > 0 or self._running
        return super().step(action)


class BeginsItself(LessonsEnv):
    def step(self, action: Any) -> Any:
        if not self._running and not self.spent:
            self.reset(seed=0)
        return super().step(action)


class Doubled(Spent):
    def observe(self, feedback: Feedback | None, lifetime: Lifetime[Any]) -> Any:
        return 2.0 * super().observe(feedback, lifetime)


class OutsideItsSpace(LessonsEnv):
    Shown = Doubled


class OtherProblem(LessonsEnv):
    def __init__(self) -> None:
        super().__init__()
        self.observation_space = spaces.Box(0.0, 2.0, (1,), np.float64)


class NoBudget(Lessons):
    budget = 0


class NaNReward(OutcomeReward):
    def pay(self, feedback: Feedback | None, lifetime: Lifetime[Any]) -> float:
        return float("nan")


class PaysNothing(LessonsEnv):
    Reward = NaNReward


class ChangedOutput(LessonsEnv):
    def _change(self, info: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def step(self, action: Any) -> Any:
        *rest, info = super().step(action)
        return (*rest, self._change(info))


class LacksFeedback(ChangedOutput):
    def _change(self, info: dict[str, Any]) -> dict[str, Any]:
        return {"spent": info["spent"]}


class NoFeedback(ChangedOutput):
    def _change(self, info: dict[str, Any]) -> dict[str, Any]:
        return info | {"feedback": info["feedback"] and vars(info["feedback"])}


class LacksSteps(ChangedOutput):
    def _change(self, info: dict[str, Any]) -> dict[str, Any]:
        return {"feedback": info["feedback"]}


class Truncates(LessonsEnv):
    def step(self, action: Any) -> Any:
        observation, reward, terminated, _, info = super().step(action)
        return observation, reward, False, terminated, info


class AnswersInReset(LessonsEnv):
    def reset(self, **arguments: Any) -> Any:
        observation, info = super().reset(**arguments)
        return observation, info | {"feedback": Feedback(np.zeros(2), 0.0, False, 0, 0)}


class BreaksGymnasium(LessonsEnv):
    def reset(self, *, seed: int | None = None, **arguments: Any) -> Any:
        result = super().reset(seed=seed, **arguments)
        self._np_random = np.random.default_rng()
        return result


class LosesWhatItKnew(Lessons):
    replayed = False
    keeps = ("_spent",)


class UnwritableState(Lessons):
    replayed = False

    def state(self) -> dict[str, Any]:
        return {"rng": self._rng}


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (WrongTask, "feedback answers decision 0 with task"),
        (AnsweredTwice, "decision 0 was answered twice"),
        (FutureDecision, "feedback answers decision 2, but those made so far are 0 to 1"),
        (CostsTooMuch, "the costs of all feedback sum to"),
        (UnofferedSuccess, "success=True, and spec.offers does not have Needs.SUCCESS"),
        (UnofferedTrace, "feedback has what goes with <Needs.VALUES: 4>, and spec.offers is <"),
        (UnofferedAntagonist, "feedback has what goes with <Needs.ANTAGONIST: 16>, and spec.offers is <"),
        (NoFeedback, r'info\["feedback"\] is .* expected a teachgym.Feedback or None'),
        (GlobalDraws, r"the same seed and actions gave another episode .*step \d"),
        (Forgetful, "the same seed and actions gave another episode in an environment that has played before"),
        (SharedDraws, "the same seed and actions gave another episode"),
        (Overspends, "beyond the budget of 40"),
        (Refunds, r'info\["spent"\] fell from'),
        (Endless, "has not terminated after 300 steps"),
        (AllowsNaN, r"step\(array\(\[nan, nan\]\)\) was carried out"),
        (AllowsAnyChoice, r"step\(.*3.*\) was carried out"),
        (CountsRefusedActions, "the same seed and actions gave another episode"),
        (GoesOn, "after the episode has terminated must raise"),
        (BeginsItself, r"before the first reset\(\) must raise"),
        (OutsideItsSpace, "is not in the observation space"),
        (OtherProblem, "spec.observation_space is .* but the environment's is"),
        (NoBudget, "budget is 0; expected a positive integer"),
        (PaysNothing, "the reward is nan"),
        (LacksFeedback, "info lacks 'feedback'"),
        (LacksSteps, "info lacks 'spent'"),
        (Truncates, "not by truncation"),
        (AnswersInReset, r'reset\(\) gave info\["feedback"\]'),
        (LosesWhatItKnew, "another episode stored half-way, and gone on with in a fresh environment"),
        (UnwritableState, r"state_dict\(\) can't be written to a file"),
        (BreaksGymnasium, r"does not call `super\(\).reset\(seed=seed\)`"),
    ],
)
def test_every_broken_promise_is_found(broken: type[Lessons] | type[LessonsEnv], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_teacher_env(of(broken) if issubclass(broken, Lessons) else broken, max_steps=300)


def test_an_ordinary_environment_is_refused() -> None:
    with pytest.raises(AssertionError, match=r"expected a teachgym\.core\.teacher_env\.TeacherEnv"):
        check_teacher_env(Reach)


def test_arguments_that_are_not_allowed_are_named() -> None:
    with pytest.raises(ValueError, match="max_steps is 0"):
        check_teacher_env(LessonsEnv, max_steps=0)
    with pytest.raises(ValueError, match="seed is -1"):
        check_teacher_env(LessonsEnv, seed=-1)


def test_the_check_leaves_the_global_generators_alone() -> None:
    before = copy.deepcopy(np.random.get_state())  # noqa: NPY002
    check_teacher_env(LessonsEnv)
    after = np.random.get_state()  # noqa: NPY002
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
