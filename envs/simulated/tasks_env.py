"""A teacher environment with a box of tasks whose students follow item response theory."""

from collections.abc import Sequence
from dataclasses import fields
from functools import partial
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray
from scipy.stats import qmc

from teachgym.base.annotations import read_numbers
from teachgym.base.ranges import PositiveInt
from teachgym.base.registry import unknown_keyword
from teachgym.base.setting_checks import check_whole
from teachgym.base.settings import checked_arguments
from teachgym.core.learning_progress import AbsoluteLearningProgress
from teachgym.core.reward_rule import RewardKind
from teachgym.core.spec import EasyTasks
from teachgym.core.task_space import FloatArray, Parameter, TaskSpace
from teachgym.envs.simulated.simulated_env import SimulatedEnv, SimulatedStudent
from teachgym.envs.simulated.student_batch import (
    BatchOutcomes,
    BatchRewards,
    StudentBatch,
    StudentVectorEnv,
    check_no_step_limit,
)
from teachgym.envs.simulated.student_histories import StudentHistories
from teachgym.envs.simulated.task_model import TaskModel, TaskSettings
from teachgym.worlds.world_batch import Slots

TEST_TASKS = 128
IRRELEVANT = 0.5
"""Value of irrelevant parameters in the test tasks."""
_ONLY: Slots = np.zeros(1, dtype=np.int64)


class ItemResponseStudent(SimulatedStudent):
    """One student of a ``TaskModel``; task parameters beyond its dimensions are ignored.

    Args:
        model: A model of one slot.
        test_tasks: ``(t, n)`` what its score is measured on.
        seed: Draws it from the population.
    """

    def __init__(self, model: TaskModel, test_tasks: FloatArray, seed: int) -> None:
        self._model, self._count = model, model.settings.dimensions
        self._test_tasks = test_tasks[:, : self._count]
        model.begin(_ONLY, [seed])

    def learn(self, task: FloatArray) -> float:
        """Play the task, learn from it, and return the outcome, from 0 to 1."""
        return float(self._model.learn(_ONLY, task[None, : self._count])[0])

    def play(self, task: FloatArray) -> float:
        """Play the task as it is now, and return the outcome, from 0 to 1."""
        return float(self._model.play(_ONLY, task[None, : self._count])[0])

    def expected(self, tasks: FloatArray) -> FloatArray:
        """The probabilities of success."""
        return np.asarray(self._model.expected(_ONLY, tasks[:, : self._count])[0])

    def score(self) -> float:
        """The mean probability of success over the test tasks."""
        return float(_scores(self._model, _ONLY, self._test_tasks)[0])


