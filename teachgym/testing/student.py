"""Whether a student keeps the contract of ``teachgym.students.RLStudent``."""

import random
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from teachgym.base.files import read_state, write_state
from teachgym.core.seeding import check_seed
from teachgym.core.task_space import FloatArray, Parameter, TaskSpace
from teachgym.students import RLStudent
from teachgym.students.lifetimes.coroutine import Coroutine
from teachgym.students.lifetimes.episode import FinishedEpisode
from teachgym.students.lifetimes.global_state import capture, preserved
from teachgym.students.lifetimes.learning_loop import LearningLoop
from teachgym.students.lifetimes.taught_worlds import BudgetLedger, TaughtWorlds
from teachgym.testing.equality import difference
from teachgym.worlds.evaluate import evaluate
from teachgym.worlds.world_batch import Played, SerialBatch, Slots, WorldBatchWrapper, task_space_of

World = gymnasium.Env[Any, Any]

_PATIENCE = 1000
"""Steps beyond the budget after which a student is taken for one that never ends."""


class Slide(gymnasium.Env[NDArray[np.float32], NDArray[np.float32]]):
    """The default world: move a point on a line to a target within ten steps."""

    def __init__(self) -> None:
        self.task_space = TaskSpace([Parameter("target", -1.0, 1.0)])
        self.observation_space = spaces.Box(-np.inf, np.inf, (2,), dtype=np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (1,), dtype=np.float32)
        self._task: FloatArray = np.zeros(1)
        self._position = 0.0
        self._steps = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begin at a random place near 0."""
        super().reset(seed=seed)
        self._task = self.task_space.validate((options or {}).get("task", self._task))
        self._position = float(self.np_random.uniform(-0.1, 0.1))
        self._steps = 0
        return self._observation(), {"task": self._task.copy()}

    def step(self, action: NDArray[np.float32]) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Move by a third of the action; pay minus the distance that is left."""
        self._position += float(np.clip(action, -1.0, 1.0)[0]) / 3
        self._steps += 1
        distance = abs(self._position - float(self._task[0]))
        return self._observation(), -distance, distance < 0.05, self._steps >= 10, {"task": self._task.copy()}

    def _observation(self) -> NDArray[np.float32]:
        return np.array([self._position, self._task[0]], dtype=np.float32)


def check_student(
    make: Callable[[], RLStudent], *, make_world: Callable[[], World] = Slide, steps: int = 500, seed: int = 0
) -> None:
    """Check that a student keeps the contract; call it from a test of your own.

    It learns a few times, with random tasks, and must: play only through the worlds it is given, all of them,
    and end when the budget is spent; refuse to ``act`` before there is a learner; answer with actions of the
    right shape within the world's action space, the same for the same observations, drawing nothing from
    global generators; become the same learner from the same seed, whether or not it is tested and global
    generators are drawn from while it is paused, and whatever it learnt before; and come back from a file
    acting as before, if it has a state at all. If it says where its learner is whole (``at_boundary``), it must go on
    from such a place, in another process, to the same learner.

    Args:
        make: Makes the student, with settings under which it updates its weights well within ``steps``.
        make_world: Makes a world with a time limit, which takes ``reset(options={"task": ...})`` and has a
            ``task_space``; the default has two numbers to observe and one to choose, from -1 to 1.
        steps: World steps of each learning, at least 1.
        seed: Non-negative integer.

    Raises:
        AssertionError: If the student breaks the contract; the message says how.
        ValueError: If an argument is not allowed.
    """
    check_seed(seed)
    if steps < 1:
        raise ValueError(f"steps is {steps}; expected at least 1")
    student = make()
    assert isinstance(student, RLStudent), f"make() gave {student!r}; expected a teachgym.students.RLStudent"
    assert isinstance(student.slots, int), f"slots is {student.slots!r}; expected an integer"
    assert student.slots >= 1, f"slots is {student.slots!r}; expected at least 1"
    check = _Check(make, make_world, steps, seed)
    check.refuses_to_act_without_a_learner(make())
    check.learn(student)
    check.acts(student)
    check.becomes_the_same_learner(student)
    check.comes_back_from_a_file(student)
    check.goes_on_in_the_middle(student)


