"""The curriculum environment: the action is a task, and one step is one episode of an RL student."""

import contextlib
import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal, NoReturn

import gymnasium
import numpy as np
from numpy.typing import ArrayLike

from teachgym.base.setting_checks import check_whole
from teachgym.base.settings import checked_arguments
from teachgym.core.decision import Decision, Probes, decision_spec, read_decision
from teachgym.core.evaluation import Evaluation
from teachgym.core.feedback import Feedback
from teachgym.core.learning_progress import AbsoluteLearningProgress
from teachgym.core.seeding import Seeds, fan_out
from teachgym.core.spec import EasyTasks, TeachingSpec
from teachgym.core.student_history import StudentHistory
from teachgym.core.task_space import Float32Array, FloatArray, TaskSpace
from teachgym.core.teacher_env import TeacherEnv
from teachgym.envs.tasks.evaluation_sets import draw_test_set
from teachgym.envs.tasks.world_maker import WorldMaker
from teachgym.students import RLStudent, make_student
from teachgym.students.lifetimes.global_state import preserved
from teachgym.students.lifetimes.probe import probe
from teachgym.students.lifetimes.student_lifetime import StudentLifetime
from teachgym.students.lifetimes.taught_worlds import BudgetLedger
from teachgym.worlds.evaluate import evaluate
from teachgym.worlds.world_batch import WorldBatch, task_space_of

MakeWorld = Callable[..., gymnasium.Env[Any, Any]]
"""Makes a world, with its time limit."""