class SimulatedTasksEnv(SimulatedEnv):
    """Choose how hard each task is in several ways; students learn at their frontier, and differ.

    ## In Short
    - Decision: a point of a box of tasks.
    - Student: a formula of learning over a map of difficulty.
    - Reward: the outcome, its learning progress, or the gain in competence.
    - Truth: the competence in every task, exact.
    - Episode: some 20 milliseconds; thousands a second in ``gymnasium.make_vec``.

    ## Description
    A student has an ability for each of the ways in which a task can be hard. The probability of success falls
    where the task asks for more than any of them. A task teaches most where success is a toss-up, and there what
    the student lacks; tasks that are too easy or too hard teach next to nothing. So random tasks waste most of the
    budget, and a teacher has to follow the frontier, which is in another place for every student. Formulas are in
    ``teachgym.envs.simulated.task_model.TaskModel``, and the population in ``TaskSettings`` beside it.

    ``gymnasium.make_vec`` makes a ``StudentVectorEnv``: many students in step, at a fraction of the cost.

    ## Action Space
    ``x_0``, ``x_1``, ... each from 0 to 1: the difficulties, then parameters that make no difference.

    ## Observation Space
    A ``StudentHistory``: 7 numbers and the last task, from 0 to 1.

    ## Rewards
    ``"gain"``: the change of the mean probability of success over 128 test tasks, so that the undiscounted return is
    final minus initial. ``"outcome"`` and ``"learning-progress"``: see ``SimulatedEnv``.

    ## Starting State
    A student drawn from the population by the seed.

    ## Episode Termination
    After ``budget`` episodes of the student.

    ## Arguments
    ``budget=2000``, ``irrelevant_dimensions=0``, ``mastered_above=0.75``, ``reward="gain"``, ``probes`` and
    ``antagonist`` of ``SimulatedEnv`` (not in ``make_vec``), and the settings of the population, ``TaskSettings``:
    ``dimensions=2``, ``rate=0.005``, ``slope=30.0``, ``start=0.1``, ``unfeasible=0.0``, ``forgetting=0.0``,
    ``noise=0.05``, ``outcomes="graded"``, ``variety=0.3``. ``info["score"]`` is the mean probability of success,
    which teachers do not read.

    ## Version History
    - v0: first version.
    """

    @checked_arguments
    def __init__(
        self,
        *,
        budget: int = 2000,
        irrelevant_dimensions: int = 0,
        mastered_above: float = 0.75,
        reward: RewardKind = "gain",
        **settings: Any,
    ) -> None:
        simulated = {name: settings.pop(name) for name in ("probes", "antagonist") if name in settings}
        population = _population(settings)
        _check(mastered_above, irrelevant_dimensions)
        tests = _test_tasks(population.dimensions, irrelevant_dimensions)
        total = population.dimensions + irrelevant_dimensions
        super().__init__(
            _task_space(population.dimensions, irrelevant_dimensions),
            partial(_student, population, mastered_above, tests),
            budget=budget,
            test_tasks=tests,
            mastered_above=mastered_above,
            easy_tasks=EasyTasks(
                (0.0,) * population.dimensions + (IRRELEVANT,) * irrelevant_dimensions, (0.1,) * total
            ),
            reward=reward,
            **simulated,
        )


def _student(population: TaskSettings, mastered_above: float, tests: FloatArray, seed: int) -> ItemResponseStudent:
    return ItemResponseStudent(TaskModel(population, 1, mastered_above=mastered_above), tests, seed)