class _Check:
    """The contract in one kind of world."""

    def __init__(self, make: Callable[[], RLStudent], make_world: Callable[[], World], steps: int, seed: int) -> None:
        self.make, self.make_world, self.steps, self.seed = make, make_world, steps, seed
        world = make_world()
        self.observation_space, self.action_space = world.observation_space, world.action_space
        self.task_space = task_space_of(world)
        self.observations = self._some_observations(world)
        world.close()

    def refuses_to_act_without_a_learner(self, student: RLStudent) -> None:
        """``act`` before ``learn`` raises ``RuntimeError``."""
        try:
            student.act(self.observations)
        except RuntimeError:
            return
        raise AssertionError("act() before learn() gave actions; it must raise RuntimeError")

    def learn(self, student: RLStudent, *, seed: int | None = None, disturb: bool = False) -> None:
        """Let the student learn from a seed, paused at every episode, and tested there if it is to be disturbed."""
        seed = self.seed if seed is None else seed
        _Learning(self, student, seed).run(disturb=disturb)

    def acts(self, student: RLStudent) -> None:
        """Actions are well formed, and asking for them has no effects."""
        before = _generators()
        observations = self.observations.copy()
        actions = student.act(observations)
        assert difference(before, _generators()) is None, (
            "act() drew from a global generator; it must give the best action, without exploration"
        )
        assert difference(self.observations, observations) is None, "act() modified the observations it was given"
        self._check_actions(actions)
        again = student.act(self.observations)
        assert difference(actions, again) is None, (
            f"act() gave two answers to the same observations; it must be deterministic: "
            f"{difference(actions, again, 'the actions')}"
        )
        self._check_actions(student.act(self.observations[:1]), count=1)
        random_tasks = self.task_space.uniform(np.random.default_rng(self.seed), 3)
        evaluate(student.act, self._make_batch, random_tasks, seed=self.seed, mastered_above=0.0)

    def becomes_the_same_learner(self, student: RLStudent) -> None:
        """The learner follows from the seed alone."""
        expected = student.act(self.observations)
        with preserved():
            random.random()
            np.random.random()  # noqa: NPY002
            other = self.make()
            self.learn(other)
            self._check_same(expected, other, "learnt twice from one seed and became two different learners")
        self.learn(other, disturb=True)
        self._check_same(
            expected,
            other,
            "became another learner when it learnt again, tested while paused and with draws from global generators "
            "in between; learn() must start from scratch, and act() must change nothing",
        )

    def comes_back_from_a_file(self, student: RLStudent) -> None:
        """A fresh student that loads the state acts as the one that gave it."""
        state = student.state_dict()
        if state is None:
            return
        expected = student.act(self.observations)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "student.npz"
            try:
                write_state(path, state)
            except TypeError as error:
                raise AssertionError(f"state_dict() can't be written to a file: {error}") from error
            self.learn(student, seed=self.seed + 1)  # a state that is no snapshot would change with it
            _check_snapshot(state, read_state(path))
            fresh = self.make()
            fresh.load_state_dict(read_state(path), self.observation_space, self.action_space)
        self._check_same(expected, fresh, "acts otherwise after state_dict() and load_state_dict()")

    def goes_on_in_the_middle(self, student: RLStudent) -> None:
        """A learner that is stored in the middle, and goes on in a fresh student, becomes the same."""
        if type(student).learner_state is RLStudent.learner_state:
            return
        rng = np.random.default_rng(self.seed)
        tasks = self.task_space.uniform(rng, self.steps)
        whole, _ = self._paused(student, None)
        for task in tasks:
            whole.teach(task)
            if whole.is_over:
                break
        whole.close()
        part, ledger = self._paused(self.make(), None)
        asked = moved = False
        for task in tasks:
            if not asked and ledger.spent >= self.steps // 3:
                part.capture()
                asked = True
            part.teach(task)
            if part.is_over:
                break
            if asked and not moved and not part.capturing:
                with tempfile.TemporaryDirectory() as folder:
                    path = Path(folder) / "learner.npz"
                    write_state(path, part.state())
                    part.close()
                    fresh = self.make()
                    part, ledger = self._paused(fresh, read_state(path))
                moved = True
        assert moved, "learn() never called at_boundary(), or had no step left then; call it between rollouts"
        self._check_same(student.act(self.observations), fresh, "went on from learner_state() to another learner")
        part.close()

    def _paused(self, student: RLStudent, state: Any) -> tuple[LearningLoop, BudgetLedger]:
        ledger = BudgetLedger(self.steps, mastered_above=0.0)
        paused = LearningLoop(
            student, self._make_batch, ledger, world_seed=self.seed, student_seed=self.seed, state=state
        )
        return paused, ledger

    def _make_batch(self, count: int) -> SerialBatch:
        return SerialBatch([self.make_world() for _ in range(count)])

    def _check_same(self, expected: NDArray[Any], student: RLStudent, failure: str) -> None:
        found = difference(expected, student.act(self.observations), "the actions")
        assert found is None, f"the student {failure}: {found}"

    def _check_actions(self, actions: Any, count: int | None = None) -> None:
        count = len(self.observations) if count is None else count
        space = self.action_space
        assert isinstance(actions, np.ndarray), f"act() gave {type(actions).__name__}; expected an array"
        expected = (count, *(space.shape or ()))
        assert actions.shape == expected, f"act() gave shape {actions.shape} for {count} observations; not {expected}"
        assert space.dtype is None or np.can_cast(actions.dtype, space.dtype, "same_kind"), (
            f"act() gave dtype {actions.dtype}; the world's actions are {space.dtype}"
        )
        for action in actions.astype(space.dtype):
            assert space.contains(action), f"act() gave {action}, which is not in the world's action space {space}"

    def _some_observations(self, world: World) -> NDArray[Any]:
        """Observations of a random policy on random tasks: ``(n, ...)``."""
        rng = np.random.default_rng(self.seed)
        self.action_space.seed(self.seed)
        seen: list[Any] = []
        for episode in range(4):
            task = self.task_space.uniform(rng)
            observation, _ = world.reset(seed=self.seed if episode == 0 else None, options={"task": task})
            over = False
            while not over and len(seen) < 16 * (episode + 1):
                seen.append(observation)
                observation, _, terminated, truncated, _ = world.step(self.action_space.sample())
                over = terminated or truncated
        return np.stack(seen)


