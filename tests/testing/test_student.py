import contextlib
import copy
import random
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from numpy.typing import NDArray

from teachgym.students import CallableStudent, RLStudent
from teachgym.students.rl.ppo import PPOSettings, PPOStudent
from teachgym.students.rl.sac import SACSettings, SACStudent
from teachgym.testing.student import check_student
from teachgym.worlds.world_batch import WorldBatch
from tests.students.rl.test_callable_student import climb, reinforce
from tests.students.rl.test_sb3_students import QUICK_PPO, QUICK_SAC
from tests.toy import Countdown, Reach


class Climber(RLStudent):
    """Hill climbing on a linear policy; each subclass below breaks one promise."""

    def learn(self, worlds: WorldBatch, *, steps: int, seed: int) -> None:
        self.weights = np.zeros((2, 1))
        rng = np.random.default_rng(seed)
        best = -np.inf
        while True:
            candidate = self.weights + 0.1 * rng.normal(size=(2, 1))
            total = self.play(worlds, self.slots_to_play(worlds), candidate)
            if total > best - 1.0:
                self.weights += candidate - self.weights  # in place, as a library's own tensors change

    def slots_to_play(self, worlds: WorldBatch) -> NDArray[np.int64]:
        return np.arange(worlds.size)

    def play(self, worlds: WorldBatch, slots: NDArray[np.int64], weights: NDArray[Any]) -> float:
        """One episode in each slot; the sum of their returns."""
        total, observations = 0.0, worlds.reset(slots, [None] * len(slots))
        while len(slots):
            actions = self.actions(worlds, np.tanh(observations @ weights))
            observations, rewards, terminated, truncated = worlds.step(slots, actions)
            goes_on = ~(terminated | truncated)
            total, slots, observations = total + rewards.sum(), slots[goes_on], observations[goes_on]
        return total

    def actions(self, worlds: WorldBatch, chosen: NDArray[Any]) -> NDArray[Any]:
        return chosen

    def act(self, observations: NDArray[Any]) -> NDArray[Any]:
        if not hasattr(self, "weights"):
            raise RuntimeError("not trained")
        return np.tanh(observations @ self.weights)

    def state_dict(self) -> dict[str, Any] | None:
        return {"weights": self.weights.copy()}

    def load_state_dict(self, state: Any, observation_space: Any, action_space: Any) -> None:
        self.weights = state["weights"]


class TwoSlots(Climber):
    slots = 2


class Stateless(Climber):
    def state_dict(self) -> None:
        return None


@pytest.mark.parametrize("student", [Climber, TwoSlots, Stateless])
def test_good_students_pass(student: type[RLStudent]) -> None:
    check_student(student)
    check_student(student, make_world=Reach, steps=60, seed=3)
    check_student(student, make_world=lambda: Countdown(times_out=True), steps=60)


def test_functions_pass() -> None:
    check_student(lambda: CallableStudent(climb))
    check_student(lambda: CallableStudent(reinforce, slots=2))


class Keys(gymnasium.Wrapper[Any, Any, Any, Any]):
    """A world of two keys."""

    def __init__(self) -> None:
        super().__init__(Reach())
        self.action_space = spaces.Discrete(2)

    def step(self, action: Any) -> Any:
        return self.env.step(np.array([2.0 * action - 1.0]))


class KeyPresser(Climber):
    def actions(self, worlds: WorldBatch, chosen: NDArray[Any]) -> NDArray[Any]:
        return (chosen[:, 0] > 0).astype(np.int64)

    def act(self, observations: NDArray[Any]) -> NDArray[Any]:
        return (super().act(observations)[:, 0] > 0).astype(np.int64)


def test_a_world_with_keys_is_possible() -> None:
    check_student(KeyPresser, make_world=Keys)
    with pytest.raises(AssertionError, match="act\\(\\) gave shape"):
        check_student(lambda: make_wrong_shape(), make_world=Keys)


def make_wrong_shape() -> RLStudent:
    class WrongShape(KeyPresser):
        def act(self, observations: NDArray[Any]) -> NDArray[Any]:
            return super().act(observations)[:, None]

    return WrongShape()


class ActsUntrained(Climber):
    def act(self, observations: NDArray[Any]) -> NDArray[Any]:
        return np.tanh(observations @ getattr(self, "weights", np.zeros((2, 1))))


class Untaught(Climber):
    def learn(self, worlds: Any, *, steps: int, seed: int) -> None:
        self.weights = np.zeros((2, 1))


class Unwraps(Climber):
    def actions(self, worlds: Any, chosen: NDArray[Any]) -> NDArray[Any]:
        copy.copy(worlds._batch._batch._worlds[0]).step(chosen[0])
        return chosen


class OneSlotOnly(TwoSlots):
    def slots_to_play(self, worlds: WorldBatch) -> NDArray[np.int64]:
        return np.arange(1)


class NeverEnds(Climber):
    def learn(self, worlds: Any, *, steps: int, seed: int) -> None:
        while True:
            with contextlib.suppress(BaseException):  # what a training loop must not do
                super().learn(worlds, steps=steps, seed=seed)


class WrongShape(Climber):
    def act(self, observations: NDArray[Any]) -> NDArray[Any]:
        return super().act(observations)[:, 0]


class OneAtATime(Climber):
    def act(self, observations: NDArray[Any]) -> NDArray[Any]:
        return super().act(observations[0])[None]


class OutsideTheSpace(Climber):
    def act(self, observations: NDArray[Any]) -> NDArray[Any]:
        return 1.5 + super().act(observations)


