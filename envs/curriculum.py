"""The curriculum environment: the action is a task, and one step is one episode of an RL student."""

import contextlib
import copy
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Literal

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray

from teachgym.envs.test_sets import draw_test_set
from teachgym.envs.world_maker import WorldMaker
from teachgym.evaluation import Evaluation, evaluate
from teachgym.feedback import Feedback
from teachgym.learning_progress import AbsoluteLearningProgress
from teachgym.names import unknown_name
from teachgym.problem import SUCCESS, Problem
from teachgym.seeding import Seeds, fan_out
from teachgym.students import Student, make_student
from teachgym.students.coroutine import Coroutine
from teachgym.students.global_state import preserved
from teachgym.students.taught_worlds import Ledger, TaughtWorlds
from teachgym.task_space import FloatArray, TaskSpace
from teachgym.teacher_env import TeacherEnv
from teachgym.world_batch import task_space_of

Float32Array = NDArray[np.float32]
MakeWorld = Callable[..., gymnasium.Env[Any, Any]]
"""Makes a world, with its time limit."""

RECENT_EPISODES = 100
REWARDS = ("outcome", "learning-progress")


class CurriculumEnv(TeacherEnv[Float32Array, FloatArray]):
    """Teach an RL student in any world that has a task space.

    ## Description
    Each step hands one task to a slot of the student that waits for one, and lets the student act and
    learn until the next slot waits. With one slot, one step is exactly one episode of the student (with
    what the student learns at its end happening at the start of the next step, as vector environments
    reset before they return). With S slots the first S - 1 steps finish nothing, and an episode's
    feedback comes when it ends, which may be several steps after its task was chosen:
    ``info["feedback"].decision`` tells which step that was. The slots play in step: all have played before
    the first of them waits, so that ``student_steps`` counts them all.

    ## Action Space
    The world's ``task_space``: a box in the task's own units.

    ## Observation Space
    ``Box(0, 1)``, float32, named by ``observation_names``: ``progress`` through the budget; ``finished``,
    1 if this step finished an episode; then, of the last finished episode, its task (each parameter scaled
    by its bounds), its ``outcome`` (scaled by ``outcome_range``, clipped) and its ``success``; then over the
    last 100 finished episodes ``outcome_mean``, ``outcome_sd`` and ``success_rate``. All 0 before the first.

    ## Rewards
    ``"outcome"`` (default, as in Portelas et al. 2019): the undiscounted return of the finished episode.
    ``"learning-progress"``: the absolute difference between its return and that of the nearest earlier
    task, by raw distance. 0 where the step finished nothing.

    ## Starting State
    ``reset(seed=s)`` makes a fresh student and fresh worlds from the seed.

    ## Episode Termination
    When ``student_steps`` steps of the world have been played. An episode of the student that the budget
    cuts short gives no feedback.

    ## Arguments
    ``world``: the id of a registered world, or a function that makes one (with its time limit);
    ``world_settings``: keywords for the id. A world that is registered with a ``vector_entry_point`` that
    makes a ``BatchVectorEnv`` is played as that batch. ``student``: a name, ``"package.module:Class"``, or a
    ``Student``, which also says how many slots it plays; ``student_settings``: keywords for the name.
    ``student_steps``: the budget. ``reward``: above.
    ``outcome_range``: the returns that scale to 0 and 1. ``mastered_above``: the return above which a task
    is mastered. ``test_tasks``: ``(m, n)`` tasks for ``evaluate`` (default: 50, drawn once and for all).

    Raises:
        ValueError: If an argument is not allowed; the message says what is.

    ## Version History
    - v0: first version.
    """

    def __init__(
        self,
        world: str | MakeWorld,
        *,
        student: str | Student = "ppo",
        student_steps: int,
        world_settings: Mapping[str, Any] | None = None,
        student_settings: Mapping[str, Any] | None = None,
        reward: Literal["outcome", "learning-progress"] = "outcome",
        outcome_range: tuple[float, float],
        mastered_above: float,
        test_tasks: ArrayLike | None = None,
    ) -> None:
        maker = WorldMaker(world, world_settings or {})
        self.make_world, self.make_batch = maker.make_world, maker.make_batch
        probe = self.make_world()
        self.task_space = task_space_of(probe)
        self._world_observation_space, self._world_action_space = probe.observation_space, probe.action_space
        probe.close()
        if isinstance(student, str):
            self.student = make_student(student, **(student_settings or {}))
        elif student_settings:
            raise ValueError("student_settings go with a student's name; this student is made already")
        else:
            self.student = copy.copy(student)  # two environments must not train one learner
        if reward not in REWARDS:
            raise unknown_name("reward", reward, REWARDS)
        if not isinstance(student_steps, int | np.integer) or student_steps < 1:
            raise ValueError(f"student_steps is {student_steps!r}; expected an integer from 1 up")
        self.test_tasks = _test_tasks(self.task_space, test_tasks)
        self.action_space = self.task_space  # type: ignore[assignment]  # a Box is a Space of its arrays
        self.observation_names = (
            "progress",
            "finished",
            *self.task_space.names,
            "outcome",
            "success",
            "outcome_mean",
            "outcome_sd",
            "success_rate",
        )
        self.observation_space = spaces.Box(0.0, 1.0, shape=(len(self.observation_names),), dtype=np.float32)
        self._problem = Problem(
            action_space=self.action_space,
            observation_space=self.observation_space,
            outcome_range=outcome_range,
            mastered_above=mastered_above,
            offers=self.student.offers | {SUCCESS},
        )
        self._budget = int(student_steps)
        self._reward_kind = reward
        self._worlds: list[TaughtWorlds] = []
        self._coroutine: Coroutine[Feedback | None, FloatArray] | None = None
        self._ledger = Ledger(self._budget, mastered_above=mastered_above)

    @property
    def problem(self) -> Problem:
        """What a teacher may know before the first step."""
        return self._problem

    @property
    def budget(self) -> int:
        """World steps that the student may play."""
        return self._budget

    @property
    def spent(self) -> int:
        """World steps played so far."""
        return self._ledger.spent

    @property
    def world_seconds(self) -> float:
        """Time spent in the student's worlds in this episode."""
        return self._ledger.world_seconds

    def evaluate(self, tasks: ArrayLike | None = None) -> Evaluation:
        """Test the student as it is now, in worlds of its own; neither student nor budget notices.

        Args:
            tasks: ``(m, n)`` tasks; None takes the test set.

        Raises:
            ValueError: If a task is out of bounds.
            RuntimeError: Before the first step of the student.
        """
        if not hasattr(self, "seeds"):
            raise RuntimeError("there is no student yet; call reset() before evaluate()")
        tasks = self.test_tasks if tasks is None else _test_tasks(self.task_space, tasks)
        with preserved():
            return evaluate(
                self.student.act,
                self.make_batch,
                tasks,
                seed=self.seeds.evaluation,
                mastered_above=self._problem.mastered_above,
                student_steps=self.spent,
            )

    def restore_student(self, state: dict[str, Any], *, seed: int) -> None:
        """Take over a stored student, to test and watch it.

        Args:
            state: What its ``state_dict`` gave.
            seed: That of its run; ``evaluate`` then tests it in the same worlds.

        Raises:
            ValueError: If the state does not fit.
        """
        self.close()
        self.seeds = fan_out(seed)
        self.student.load_state_dict(state, self._world_observation_space, self._world_action_space)

    def close(self) -> None:
        """End the student's loop where it waits, and close its worlds."""
        if self._coroutine is not None:
            self._coroutine.close()
            self._coroutine = None
        for worlds in self._worlds:
            worlds.close()
        self._worlds = []
        self._running = False

    def _begin(self, seeds: Seeds) -> None:
        self.close()
        self._ledger = Ledger(self._budget, mastered_above=self._problem.mastered_above)
        self._recent: deque[tuple[float, float]] = deque(maxlen=RECENT_EPISODES)
        self._last: Feedback | None = None
        self._progress = AbsoluteLearningProgress(self.task_space.dimensions)
        student, make_batch, ledger, made = self.student, self.make_batch, self._ledger, self._worlds

        def learn(ask: Callable[[Feedback | None], FloatArray]) -> None:
            worlds = TaughtWorlds(make_batch(student.slots), ledger, ask, seed=seeds.world)
            made.append(worlds)
            student.learn(worlds, steps=ledger.budget, seed=seeds.student)

        # The paused loop holds no reference to this environment, so that one that is dropped can be collected.
        self._coroutine = Coroutine(learn, seed=seeds.student)
        self._coroutine.resume(None)

    def __del__(self) -> None:
        # Left out in another thread, in which the loop can't be ended, and when the constructor has failed.
        with contextlib.suppress(RuntimeError, AttributeError):
            self.close()

    def _check_action(self, action: Any) -> FloatArray:
        return self.task_space.validate(action)

    def _teach(self, action: FloatArray) -> Feedback | None:
        assert self._coroutine is not None
        feedback = None if self._coroutine.finished else self._coroutine.resume(action)
        if self._coroutine.finished and self._ledger.results:
            feedback = self._ledger.results.pop(0)
        # The last episode is over, but what the student learns at its end is still to come.
        while self._is_over() and not self._coroutine.finished:
            self._coroutine.resume(action)
        return feedback

    def _is_over(self) -> bool:
        assert self._coroutine is not None
        return (self._ledger.exhausted or self._coroutine.finished) and not self._ledger.results

    def _reward(self, feedback: Feedback | None) -> float:
        if feedback is None:
            return 0.0
        if self._reward_kind == "learning-progress":
            return self._progress.add(feedback.task, feedback.outcome)
        return feedback.outcome

    def _observe(self, feedback: Feedback | None) -> Float32Array:
        if feedback is not None:
            self._last = feedback
            self._recent.append((self._problem.scale_outcome(feedback.outcome), float(feedback.success)))
        observation = np.zeros(len(self.observation_names))
        observation[:2] = min(self.spent / self._budget, 1.0), feedback is not None
        if self._last is not None:
            outcomes, successes = np.array(self._recent).T
            observation[2:] = (
                *self.task_space.normalise(self._last.task),
                outcomes[-1],
                successes[-1],
                outcomes.mean(),
                outcomes.std(),
                successes.mean(),
            )
        return observation.astype(np.float32)


def _test_tasks(space: TaskSpace, tasks: ArrayLike | None) -> FloatArray:
    if tasks is None:
        return draw_test_set(space.low, space.high)
    return np.array([space.validate(task) for task in np.asarray(tasks, dtype=np.float64)])