class TaskTeachingEnv(TeacherEnv[Float32Array, Decision]):
    """Teach an RL student in any world that has a task space.

    ## In Short
    - Decision: the task of the student's next episode, in any world with a task space.
    - Student: a deep-RL student (PPO, SAC, or a function).
    - Reward: the outcome, or its absolute learning progress.
    - Truth: none: a student is tested on a fixed set.
    - Episode: as long as the world and the student take.

    ## Description
    Each step hands one task to a slot of the student that waits for one, and lets the student act and
    learn until the next slot waits. With one slot, one step is exactly one episode of the student (with
    what the student learns at its end happening at the start of the next step, as vector environments
    reset before they return). With S slots the first S - 1 steps finish nothing, and an episode's
    feedback comes when it ends, which may be several steps after its task was chosen:
    ``info["feedback"].decision`` tells which step that was. The slots play in step: all have played before
    the first of them waits, so that what is spent counts them all.

    ## Action Space
    The world's ``task_space``: a box in the task's own units. With ``probes`` beside it whether the student only
    plays the task, ``{"decision": ..., "probe": 0 or 1}``: with 1 one step plays one episode as the student would
    explore, at once and in a world of its own, and the student learns nothing.

    ## Observation Space
    A ``StudentHistory``: ``Box(0, 1)``, float32, named by ``observation_names``.

    ## Rewards
    ``"outcome"`` (default, as in Portelas et al. 2019): the undiscounted return of the finished episode.
    ``"learning-progress"``: the absolute difference between its return and that of the nearest earlier
    task, by raw distance. 0 where the step finished nothing.

    ## Starting State
    ``reset(seed=s)`` makes a fresh student and fresh worlds from the seed.

    ## Episode Termination
    When the ``budget`` of steps of the world has been played. An episode of the student that the budget
    cuts short gives no feedback. With an antagonist, when either has played half of the steps.

    ## Arguments
    ``world``: the id of a registered world, or a function that makes one (with its time limit);
    ``world_settings``: keywords for the id. A world that is registered with a ``vector_entry_point`` that
    makes a ``BatchVectorEnv`` is played as that batch. ``student``: a name, ``"package.module:Class"``, or a
    ``RLStudent``, which also says how many slots it plays; ``student_settings``: keywords for the name.
    ``budget``: in steps of the world. ``reward``: above.
    ``outcome_range``: the returns that scale to 0 and 1. ``mastered_above``: the return above which a task
    is mastered. ``test_tasks``: ``(m, n)`` tasks for ``evaluate`` (default: 50, drawn once and for all).
    ``easy_tasks``: an ``EasyTasks``, if a person knows which tasks are easy. ``probes``: ``"off"`` (default);
    ``"counted"``, where probes are paid from the budget; ``"free"``, where they are not, to compare with
    numbers that were published so. ``antagonist``: whether a second student of the same kind, from other initial
    weights, learns the same tasks, on half of the budget each; feedback comes when both have played the task.

    Raises:
        ValueError: If an argument is not allowed; the message says what is.

    ## Version History
    - v0: first version.
    """

    @checked_arguments
    def __init__(
        self,
        world: str | MakeWorld,
        *,
        student: str | RLStudent = "ppo",
        budget: int,
        world_settings: Mapping[str, Any] | None = None,
        student_settings: Mapping[str, Any] | None = None,
        reward: Literal["outcome", "learning-progress"] = "outcome",
        outcome_range: tuple[float, float],
        mastered_above: float,
        test_tasks: ArrayLike | None = None,
        easy_tasks: EasyTasks | None = None,
        probes: Probes = "off",
        antagonist: bool = False,
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
        self._antagonist = copy.copy(self.student) if antagonist else None
        check_whole("budget", budget, 1 + antagonist)
        self.test_tasks = _test_tasks(self.task_space, test_tasks)
        self._record = StudentHistory(self.task_space)
        self.observation_names, self.observation_space = self._record.names, self._record.observation_space
        self._spec = decision_spec(
            self.task_space,
            observation_space=self.observation_space,
            outcome_range=outcome_range,
            mastered_above=mastered_above,
            student_offers=self.student.offers,
            easy_tasks=easy_tasks,
            probes=probes,
            antagonist=antagonist,
        )
        self.action_space = self._spec.action_space
        self._budget = int(budget)
        self._reward_kind = reward
        self._counts_probes = probes == "counted"
        self._learning: list[StudentLifetime] = []
        self._ledgers = self._fresh_ledgers()
        self._probe_batch: WorldBatch | None = None

    @property
    def teaching_spec(self) -> TeachingSpec:
        """What a teacher may know before the first step."""
        return self._spec

    @property
    def budget(self) -> int:
        """World steps that may be played."""
        return self._budget

    @property
    def spent(self) -> int:
        """World steps played so far."""
        return sum(ledger.spent for ledger in self._ledgers)

    @property
    def world_seconds(self) -> float:
        """Time spent in the students' worlds in this episode."""
        return sum(ledger.world_seconds for ledger in self._ledgers)

    def evaluate(self, tasks: ArrayLike | None = None) -> Evaluation:
        """Test the student as it is now, in worlds of its own; neither student nor budget notices.

        Args:
            tasks: ``(m, n)`` tasks; None takes the test set.

        Raises:
            ValueError: If a task is out of bounds.
            RuntimeError: Before the first step of the student.
        """
        if not hasattr(self, "seeds"):
            raise RuntimeError("no student exists yet; call reset() before evaluate()")
        tasks = self.test_tasks if tasks is None else self.task_space.validate_all(tasks)
        with preserved():
            return evaluate(
                self.student.act,
                self.make_batch,
                tasks,
                seed=self.seeds.evaluation,
                mastered_above=self._spec.mastered_above,
                spent=self.spent,
            )

    def student_state(self) -> dict[str, Any] | None:
        """What ``restore_student`` needs; None if this kind of student can't be stored."""
        return self.student.state_dict()

    def restore_student(self, state: dict[str, Any], *, seed: int) -> None:
        """Take over a stored student, to test and watch it.

        Args:
            state: What ``student_state`` gave.
            seed: That of its run; ``evaluate`` then tests it in the same worlds.

        Raises:
            ValueError: If the state does not fit.
        """
        self._end_worlds()
        self._running, self._why_not_running = False, "its student was restored to be tested"
        self.seeds = fan_out(seed)
        self.student.load_state_dict(state, self._world_observation_space, self._world_action_space)

    def forget_student(self) -> None:
        """Replace the student by a fresh one, and the antagonist too; episodes in the middle are lost."""
        self._end_learning()
        self._generation += 1
        for ledger in self._ledgers:
            ledger.results.clear()
        self._start_learning()

    def close(self) -> None:
        """End the student's loop where it waits, and close its worlds."""
        self._end_worlds()
        self._running, self._why_not_running = False, "the environment was closed"

    def _end_worlds(self) -> None:
        self._end_learning()
        if self._probe_batch is not None:
            self._probe_batch.close()
            self._probe_batch = None

    def _begin(self, seeds: Seeds) -> None:
        self._end_worlds()
        self._record.clear()
        self._progress = AbsoluteLearningProgress(self.task_space.dimensions)
        self._ledgers = self._fresh_ledgers()
        self._halves: dict[int, tuple[Feedback, int]] = {}
        self._whole: list[Feedback] = []
        self._generation = 0
        self._start_learning()

    _repeats = False

    def capture_soon(self) -> None:
        """Have the students captured at their next boundaries."""
        for learning in self._learning:
            learning.capture()

    @property
    def capturing(self) -> bool:
        """Whether a student is still on its way to its next boundary."""
        return any(learning.capturing for learning in self._learning)

    def _state(self) -> dict[str, Any]:
        return {
            "students": [learning.state() for learning in self._learning],
            "generation": self._generation,
            "record": self._record.state(),
            "progress": self._progress.state(),
            "halves": [[answer.to_state(), number] for answer, number in self._halves.values()],
            "whole": [feedback.to_state() for feedback in self._whole],
        }

    def _load(self, state: dict[str, Any]) -> None:
        self._end_worlds()
        self._ledgers = self._fresh_ledgers()
        self._generation = int(state["generation"])
        self._start_learning(state["students"])
        self._record.load(state["record"])
        self._progress = AbsoluteLearningProgress(self.task_space.dimensions)
        self._progress.load(state["progress"])
        halves = [(Feedback.from_state(answer), int(number)) for answer, number in state["halves"]]
        self._halves = {answer.decision: (answer, number) for answer, number in halves}
        self._whole = [Feedback.from_state(feedback) for feedback in state["whole"]]

    def _fresh_ledgers(self) -> list[BudgetLedger]:
        students = 1 if self._antagonist is None else 2
        budgets = [self._budget - self._budget // 2, self._budget // 2] if students == 2 else [self._budget]
        return [BudgetLedger(budget, mastered_above=self._spec.mastered_above) for budget in budgets]

    def _start_learning(self, states: list[dict[str, Any]] | None = None) -> None:
        students = [self.student] if self._antagonist is None else [self.student, self._antagonist]
        for number, (student, ledger) in enumerate(zip(students, self._ledgers, strict=True)):
            world_seed, student_seed = self.seeds.world, self.seeds.student
            if number or self._generation:
                place = [number, self._generation]
                world_seed, student_seed = (
                    int(np.random.SeedSequence([part, *place]).generate_state(1)[0])
                    for part in (self.seeds.world, self.seeds.student)
                )
            self._learning.append(
                StudentLifetime(
                    student,
                    self.make_batch,
                    ledger,
                    world_seed=world_seed,
                    student_seed=student_seed,
                    state=None if states is None else states[number],
                )
            )

    def _end_learning(self) -> None:
        for learning in self._learning:
            learning.close()
        self._learning = []

    def __getstate__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} can't be copied or pickled, as its student learns in a loop that can't be; "
            "make another one with the same settings, and give its load_state_dict what state_dict of this one gives"
        )

    def __del__(self) -> None:
        # Left out in another thread, in which the loop can't be ended, and when the constructor has failed.
        with contextlib.suppress(RuntimeError, AttributeError):
            self.close()

    def _check_action(self, action: Any) -> Decision:
        return read_decision(action, self.task_space, self.action_space)

    def _teach(self, decision: Decision) -> Feedback | None:
        answers = [self._lead(number, decision) for number in range(len(self._learning))]
        if self._antagonist is None:
            return answers[0]
        for number, answer in enumerate(answers):
            if answer is not None:
                self._pair(number, answer)
        return self._whole.pop(0) if self._whole else None

    def _lead(self, number: int, decision: Decision) -> Feedback | None:
        """Let one of the students have the task."""
        learning, ledger = self._learning[number], self._ledgers[number]
        traced = self._traced(self.student.offers) if number == 0 else frozenset()
        if not decision.probe or ledger.exhausted:
            return learning.teach(decision.task, traced=traced)
        if self._probe_batch is None:
            self._probe_batch = self.make_batch(1)
        student = self.student if number == 0 else self._antagonist
        assert student is not None
        seed = np.random.SeedSequence([self.seeds.world, number, ledger.decisions, 1])
        spent = ledger.spent
        answer = probe(
            student,
            self._probe_batch,
            decision.task,
            ledger,
            seed=seed,
            counted=self._counts_probes,
            traced=traced,
        )
        learning.note_probes(1, ledger.spent - spent)
        learning.finish(decision.task)
        return answer

    def _pair(self, number: int, answer: Feedback) -> None:
        """Put what protagonist (0) and antagonist (1) made of one decision together."""
        if answer.decision not in self._halves:
            self._halves[answer.decision] = answer, number
            return
        first, first_number = self._halves.pop(answer.decision)
        protagonist, antagonist = (first, answer) if first_number == 0 else (answer, first)
        cost = protagonist.cost + antagonist.cost
        self._whole.append(replace(protagonist, cost=cost, antagonist_outcome=antagonist.outcome))

    def _is_over(self) -> bool:
        return any(learning.is_over for learning in self._learning) and not self._whole

    def _reward(self, feedback: Feedback | None) -> float:
        if feedback is None:
            return 0.0
        if self._reward_kind == "learning-progress":
            return self._progress.add(feedback.task, feedback.outcome)
        return feedback.outcome

    def _observe(self, feedback: Feedback | None) -> Float32Array:
        return self._record.observe(feedback, progress=self.spent / self._budget, spec=self._spec)


def _test_tasks(space: TaskSpace, tasks: ArrayLike | None) -> FloatArray:
    return draw_test_set(space.low, space.high) if tasks is None else space.validate_all(tasks, name="test_tasks")