class _Watched(WorldBatchWrapper):
    """Worlds that notice a student which will not end; nothing else can get out of its loop."""

    def __init__(self, worlds: TaughtWorlds, ledger: BudgetLedger, give_up: Callable[[], None]) -> None:
        super().__init__(worlds)
        self.played = np.zeros(worlds.size, dtype=np.bool_)
        self._ledger, self._give_up, self._refused = ledger, give_up, 0

    def reset(
        self, slots: Slots, tasks: Sequence[FloatArray | None], seeds: Sequence[int | None] | None = None
    ) -> NDArray[Any]:
        self._notice()
        return super().reset(slots, tasks, seeds)

    def step(self, slots: Slots, actions: NDArray[Any]) -> Played:
        self._notice()
        self.played[slots] = True
        return super().step(slots, actions)

    def _notice(self) -> None:
        self._refused += self._ledger.exhausted
        if self._refused > _PATIENCE:
            self._give_up()


class _Learning:
    """One run of ``learn``, paused at every episode."""

    def __init__(self, check: _Check, student: RLStudent, seed: int) -> None:
        self.check, self.student, self.seed = check, student, seed
        self.ledger = BudgetLedger(check.steps, mastered_above=0.0)
        self.stuck = False
        self.steps_of_worlds = 0
        self.played = np.zeros(student.slots, dtype=np.bool_)

    def run(self, *, disturb: bool) -> None:
        """Answer every question with a random task until the student ends, and see that it was in order."""
        coroutine: Coroutine[FinishedEpisode | None, FloatArray] = Coroutine(self._learn, seed=self.seed)
        rng = np.random.default_rng(self.seed)
        coroutine.resume(None)
        while not coroutine.finished and not self.stuck:
            if disturb:
                self._disturb()
            coroutine.resume(self.check.task_space.uniform(rng))
        if self.stuck:
            _STUCK.append(coroutine)
        self._check_end()

    def _learn(self, ask: Callable[[FinishedEpisode | None], FloatArray]) -> None:
        def give_up() -> None:
            self.stuck = True
            while True:
                ask(None)

        batch = SerialBatch([self._make_counted() for _ in range(self.student.slots)])
        worlds = _Watched(TaughtWorlds(batch, self.ledger, ask, seed=self.seed), self.ledger, give_up)
        self.played = worlds.played
        self.student.learn(worlds, steps=self.check.steps, seed=self.seed)

    def _make_counted(self) -> World:
        """A world that counts its steps at the bottom, below every wrapper."""
        world = self.check.make_world()
        play = world.unwrapped.step

        def step(action: Any) -> Any:
            self.steps_of_worlds += 1
            return play(action)

        world.unwrapped.step = step  # type: ignore[method-assign]
        return world

    def _disturb(self) -> None:
        """What a teacher may do while the student is paused."""
        with preserved():
            random.random()
            np.random.random(3)  # noqa: NPY002
            try:
                self.student.act(self.check.observations)
            except RuntimeError:
                assert self.ledger.spent == 0, "act() raised RuntimeError although the student had begun to learn"

    def _check_end(self) -> None:
        steps, spent = self.check.steps, self.ledger.spent
        assert not self.stuck, (
            f"learn() goes on after its {steps} steps are spent; step() ends it by a BaseException: let that pass"
        )
        assert self.steps_of_worlds == spent, (
            f"learn() played {self.steps_of_worlds - spent} steps past the worlds it was given; it must not unwrap them"
        )
        assert spent > 0, "learn() returned without a step in the worlds it was given"
        idle = [str(slot) for slot in np.flatnonzero(~self.played)]
        assert not idle or steps < len(self.played), (
            f"learn() never played slot {', '.join(idle)} of {len(self.played)}; it must play them all"
        )


_STUCK: list[Coroutine[Any, Any]] = []
"""Students that can't be ended. Kept, as forgetting one would have it run on."""


def _check_snapshot(state: Any, stored: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "again.npz"
        write_state(path, state)
        found = difference(stored, read_state(path), "the state")
    assert found is None, f"learning went on changing a state that state_dict() had given out; copy: {found}"


def _generators() -> dict[str, Any]:
    """The global generators, as values that can be compared."""
    state = capture()
    return {name: value.numpy() if name == "torch" else value for name, value in state.items() if name != "cuda"}