class NotANumber(Climber):
    def act(self, observations: NDArray[Any]) -> NDArray[Any]:
        return np.nan * super().act(observations)


class ListOfActions(Climber):
    def act(self, observations: NDArray[Any]) -> Any:
        return list(super().act(observations))


class Explores(Climber):
    def act(self, observations: NDArray[Any]) -> NDArray[Any]:
        return super().act(observations) + 0 * random.random()


class ExploresByItself(Climber):
    rng = np.random.default_rng(0)

    def act(self, observations: NDArray[Any]) -> NDArray[Any]:
        return np.tanh(super().act(observations) + self.rng.normal())


class ChangesObservations(Climber):
    def act(self, observations: NDArray[Any]) -> NDArray[Any]:
        actions = super().act(observations)
        observations += 1
        return actions


class UnseededLearner(Climber):
    def learn(self, worlds: Any, *, steps: int, seed: int) -> None:
        super().learn(worlds, steps=steps, seed=int(np.random.SeedSequence().generate_state(1)[0]))


class Continues(Climber):
    learnt = 0

    def learn(self, worlds: Any, *, steps: int, seed: int) -> None:
        self.learnt += 1
        super().learn(worlds, steps=steps, seed=seed + self.learnt)


class LearnsWhenTested(Climber):
    def act(self, observations: NDArray[Any]) -> NDArray[Any]:
        actions = super().act(observations)
        self.weights *= 0.99 if self.learning else 1.0
        return actions

    learning = False

    def learn(self, worlds: Any, *, steps: int, seed: int) -> None:
        self.learning = True
        try:
            super().learn(worlds, steps=steps, seed=seed)
        finally:
            self.learning = False


class UnwritableState(Climber):
    def state_dict(self) -> Any:
        return {"weights": self.weights, "self": self}


class LoadsNothing(Climber):
    def load_state_dict(self, state: Any, observation_space: Any, action_space: Any) -> None:
        self.weights = np.zeros((2, 1))


class LiveState(Climber):
    kept: NDArray[Any]

    def learn(self, worlds: Any, *, steps: int, seed: int) -> None:
        if hasattr(self, "weights"):
            self.kept[:] = 0.0
        self.kept = np.ones((2, 1))
        try:
            super().learn(worlds, steps=steps, seed=seed)
        finally:
            self.kept[:] = self.weights

    def state_dict(self) -> Any:
        return {"weights": self.kept}


class Fails(Climber):
    def learn(self, worlds: Any, *, steps: int, seed: int) -> None:
        worlds.reset(np.arange(1), [None])
        raise ArithmeticError("the student's own")


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (ActsUntrained, r"act\(\) before learn\(\) gave actions; it must raise RuntimeError"),
        (Untaught, "returned without a step in the worlds"),
        (Unwraps, "steps past the worlds it was given"),
        (OneSlotOnly, "never played slot 1 of 2"),
        (NeverEnds, "goes on after its 500 steps are spent"),
        (WrongShape, r"act\(\) gave shape \(\d+,\) for \d+ observations"),
        (OneAtATime, r"act\(\) gave shape \(1, 1\) for"),
        (OutsideTheSpace, "not in the world's action space"),
        (NotANumber, "not in the world's action space"),
        (ListOfActions, "gave list; expected an array"),
        (Explores, "drew from a global generator"),
        (ExploresByItself, "gave two answers to the same observations"),
        (ChangesObservations, "modified the observations"),
        (UnseededLearner, "learnt twice from one seed and became two different learners"),
        (Continues, r"learn\(\) must start from scratch"),
        (LearnsWhenTested, r"act\(\) must change nothing"),
        (UnwritableState, r"state_dict\(\) can't be written to a file: state holds a UnwritableState"),
        (LoadsNothing, r"acts otherwise after state_dict\(\) and load_state_dict\(\)"),
        (LiveState, "learning went on changing a state"),
    ],
)
def test_every_broken_promise_is_found(broken: type[RLStudent], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_student(broken)


class LosesReturns(PPOStudent):
    def learner_state(self) -> dict[str, Any]:
        state = super().learner_state()
        state["algorithm"]["normalise"]["returns"] *= 0
        return state


class LosesGenerator(SACStudent):
    def learner_state(self) -> dict[str, Any]:
        state = super().learner_state()
        state["algorithm"]["global"]["torch"] = torch.Generator().manual_seed(7).get_state().numpy()
        return state


class NeverWhole(Climber):
    def learner_state(self) -> dict[str, Any]:
        return {"weights": self.weights.copy()}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LosesReturns(PPOSettings(**QUICK_PPO)), "went on from learner_state"),
        (lambda: LosesGenerator(SACSettings(**QUICK_SAC)), "went on from learner_state"),
        (NeverWhole, "never called at_boundary"),
    ],
)
def test_a_student_that_can_not_go_on_is_found(make: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_student(make, steps=300)


def test_what_the_student_raises_itself_surfaces() -> None:
    with pytest.raises(ArithmeticError, match="the student's own"):
        check_student(Fails)


def test_what_is_no_student_is_refused() -> None:
    with pytest.raises(AssertionError, match=r"expected a teachgym\.students\.RLStudent"):
        check_student(lambda: 3)  # type: ignore[arg-type, return-value]

    class NoSlots(Climber):
        slots = 0

    with pytest.raises(AssertionError, match="slots is 0"):
        check_student(NoSlots)


def test_arguments_that_are_not_allowed_are_named() -> None:
    with pytest.raises(ValueError, match="steps is 0"):
        check_student(Climber, steps=0)
    with pytest.raises(ValueError, match="seed is -1"):
        check_student(Climber, seed=-1)