class TaskStudentBatch(StudentBatch):
    """Lifetimes of students of a ``TaskModel``, with what their teachers see of them.

    Args:
        settings: The population.
        size: Number of slots.
        budget: In episodes.
        irrelevant_dimensions: Task parameters that make no difference.
        mastered_above: Probability of success above which a task is mastered.

    Raises:
        ValueError: If an argument is not allowed.
    """

    @checked_arguments
    def __init__(
        self,
        settings: TaskSettings,
        *,
        size: int,
        budget: PositiveInt = 2000,
        irrelevant_dimensions: int = 0,
        mastered_above: float = 0.75,
    ) -> None:
        check_whole("num_envs", size, 1)
        _check(mastered_above, irrelevant_dimensions)
        self.size, self.budget, self.mastered_above = size, int(budget), mastered_above
        self.model = TaskModel(settings, size, mastered_above=mastered_above)
        self.action_space = self.task_space = _task_space(settings.dimensions, irrelevant_dimensions)
        self._records = StudentHistories(self.task_space, size)
        self.observation_space = self._records.observation_space
        self.spent = np.zeros(size, dtype=np.int64)
        self._test_tasks = _test_tasks(settings.dimensions, 0)
        self._score: FloatArray = np.zeros(size)
        self._is_scored = np.zeros(size, dtype=np.bool_)

    def begin(self, slots: Slots, seeds: Sequence[int]) -> None:
        """Put fresh students in some slots."""
        self.model.begin(slots, seeds)
        self._records.clear(slots)
        self.spent[slots] = 0
        self._is_scored[slots] = False

    def check(self, actions: Any) -> FloatArray:
        """The actions as tasks ``(m, n)``.

        Raises:
            ValueError: If one is no task.
        """
        space = self.task_space
        tasks = read_numbers("tasks", actions)
        if tasks.ndim != 2 or tasks.shape[1] != space.dimensions:
            raise ValueError(f"tasks have shape {tasks.shape}; expected {space.dimensions} numbers for each slot")
        slack = np.finfo(np.float32).eps
        for wrong in np.flatnonzero(~((tasks >= -slack) & (tasks <= 1 + slack)).all(axis=1))[:1]:
            space.validate(tasks[wrong])  # raises with what is wrong
        return np.clip(tasks, space.low, space.high)

    def teach(self, slots: Slots, actions: NDArray[Any]) -> BatchOutcomes:
        """Let the students in some slots play one episode each."""
        relevant = np.ascontiguousarray(actions[:, : self.model.settings.dimensions])
        odds = np.exp(self.model.settings.slope * (relevant - self.model.ability[slots]))
        expected = 1 / (1 + odds.sum(axis=1))
        outcomes = self.model.learn(slots, relevant)
        successes = outcomes > self.mastered_above
        self.spent[slots] += 1
        self._records.add(slots, actions, outcomes, successes)
        self._is_scored[slots] = False
        return BatchOutcomes(actions, expected, outcomes, successes)

    def observe(self, slots: Slots) -> NDArray[np.float32]:
        """What the teachers of some slots see now."""
        return self._records.observe(slots, self.spent[slots] / self.budget)

    def score(self, slots: Slots) -> FloatArray:
        """The mean probability of success over the test tasks, worked out once between two episodes."""
        due = slots[~self._is_scored[slots]]
        if len(due):
            self._score[due] = _scores(self.model, due, self._test_tasks)
            self._is_scored[due] = True
        return self._score[slots]

    def truth(self, slots: Slots) -> dict[str, NDArray[Any]]:
        """The mean probability of success."""
        return {"score": self.score(slots)}


@checked_arguments
def make_tasks(
    num_envs: int,
    *,
    autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
    max_episode_steps: int | None = None,
    reward: RewardKind = "gain",
    **settings: Any,
) -> StudentVectorEnv:
    """Make many ``SimulatedTasksEnv`` that are played in step."""
    check_no_step_limit(max_episode_steps)
    others = ("budget", "irrelevant_dimensions", "mastered_above")
    rest = {name: settings.pop(name) for name in others if name in settings}
    students = TaskStudentBatch(_population(settings), size=num_envs, **rest)
    progress = partial(AbsoluteLearningProgress, students.task_space.dimensions)
    return StudentVectorEnv(students, BatchRewards(reward, students, progress), autoreset_mode=autoreset_mode)


def _population(settings: dict[str, Any]) -> TaskSettings:
    known = {field.name for field in fields(TaskSettings)}
    for name in settings:
        if name not in known:
            raise unknown_keyword("setting of SimulatedTasks", name, known)
    return TaskSettings(**settings)


def _check(mastered_above: float, irrelevant_dimensions: int) -> None:
    check_whole("irrelevant_dimensions", irrelevant_dimensions, 0, most=1000)
    if not (isinstance(mastered_above, int | float) and 0 < mastered_above < 1):
        raise ValueError(f"mastered_above is {mastered_above!r}; expected a number between 0 and 1")


def _task_space(dimensions: int, irrelevant: int) -> TaskSpace:
    total = dimensions + irrelevant
    return TaskSpace([Parameter(f"x_{i}", 0.0, 1.0, harder=0.1 if i < dimensions else 0.0) for i in range(total)])


def _test_tasks(dimensions: int, irrelevant: int) -> FloatArray:
    """Evenly spread points."""
    spread = qmc.Sobol(dimensions, scramble=False).random(TEST_TASKS)
    return np.concatenate([spread, np.full((TEST_TASKS, irrelevant), IRRELEVANT)], axis=1)


def _scores(model: TaskModel, slots: Slots, test_tasks: FloatArray) -> FloatArray:
    return np.asarray(model.expected(slots, test_tasks).mean(axis=1))
