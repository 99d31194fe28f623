"""The curriculum environment: the action is a task, and one step is one episode of an RL student."""

import copy
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

import gymnasium
from numpy.typing import ArrayLike

from teachgym.base.setting_checks import check_whole
from teachgym.base.settings import checked_arguments
from teachgym.core.decision import COUNTED_PROBES, SECOND_STUDENT, Probes, decision_spec
from teachgym.core.requirements import OnDemand
from teachgym.core.reward_rule import make_reward
from teachgym.core.spec import EasyTasks
from teachgym.core.student_history import StudentHistory
from teachgym.core.task_space import FloatArray, TaskSpace
from teachgym.core.teacher_env import TeacherEnv
from teachgym.envs.tasks.evaluation_sets import draw_test_set
from teachgym.envs.tasks.task_lifetime import TaskLifetime
from teachgym.envs.tasks.world_maker import WorldMaker
from teachgym.students import RLStudent, make_student
from teachgym.worlds.world_batch import task_space_of

MakeWorld = Callable[..., gymnasium.Env[Any, Any]]
"""Makes a world, with its time limit."""


class TaskTeachingEnv(TeacherEnv):
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

    on_demand: ClassVar[tuple[OnDemand, ...]] = (COUNTED_PROBES, SECOND_STUDENT)
    lifetime: TaskLifetime

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
        self.make_world = maker.make_world
        one = self.make_world()
        task_space = task_space_of(one)
        spaces = one.observation_space, one.action_space
        one.close()
        if isinstance(student, str):
            student = make_student(student, **(student_settings or {}))
        elif student_settings:
            raise ValueError("student_settings go with a student's name; this student is made already")
        else:
            student = copy.copy(student)  # two environments must not train one learner
        check_whole("budget", budget, 1 + antagonist)
        history = StudentHistory(task_space, outcome_range)
        spec = decision_spec(
            task_space,
            observation_space=history.space,
            outcome_range=outcome_range,
            mastered_above=mastered_above,
            student_offers=student.offers,
            easy_tasks=easy_tasks,
            probes=probes,
            antagonist=antagonist,
        )
        lifetime = TaskLifetime(
            student,
            maker.make_batch,
            task_space,
            spaces,
            budget=budget,
            mastered_above=mastered_above,
            test_tasks=_test_tasks(task_space, test_tasks),
            counts_probes=probes == "counted",
            antagonist=antagonist,
        )
        super().__init__(lifetime, spec, reward=make_reward(reward), view=history)


def _test_tasks(space: TaskSpace, tasks: ArrayLike | None) -> FloatArray:
    return draw_test_set(space.low, space.high) if tasks is None else space.validate_all(tasks, name="test_tasks")
