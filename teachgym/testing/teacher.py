"""Whether a teacher keeps the contract of ``teachgym.core.teacher.Teacher``."""

import copy
import random
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields, replace
from typing import Any

import numpy as np

from teachgym.core.feedback import Feedback, Transition
from teachgym.core.needs import NOTHING, Needs
from teachgym.core.requirements import Requirements
from teachgym.core.sampling import GaussianMixture, Window
from teachgym.core.seeding import generator_state
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray
from teachgym.core.teacher import Teacher
from teachgym.testing.equality import difference, not_plain
from teachgym.testing.forgotten import forgotten
from teachgym.testing.made_up import (
    DEGENERATE,
    History,
    made_up_antagonist,
    made_up_specs,
    made_up_trace,
    out_of_order,
)
from teachgym.testing.purity import growing, kept_environment, sizes, written_files

MakeTeacher = Callable[..., Teacher]


def check_teacher(
    teacher: type[Teacher] | MakeTeacher,
    *,
    settings: Any = None,
    episodes: int = 600,
    specs: Sequence[TeachingSpec] | None = None,
    offers: Needs = NOTHING,
) -> None:
    """Check that a teacher keeps the contract; call it from a test of your own.

    Against made-up students it checks that actions lie in the action space; that equal seeds give equal runs
    and, unless the teacher draws nothing, other seeds other runs; that ``state_dict`` holds arrays and plain
    values only, is a snapshot, and continues the run bit for bit in a fresh teacher from any point; that
    feedback may be missing, out of order or degenerate, without errors or warnings; that what counts as
    mastered makes no difference to a teacher that does not need to know; that nothing is drawn from
    or done to the global generators of Python, NumPy and PyTorch; that nothing passed in is modified or
    relied upon afterwards; and that the teacher writes no files, keeps no environment, and has a state that does
    not grow with every answer, unless its class says so by ``grows``.

    Args:
        teacher: A ``Teacher`` subclass, or a function ``(spec, *, seed) -> Teacher`` for one whose settings
            depend on the spec.
        settings: Settings for a class; None takes the defaults. Choose them so that everything the teacher
            does happens well within ``episodes``.
        episodes: Length of the longest runs, at least 10.
        specs: Environments' facts to check with; None takes ``made_up_specs`` that meet what the class requires with
            these settings: boxes of tasks, arms, shares of skills, or plans for trees of them. For a function they are
            boxes.
        offers: What the made-up specs offer beyond what is needed.

    Raises:
        AssertionError: If the teacher breaks the contract; the message says how, and on which action space.
        ValueError: If an argument is not allowed.
    """
    if episodes < 10:
        raise ValueError(f"episodes is {episodes}; expected at least 10")
    if not isinstance(teacher, type) and settings is not None:
        raise ValueError("settings go with a Teacher subclass; a function chooses its own")
    for spec in made_up_specs(_required(teacher, settings).needing(offers)) if specs is None else specs:

        def make(seed: int, spec: TeachingSpec = spec) -> Teacher:
            made = teacher(spec, settings, seed=seed) if isinstance(teacher, type) else teacher(spec, seed=seed)
            if not isinstance(made, Teacher):
                raise AssertionError(f"{teacher!r} made {made!r}, which is no teachgym.core.teacher.Teacher")
            return made

        _Check(make, spec, episodes).all()


def _required(teacher: Any, settings: Any) -> Requirements:
    """What a class requires with these settings, or with any if they can't be made; nothing for a function."""
    if not (isinstance(teacher, type) and issubclass(teacher, Teacher)):
        return Requirements()
    try:
        return teacher.requirements(teacher.Settings() if settings is None else settings)
    except TypeError:
        return Requirements(teacher.acts_on, teacher.reads, teacher.needs)


