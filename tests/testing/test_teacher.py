import random
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces

from teachgym.agents.handmade.oracle import OracleSettings
from teachgym.agents.handmade.random import Random
from teachgym.agents.progress.alp_gmm import AlpGmm, AlpGmmSettings
from teachgym.base.settings import NoSettings
from teachgym.base.state import State
from teachgym.core.feedback import Feedback, Transition
from teachgym.core.needs import NOTHING, Needs
from teachgym.core.sampling import GaussianMixture, Window
from teachgym.core.spec import TeachingSpec
from teachgym.core.teacher import Choice, Note, Teacher
from teachgym.testing.equality import difference, not_plain
from teachgym.testing.teacher import check_teacher
from tests.agents.specs import spec
from tests.toy import Reach


def test_alp_gmm_keeps_the_contract_with_normalised_tasks() -> None:
    settings = AlpGmmSettings(fit_every=20, bootstrap_episodes=5, components_max=3, normalise=True, criterion="aicc")
    check_teacher(AlpGmm, settings=settings, episodes=50)


@pytest.mark.slow
def test_alp_gmm_keeps_the_contract_as_it_is() -> None:
    check_teacher(AlpGmm, episodes=300, specs=[spec()])


class Mean(Teacher):
    """A sound teacher to break: it draws around the mean of the last tasks."""

    settings: NoSettings
    keeps = ("tasks",)

    def __init__(self, spec: TeachingSpec, settings: Any = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        self.tasks = [0.5]

    def _act(self, observation: Any) -> Choice:
        return Choice(self.choose(observation))

    def _update(self, transition: Transition, note: Note | None) -> None:
        self.learn(transition)

    def choose(self, observation: Any) -> Any:
        return np.clip(np.array([np.mean(self.tasks) + 0.1 * self.rng.standard_normal()]), 0, 1)

    def learn(self, transition: Transition) -> None:
        if transition.feedback is not None:
            self.tasks = [*self.tasks[-5:], float(transition.feedback.task[0])]


class OutOfBounds(Mean):
    def choose(self, observation: Any) -> Any:
        return np.asarray(super().choose(observation)) + 0.7


class WrongDtype(Mean):
    def choose(self, observation: Any) -> Any:
        return int(np.round(super().choose(observation)[0]))


class Unseeded(Mean):
    def choose(self, observation: Any) -> Any:
        self.rng = np.random.default_rng()
        return super().choose(observation)


class IgnoresItsSeed(Mean):
    def choose(self, observation: Any) -> Any:
        self.rng.random()
        return np.array([0.5])


class DrawsFromNumPy(Mean):
    def choose(self, observation: Any) -> Any:
        np.random.random()  # noqa: NPY002
        return super().choose(observation)


class DrawsFromPython(Mean):
    def choose(self, observation: Any) -> Any:
        random.random()
        return super().choose(observation)


class DrawsFromTorch(Mean):
    def choose(self, observation: Any) -> Any:
        torch.rand(1)
        return super().choose(observation)


class ForgetsItsState(Mean):
    def state(self) -> State:
        return {}

    def load(self, state: Mapping[str, Any]) -> None:
        pass


class ForgetsAnAttribute(Mean):
    shift = 0.0

    def choose(self, observation: Any) -> Any:
        return np.clip(super().choose(observation) + self.shift, 0, 1)

    def learn(self, transition: Transition) -> None:
        super().learn(transition)
        self.shift = 0.3 - self.shift


class KeepsAnotherGenerator(Mean):
    def __init__(self, spec: TeachingSpec, settings: Any = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        self.other = np.random.default_rng(seed)

    def choose(self, observation: Any) -> Any:
        return np.array([self.other.random()])


class GivesOutItsState(Mean):
    def __init__(self, spec: TeachingSpec, settings: Any = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        self.counts = np.zeros(3)

    def learn(self, transition: Transition) -> None:
        super().learn(transition)
        self.counts += 1

    def state(self) -> State:
        return {**super().state(), "counts": self.counts}

    def load(self, state: Mapping[str, Any]) -> None:
        super().load(state)
        self.counts = np.array(state["counts"])


class ChangesALoadedState(GivesOutItsState):
    def state(self) -> State:
        return {**super().state(), "counts": self.counts.copy()}

    def load(self, state: Mapping[str, Any]) -> None:
        super().load(state)
        self.counts = state["counts"]


class LosesPartOfItsState(GivesOutItsState):
    def state(self) -> State:
        return {**super().state(), "counts": self.counts.copy()}

    def load(self, state: Mapping[str, Any]) -> None:
        Mean.load(self, state)


class SavesAnObject(Mean):
    def state(self) -> State:
        return {**super().state(), "self": self.spec}


class NeedsFeedback(Mean):
    def learn(self, transition: Transition) -> None:
        assert transition.feedback is not None, "no feedback"
        super().learn(transition)


class NeedsOrder(Mean):
    def __init__(self, spec: TeachingSpec, settings: Any = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        self.last = -1

    def learn(self, transition: Transition) -> None:
        if transition.feedback is not None:
            if transition.feedback.decision < self.last:
                raise RuntimeError("feedback of the past")
            self.last = transition.feedback.decision
        super().learn(transition)


class DividesByTheSpread(Mean):
    def choose(self, observation: Any) -> Any:
        if len(self.tasks) > 3:
            np.float64(1) / np.std(self.tasks[-3:])
        return super().choose(observation)


class Warns(Mean):
    def learn(self, transition: Transition) -> None:
        warnings.warn("something odd", stacklevel=1)


class ModifiesTheTask(Mean):
    def learn(self, transition: Transition) -> None:
        super().learn(transition)
        if transition.feedback is not None:
            transition.feedback.task[0] = 0.25


class ModifiesTheObservation(Mean):
    def choose(self, observation: Any) -> Any:
        observation += 1
        return super().choose(observation)


class KeepsHoldOfTheTask(Mean):
    def learn(self, transition: Transition) -> None:
        if transition.feedback is not None:
            self.held = transition.feedback.task

    def choose(self, observation: Any) -> Any:
        if hasattr(self, "held"):
            self.tasks = [float(self.held[0])]
        return super().choose(observation)


class GivesOutItsAction(Mean):
    def __init__(self, spec: TeachingSpec, settings: Any = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        self.action = np.array([0.5])

    def choose(self, observation: Any) -> Any:
        self.action += 0.01 * (self.rng.random() - 0.5)
        np.clip(self.action, 0, 1, out=self.action)
        return self.action


class SamplingDraws(Mean):
    def sampling(self) -> None:
        self.rng.random()


class UpsideDown(Mean):
    def sampling(self) -> Window:
        return Window(low=np.ones(1), high=np.zeros(1))


class Unbalanced(Mean):
    def sampling(self) -> GaussianMixture:
        return GaussianMixture(np.zeros((2, 1)), np.ones((2, 1, 1)), np.ones(2), 0.2)


class ShrinksTheSpace(Mean):
    def learn(self, transition: Transition) -> None:
        box: Any = self.spec.action_space
        box.low = box.low + 1e-9


class WritesAFile(Mean):
    def learn(self, transition: Transition) -> None:
        super().learn(transition)
        (Path(tempfile.gettempdir()) / "teacher.log").write_text("learnt\n")


class KeepsAnEnvironment(Mean):
    def __init__(self, spec: TeachingSpec, settings: Any = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        self.lives = [{"first": Reach()}]


class KeepsAnEnvironmentInAFunction(Mean):
    def learn(self, transition: Transition) -> None:
        super().learn(transition)
        world = Reach()
        self.try_out = lambda action: world.step(action)


class RemembersAll(Mean):
    keeps = ("history",)

    def __init__(self, spec: TeachingSpec, settings: Any = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        self.history: list[float] = []

    def learn(self, transition: Transition) -> None:
        super().learn(transition)
        if transition.feedback is not None:
            self.history.append(transition.feedback.outcome)


class SaysThatItRemembers(RemembersAll):
    grows = True


@dataclass
class Thawed:
    """Settings that are not frozen."""


class ThawedSettings(Mean):
    Settings = Thawed


@dataclass(frozen=True)
class Demanding:
    """Settings that can't be made without arguments."""

    rate: float


class DemandingSettings(Mean):
    Settings = Demanding

    def __init__(self, spec: TeachingSpec, settings: Any = None, *, seed: int) -> None:
        super().__init__(spec, Demanding(0.5) if settings is None else settings, seed=seed)


class Ladder(Mean):
    """Higher after each success, lower after each failure."""

    def choose(self, observation: Any) -> Any:
        return np.array([np.clip(np.sum(self.tasks), 0.0, 1.0)])

    def learn(self, transition: Transition) -> None:
        if transition.feedback is not None:
            self.tasks = [sum(self.tasks) + (0.1 if self._mastered(transition.feedback) else -0.1)]

    def _mastered(self, feedback: Feedback) -> bool:
        return feedback.outcome > self.spec.mastered_above


class ReadsSuccesses(Ladder):
    def _mastered(self, feedback: Feedback) -> bool:
        return feedback.success


class DeclaredLadder(Ladder):
    needs = Needs.SUCCESS


BROKEN: dict[type[Teacher], str] = {
    Ladder: "mastered_above without Needs.SUCCESS in what it needs",
    ReadsSuccesses: "reads Feedback.success or .* without Needs.SUCCESS in what it needs",
    OutOfBounds: "not in the action space",
    WrongDtype: "not in the action space",
    Unseeded: "two different runs from one seed",
    IgnoresItsSeed: "the same run from another seed",
    DrawsFromNumPy: "global generator",
    DrawsFromPython: "global generator",
    DrawsFromTorch: "global generator",
    ForgetsItsState: "does not continue the run",
    ForgetsAnAttribute: "does not continue the run",
    KeepsAnotherGenerator: "does not continue the run",
    GivesOutItsState: "went on changing a state that it had given out",
    ChangesALoadedState: "changed a state that it had loaded",
    LosesPartOfItsState: "ends in another state",
    SavesAnObject: "more than arrays and plain values",
    NeedsFeedback: "no feedback",
    NeedsOrder: "out of order, the teacher failed .*feedback of the past",
    DividesByTheSpread: "with all tasks equal, the teacher failed .*divide by zero",
    Warns: "something odd",
    ModifiesTheTask: r"modified what it was given: the transition\['feedback'\]\['task'\]",
    ModifiesTheObservation: "modified what it was given: the observation",
    KeepsHoldOfTheTask: "keeps hold of an array",
    GivesOutItsAction: "keeps hold of an array",
    SamplingDraws: "draws random numbers to describe its sampling",
    UpsideDown: "a window upside down",
    Unbalanced: "a mixture that is none",
    ShrinksTheSpace: "modified the environment's action space",
    WritesAFile: "writes files, the first of them .*teacher.log",
    KeepsAnEnvironment: r"keeps an environment, at self.lives\[0\]\['first'\]",
    KeepsAnEnvironmentInAFunction: "keeps an environment, at self.try_out, by world",
    RemembersAll: "has a state whose 'history.numbers' grows with every answer",
    ThawedSettings: "expected a frozen dataclass",
    DemandingSettings: "without a default for rate",
}


@pytest.fixture
def unit() -> TeachingSpec:
    return spec(spaces.Box(0.0, 1.0, (1,), np.float64))


def test_a_sound_teacher_passes(unit: TeachingSpec) -> None:
    check_teacher(Mean, episodes=40, specs=[unit])


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_every_breakage_is_caught_and_named(broken: type[Teacher], unit: TeachingSpec) -> None:
    with pytest.raises(AssertionError, match=BROKEN[broken]):
        check_teacher(broken, episodes=40, specs=[unit])


def test_what_counts_as_mastered_is_for_teachers_that_declare_that_they_need_to_know(unit: TeachingSpec) -> None:
    check_teacher(DeclaredLadder, episodes=40, specs=[unit])
    with pytest.raises(AssertionError, match=r"mastered_above without Needs\.SUCCESS in what it needs"):
        check_teacher(Ladder, episodes=40, specs=[replace(unit, offers=NOTHING)])


def test_a_teacher_that_says_that_its_state_grows_passes(unit: TeachingSpec) -> None:
    check_teacher(SaysThatItRemembers, episodes=40, specs=[unit])


def test_a_deterministic_teacher_passes(unit: TeachingSpec) -> None:
    class Fixed(Mean):
        def choose(self, observation: Any) -> Any:
            return np.array([0.5])

    check_teacher(Fixed, episodes=20, specs=[unit])


def test_a_teacher_over_another_kind_of_space_can_be_checked() -> None:
    class Arms(Mean):
        def choose(self, observation: Any) -> Any:
            return int(self.rng.integers(3))

    check_teacher(Arms, episodes=20, specs=[spec(spaces.Discrete(3))])


def test_a_teacher_is_given_what_it_needs() -> None:
    class Valued(Random):  # type: ignore[misc]  # final; stands for an outside author's own
        needs = Needs.VALUES | Needs.ENTROPIES | Needs.ANTAGONIST

        def _update(self, transition: Transition, note: Note | None) -> None:
            feedback = transition.feedback
            assert feedback is None or len(feedback.traced("values")) == len(feedback.traced("entropies")) + 1
            assert feedback is None or feedback.antagonist_outcome is not None
            super()._update(transition, note)

    check_teacher(Valued, episodes=20)


def test_bad_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="episodes is 3"):
        check_teacher(Random, episodes=3)
    with pytest.raises(ValueError, match="settings go with a Teacher subclass"):
        check_teacher(lambda spec, seed: Random(spec, seed=seed), settings=OracleSettings())
    with pytest.raises(AssertionError, match="which is no teachgym"):
        check_teacher(lambda spec, seed: None)  # type: ignore[arg-type,return-value]


def test_difference_is_bit_for_bit_and_says_where() -> None:
    assert difference({"a": [1, np.array([np.nan])]}, {"a": [1, np.array([np.nan])]}) is None
    assert difference({"a": [1.0, 2.0]}, {"a": [1.0, 2.5]}, "x") == "x['a'][1] is 2.0, then 2.5"
    assert difference({"a": 1}, {"b": 1}, "x") == "x has keys ['a'], then ['b']"
    assert difference([1], [1, 2], "x") == "x has 1 elements, then 2"
    assert difference(1, 1.0, "x") == "x is a int, then a float"
    assert difference(np.zeros(2), np.zeros(2, np.float32)) is not None


def test_not_plain_finds_what_cannot_be_saved() -> None:
    assert not_plain({"a": [1, 2.0, "b", None, True, np.zeros(2)]}) is None
    assert not_plain({1: 2}) == "the state has the key 1, which is no str"
    assert not_plain([np.float64(1)]) is not None
    assert not_plain({"a": (1, 2)}) is not None
    assert not_plain(np.array([None])) == "the state is an array of dtype object"
