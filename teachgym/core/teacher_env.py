"""A Gymnasium environment whose agent is a teacher: one step is one teaching decision."""

import copy
from collections.abc import Iterable
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded
from numpy.typing import ArrayLike

from teachgym.base.annotations import shown
from teachgym.base.packing import pack, unpack
from teachgym.base.state import State, loading
from teachgym.core.decision import split_probe
from teachgym.core.evaluation import Evaluation
from teachgym.core.lifetime import Lifetime
from teachgym.core.requirements import OnDemand
from teachgym.core.reward_rule import RewardRule
from teachgym.core.seeding import Seeds, check_seed, fan_out
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import TaskSpace
from teachgym.core.view import View

MOST_UNPAID = 100_000
"""Decisions in a row that may spend nothing; more of them are taken for a teacher that never lets its student learn."""


class TeacherEnv(gymnasium.Env[Any, Any]):
    """A student's lifetime, taught step by step.

    What comes of a decision is up to the lifetime, what a step pays to a reward rule, and what the teacher sees to a
    view; environments choose these three.

    ``reset`` makes a fresh student. ``step`` is the same everywhere: read the action, let the student learn one
    training segment, reward, observe, and say whether the budget is spent. ``info["feedback"]`` is a ``Feedback``, or
    None when the step finished nothing. ``info["spent"]`` is the number of student steps (or examples) spent so far.

    Args:
        lifetime: The student.
        spec: What a teacher may know before the first step.
        reward: What a step pays.
        view: What the teacher sees.
    """

    on_demand: ClassVar[tuple[OnDemand, ...]] = ()
    """What the constructor's keywords can be asked for beyond what there is by default; ``teachgym.pair`` and
    ``teachgym compare`` ask for it where the teacher needs it."""
    seeds: Seeds
    """The seeds of this episode; set by ``reset``."""

    def __init__(self, lifetime: Lifetime[Any], spec: TeachingSpec, *, reward: RewardRule, view: View) -> None:
        self.lifetime, self.teaching_spec = lifetime, spec
        self.action_space, self.observation_space = spec.action_space, spec.observation_space
        self._reward, self._view = reward, view
        self._running = False
        self._why_not_running = "no episode has begun"
        self._unpaid = 0
        self._carried_out: list[Any] = []

    @property
    def task_space(self) -> TaskSpace:
        """The tasks that feedback is about, in order and with units."""
        return self.lifetime.task_space

    @property
    def observation_names(self) -> tuple[str, ...]:
        """Names of the numbers of an observation that is a vector."""
        return self._view.names

    @property
    def budget(self) -> int:
        """Student steps (or examples) that one episode of this environment may spend."""
        return self.lifetime.budget

    @property
    def spent(self) -> int:
        """Student steps (or examples) spent so far in this episode."""
        return self.lifetime.spent

    def evaluate(self, tasks: ArrayLike | None = None) -> Evaluation:
        """Test the student as it is now; neither student nor budget notices.

        Args:
            tasks: ``(m, n)`` tasks of ``lifetime.test_space``; None takes the environment's test set.

        Raises:
            ResetNeeded: Before the first ``reset``.
            ValueError: If a task is not allowed.
            NotImplementedError: If the environment has no such test.
        """
        if not hasattr(self, "seeds"):
            raise ResetNeeded("no student exists yet; call reset() before evaluate()")
        return self.lifetime.evaluate(tasks)

    def restore_student(self, state: State, *, seed: int) -> None:
        """Take over a stored student, to test and watch it.

        Args:
            state: What ``lifetime.student_state`` gave.
            seed: That of its run; ``evaluate`` then tests it in the same worlds.

        Raises:
            ValueError: If the state does not fit.
            NotImplementedError: If the environment's students can't be stored.
        """
        self._running, self._why_not_running = False, "its student was restored to be tested"
        self.seeds = fan_out(seed)
        self.lifetime.restore_student(state, self.seeds)

    def close(self) -> None:
        """Let go of the student, and end the episode."""
        self.lifetime.close()
        self._running, self._why_not_running = False, "the environment was closed"

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Make a fresh student.

        Args:
            seed: Non-negative integer that fixes the whole episode; None continues the environment's own stream.
            options: None; there are none.

        Raises:
            ValueError: If the seed or the options are not allowed.
        """
        if options is not None and not (isinstance(options, dict) and not options):
            raise ValueError(f"options are {shown(options)}; a teacher environment takes none")
        if seed is not None:
            check_seed(seed)
            seed = int(seed)
        super().reset(seed=seed)
        self.seeds = fan_out(int(self.np_random.integers(2**31)) if seed is None else seed)
        self._running, self._why_not_running = False, "the last reset() failed"
        observation = self._begin()
        self._running = True
        return observation, {"feedback": None, "spent": self.spent, **self.lifetime.info()}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Carry one teaching decision out.

        Raises:
            ResetNeeded: Before the first ``reset``, and once the episode is over, by an error or otherwise.
            ValueError: If the action is not allowed.
            RuntimeError: If 100,000 decisions in a row have spent nothing.
            Exception: Whatever the student raises; it ends the episode, unless the lifetime says that the step may be
                tried again.
        """
        self._check_running("step")
        lifetime = self.lifetime
        decision, probe = split_probe(action) if self.teaching_spec.has_probes else (action, False)
        decision = lifetime.read(decision)
        self._running, self._why_not_running = False, "the last step() was broken off"
        before = self.spent
        try:
            feedback = lifetime.probe(decision) if probe else lifetime.teach(decision)
        except Exception as error:
            self._running = lifetime.survives(error)
            self._why_not_running = f"the last step() failed ({type(error).__name__}: {error})"
            raise
        if lifetime.replayed:
            self._carried_out.append(copy.deepcopy(action))
        self._unpaid = 0 if self.spent > before else self._unpaid + 1
        if self._unpaid > MOST_UNPAID:
            raise RuntimeError(
                f"the last {MOST_UNPAID:,} decisions have spent none of the budget ({self.spent} of {self.budget} is "
                "spent); a teacher whose probes are free must let its student learn at times"
            )
        over = lifetime.over
        self._running, self._why_not_running = not over, "the episode is over"
        info = {"feedback": feedback, "spent": self.spent, **lifetime.info()}
        observation = self._view.observe(feedback, lifetime)
        return observation, self._reward.pay(feedback, lifetime), over, False, info

    def state_dict(self) -> State:
        """What ``load_state_dict`` needs to go on from here, bit for bit on CPU: arrays and plain values.

        Raises:
            ResetNeeded: If there is no episode in the making.
        """
        self._check_running("state_dict")
        state = {"seed": self.seeds.seed, "unpaid": self._unpaid, "spent": self.spent}
        if self.lifetime.replayed:
            return {**state, "actions": pack(self._carried_out)}
        parts = {"lifetime": self.lifetime, "reward": self._reward, "view": self._view}
        return {**state, **{name: part.state() for name, part in parts.items()}}

    def load_state_dict(self, state: State) -> None:
        """Go on with the episode of a ``state_dict``, of an environment with the same settings; no ``reset`` is needed.

        Raises:
            ValueError: If the state does not fit, or replaying what led to it did not come to it.
        """
        self._running, self._why_not_running = False, "the last load_state_dict() failed"
        with loading(self):
            for name in ("seed", "unpaid", "spent"):
                if not isinstance(state[name], int | np.integer):
                    raise ValueError(f"{name!r} in the state is {shown(state[name])}; expected an integer")
            self.seeds = fan_out(int(state["seed"]))
            if self.lifetime.replayed:
                self._replay(unpack(state["actions"]))
            else:
                self.lifetime.resume(state["lifetime"], self.seeds)
                self._reward.begin(self.lifetime)
                self._reward.load(state["reward"])
                self._view.begin(self.lifetime)
                self._view.load(state["view"])
            if self.spent != state["spent"]:
                raise ValueError(
                    f"the state of {type(self).__name__} has {state['spent']} spent, and led to {self.spent}: its "
                    "student does not depend on its seeds alone, or another version or machine computes differently"
                )
            self._unpaid = int(state["unpaid"])
        self._running = True

    def _begin(self) -> Any:
        """Make a fresh student, and return the first observation."""
        self._unpaid, self._carried_out = 0, []
        self.lifetime.begin(self.seeds)
        self._reward.begin(self.lifetime)
        self._view.begin(self.lifetime)
        return self._view.observe(None, self.lifetime)

    def _replay(self, actions: Iterable[Any]) -> None:
        """Carry these actions out again from the beginning."""
        self._begin()
        self._running = True
        for action in actions:
            self.step(action)

    def _check_running(self, call: str) -> None:
        """Raise ``ResetNeeded`` unless there is an episode in the making, which a call needs."""
        if not self._running:
            raise ResetNeeded(f"call reset() before {call}(): {self._why_not_running}")