class _Check:
    """The contract on one spec."""

    def __init__(self, make: MakeTeacher, spec: TeachingSpec, episodes: int) -> None:
        self.make, self.spec, self.episodes = make, spec, episodes
        worst, best = spec.outcome_range
        hidden = Needs.SUCCESS not in spec.offers
        self.threshold = worst + 0.75 * (best - worst) if hidden else spec.mastered_above
        space = copy.deepcopy(spec.observation_space)
        space.seed(0)
        self.observations = [space.sample() for _ in range(episodes + 1)]

    def all(self) -> None:
        """Make all checks."""
        before, generators = copy.deepcopy(self.spec.action_space), _global_generators()
        self.settings()
        with written_files() as written:
            self.seeds()
            self.saving()
            for history in DEGENERATE:
                self.play(self.make(0), history)
        self.claim(not written, f"writes files, the first of them {written[:1]}; a teacher has its state_dict")
        after = {name: state for name, state in _global_generators().items() if name in generators}
        self.claim(
            difference(generators, after, "their state") is None,
            "drew from or seeded a global generator of Python, NumPy or PyTorch; use self.rng",
        )
        self.claim(before == self.spec.action_space, "modified the environment's action space")

    def claim(self, holds: bool, failure: str) -> None:
        """Raise ``AssertionError`` unless the claim holds."""
        if not holds:
            raise AssertionError(f"on action space {self.spec.action_space}, the teacher {failure}")

    def settings(self) -> None:
        """The settings are a frozen dataclass that can be made without arguments."""
        settings = type(self.make(0)).Settings
        frozen = getattr(getattr(settings, "__dataclass_params__", None), "frozen", False)
        self.claim(frozen, f"has Settings {settings!r}; expected a frozen dataclass")
        missing = [f.name for f in fields(settings) if f.init and f.default is MISSING and f.default_factory is MISSING]
        self.claim(not missing, f"has Settings without a default for {', '.join(missing)}")

    def seeds(self) -> None:
        """Equal seeds give equal runs, whatever happens to the arrays passed in; other seeds other runs."""
        history = History("with answers in order")
        teacher = self.make(0)
        start = generator_state(teacher.rng)
        run = self.measured(teacher, history)
        again = self.play(self.make(0), history)
        self.claim(_first(run, again) is None, f"made two different runs from one seed: {_first(run, again)}")
        scribbled = self.play(self.make(0), replace(history, name="with arrays overwritten", scribble=True))
        self.claim(
            _first(run, scribbled) is None,
            f"keeps hold of an array that was passed in, or gave out one that it still uses; copy: "
            f"{_first(run, scribbled)}",
        )
        if Needs.SUCCESS not in teacher.requirements(teacher.settings).needs:
            told = replace(history, name="with another threshold, and successes inverted", inverted=True)
            otherwise = self.play(self.make(0, self.told_otherwise()), told)
            self.claim(
                _first(run, otherwise) is None,
                "reads Feedback.success or TeachingSpec.mastered_above without Needs.SUCCESS in what it needs: "
                f"{_first(run, otherwise)}",
            )
        if difference(start, generator_state(teacher.rng)) is not None:
            other = self.play(self.make(1), history)
            self.claim(_first(run, other) is not None, "draws from self.rng, but made the same run from another seed")

    def told_otherwise(self) -> TeachingSpec:
        """The spec, where it is offered to know what counts as mastered, and that is something else."""
        other = self.threshold - 0.25 * (self.spec.outcome_range[1] - self.spec.outcome_range[0])
        return replace(self.spec, mastered_above=other, offers=self.spec.offers | Needs.SUCCESS)

    def measured(self, teacher: Teacher, history: History) -> list[Any]:
        """Play, and see that the teacher keeps no environment, and no more of a longer run unless it says so."""
        run: list[Any] = []
        measured = []
        for eighth in range(9):
            run = self.play(teacher, history, run, eighth * self.episodes // 8)
            measured.append(sizes(teacher.state_dict()))
        part = None if teacher.grows else growing(measured)
        self.claim(
            part is None,
            f"has a state whose {part!r} grows with every answer; keep the latest only, or give the check settings "
            "whose limits are reached within the run, or declare grows = True",
        )
        kept = kept_environment(teacher, beside=[teacher.spec])
        self.claim(kept is None, f"keeps an environment, at {kept}; it must know its student by feedback alone")
        return run

    def saving(self) -> None:
        """A saved state continues the run bit for bit in a fresh teacher, from any point."""
        history = History("with answers missing and out of order", answers=out_of_order)
        teacher = self.make(0)
        run: list[Any] = []
        saved: dict[int, tuple[Any, Any]] = {}
        points = sorted({0, 1, self.episodes // 3, self.episodes // 2 + 1, self.episodes - 3})
        for point, until in zip(points, [*points[1:], self.episodes], strict=True):
            state = teacher.state_dict()
            odd = not_plain(state)
            self.claim(odd is None, f"has a state of more than arrays and plain values: {odd}")
            saved[point] = (state, copy.deepcopy(state))
            run = self.play(teacher, history, run, until)
        final = teacher.state_dict()
        for point, (state, copied) in saved.items():
            changed = difference(copied, state, "the state")
            self.claim(changed is None, f"went on changing a state that it had given out; copy: {changed}")
            fresh = self.make(1)
            try:
                fresh.load_state_dict(state)
            except Exception as error:
                raise AssertionError(f"the teacher can't load a state that it gave: {error!r}") from error
            resumed = self.play(fresh, history, run[:point])
            self.claim(
                _first(run, resumed) is None,
                f"saved after {point} episodes and loaded, does not continue the run: {_first(run, resumed)}",
            )
            apart = difference(final, fresh.state_dict(), "the state")
            self.claim(apart is None, f"saved after {point} episodes and loaded, ends in another state: {apart}")
            changed = difference(copied, state, "the state")
            self.claim(changed is None, f"changed a state that it had loaded; copy: {changed}")
        lost = forgotten(teacher, self.make(1))
        self.claim(
            lost is None,
            f"forgets {lost}, which has changed and does not come back from its state; name it in keeps, or drop it in "
            "_forget_derived if it follows from what is kept",
        )

    def play(
        self, teacher: Teacher, history: History, actions: Sequence[Any] = (), until: int | None = None
    ) -> list[Any]:
        """Go on from the actions taken so far; return all actions."""
        actions = list(actions)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                for step in range(len(actions), self.episodes if until is None else until):
                    self.step(teacher, history, actions, step)
        except AssertionError:
            raise
        except Exception as error:
            raise AssertionError(
                f"on action space {self.spec.action_space}, {history.name}, "
                f"the teacher failed at step {len(actions)}: {error!r}"
            ) from error
        return actions

    def step(self, teacher: Teacher, history: History, actions: list[Any], step: int) -> None:
        """One step of a run."""
        observation, next_observation = copy.deepcopy(self.observations[step : step + 2])
        action = teacher.act(observation)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Gymnasium's on what is no array
            allowed = self.spec.action_space.contains(action)
        self.claim(allowed, f"chose {action!r} {history.name}, which is not in the action space")
        actions.append(copy.deepcopy(action))
        answered = history.answers(step)
        feedback = None if answered is None else self.feedback(history, actions, answered)
        reward = 0.0 if feedback is None else feedback.outcome
        last = step == self.episodes - 1
        transition = Transition(observation, action, reward, next_observation, last, feedback)
        given = copy.deepcopy(_contents(transition))
        teacher.update(transition)
        changed = difference(given, _contents(transition), "the transition")
        changed = changed or difference(self.observations[step], observation, "the observation")
        self.claim(changed is None, f"modified what it was given: {changed}")
        if history.scribble:
            self.sampling(teacher)
            _overwrite(_contents(transition))

    def feedback(self, history: History, actions: list[Any], decision: int) -> Feedback:
        """What came of a decision."""
        action = actions[0] if history.fixed_task else actions[decision]
        probe = False
        if self.spec.has_probes:
            action, probe = action["decision"], bool(action["probe"])
        task = _vector(action)
        worst, best = self.spec.outcome_range
        place = np.tanh(task)
        rng = np.random.default_rng(decision)
        share = history.outcome(decision, place, rng)
        outcome = worst + share * (best - worst)
        success = (outcome > self.threshold) is not history.inverted
        trace = made_up_trace(self.spec.offers, outcome, rng)
        antagonist = made_up_antagonist(self.spec.offers, outcome, rng)
        return Feedback(task, outcome, success, 100, decision, probe, trace, antagonist)

    def sampling(self, teacher: Teacher) -> None:
        """What the teacher says of its sampling is well formed."""
        before = generator_state(teacher.rng)
        sampling = teacher.sampling()
        self.claim(before == generator_state(teacher.rng), "draws random numbers to describe its sampling")
        if isinstance(sampling, Window):
            self.claim(bool(np.all(sampling.low <= sampling.high)), f"describes a window upside down: {sampling}")
        elif isinstance(sampling, GaussianMixture):
            k, n = sampling.means.shape
            self.claim(
                sampling.covariances.shape == (k, n, n)
                and sampling.weights.shape == (k,)
                and bool(np.all(sampling.weights >= 0))
                and bool(np.isclose(np.sum(sampling.weights), 1))
                and 0 <= sampling.uniform <= 1,
                f"describes a mixture that is none: {sampling}",
            )


def _contents(transition: Transition) -> dict[str, Any]:
    """Everything in a transition, as nested plain values."""
    feedback = transition.feedback
    trace = None if feedback is None or feedback.trace is None else vars(feedback.trace)
    return {**vars(transition), "feedback": None if feedback is None else {**vars(feedback), "trace": trace}}


def _vector(action: Any) -> FloatArray:
    """``(n,)`` the numbers in an action; at least one, so that a task always has some."""
    if isinstance(action, Mapping):
        action = tuple(action.values())
    if isinstance(action, tuple | list):
        return np.concatenate([[0.0], *(_vector(part) for part in action)])
    return np.zeros(0) if isinstance(action, str) else np.array(action, dtype=np.float64).ravel()


def _overwrite(value: Any) -> None:
    """Fill every array in a nested value with zeros."""
    if isinstance(value, np.ndarray) and value.flags.writeable:
        value[...] = 0
    elif isinstance(value, Mapping):
        for item in value.values():
            _overwrite(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _overwrite(item)


def _first(left: list[Any], right: list[Any]) -> str | None:
    """Where two runs part, if they do."""
    return difference(left, right, "the action at step ")


def _global_generators() -> dict[str, Any]:
    """The states of the global generators."""
    states: dict[str, Any] = {"python": random.getstate(), "numpy": np.random.get_state()}  # noqa: NPY002 - to watch it
    if "torch" in sys.modules:
        states["torch"] = sys.modules["torch"].get_rng_state().numpy()
    return states
