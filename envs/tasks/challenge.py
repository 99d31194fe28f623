"""The challenges that tell curricula apart, over any task space (Romac et al. 2021, arXiv:2103.09815)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

import gymnasium
import numpy as np
from annotated_types import Ge, Le

from teachgym.base.registry import environment_id
from teachgym.base.setting_checks import check_positive
from teachgym.base.settings import checked_arguments
from teachgym.core.decision import COUNTED_PROBES, SECOND_STUDENT, Probes, action_space
from teachgym.core.needs import Needs
from teachgym.core.requirements import OnDemand
from teachgym.core.reward_rule import OutcomeReward
from teachgym.core.spec import TeachingSpec
from teachgym.core.student_history import StudentHistory
from teachgym.core.task_space import TaskSpace
from teachgym.core.teacher_env import TeacherEnv
from teachgym.envs.tasks.challenge_lifetime import ChallengeLifetime
from teachgym.envs.tasks.task_transforms import Same, Shuffled, Stretched, TaskMap

ChallengeKind = Literal[
    "none", "mostly-unfeasible", "mostly-trivial", "forgetting-student", "rugged-difficulty", "varied-students"
]
Knowledge = Literal["none", "low", "high", "original"]

UNFEASIBLE: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {"teachgym/StumpTracks-v0": MappingProxyType({"max_stump_height": 9.0})}
)
"""Environments whose own task space reaches far beyond what a student can do, and the settings that make it so."""
VARIANTS: Mapping[str, tuple[Mapping[str, Any], ...]] = MappingProxyType(
    dict.fromkeys(
        ("teachgym/StumpTracks-v0", "teachgym/HexagonTracks-v0", "teachgym/StumpSequence-v0"),
        tuple({"body": body, "student": student} for body in ("short", "quadruped") for student in ("sac", "ppo")),
    )
)
"""Students that differ, for environments that have them."""


class ChallengeEnv(TeacherEnv):
    """Make any curriculum harder for teachers in one of five ways, and say how much they may know.

    ## In Short
    - Decision: that of the environment inside.
    - Student: that of the environment inside, made harder to teach.
    - Reward: that of the environment inside.
    - Truth: that of the environment inside, and which tasks are feasible.
    - Episode: that of the environment inside.

    ## Description
    The challenges by which TeachMyAgent (Romac et al. 2021, arXiv:2103.09815) profiles teachers:

    - ``"mostly-unfeasible"``: one parameter reaches two ranges further at its hard end. Stump tracks have stumps up
      to 9 there, as in the source. Where the environment's own tasks end, a task beyond counts as failed: the outcome
      is the worst, nothing is learnt, and it costs as many steps as the last episode did (at first 1).
    - ``"mostly-trivial"``: one parameter reaches one range further at its easy end, where every task is the easiest.
      On stump tracks the height then is from -3 to 3.
    - ``"forgetting-student"``: the student is replaced by a fresh one, at 7/20 and at 14/20 of the budget.
    - ``"rugged-difficulty"``: each parameter is cut into 4 intervals, which are permuted.
    - ``"varied-students"``: each seed has another kind of student, in turn.

    The test set stays that of the environment, so that teachers are compared on the same tasks throughout.

    Knowledge is handed to all teachers alike: ``"none"``; ``"low"``, what counts as success; ``"high"``, also which
    tasks are easy, and the directions of difficulty; ``"original"``, what the environment offers by itself. A teacher
    that needs information which the level does not give raises an error. Differs from the source, where each teacher
    has its own rules for what it gets at each level.

    ## Action Space
    The environment's, widened or permuted.

    ## Observation Space
    A ``StudentHistory`` over these tasks. Without knowledge, its successes are 0, as those of feedback are False.

    ## Rewards
    The outcome of the finished episode; 0 where the step finished nothing.

    ## Starting State
    A fresh student.

    ## Episode Termination
    When the budget of the environment is spent.

    ## Arguments
    ``env="Hypercubes"``: the environment, with or without ``teachgym/`` and ``-v0``; ``challenge="none"``;
    ``knowledge="original"``; ``parameters``: the names of those that are widened (default: the first that has a
    direction of difficulty); ``intervals=4`` and ``permutation_seed=0`` of the rugged difficulty;
    ``forget_every``: student steps between two replacements; ``variants``: settings of the environment, one mapping
    for each kind of student. Everything else goes to the environment.

    ## Version History
    - v0: first version.
    """

    on_demand: ClassVar[tuple[OnDemand, ...]] = (COUNTED_PROBES, SECOND_STUDENT)
    lifetime: ChallengeLifetime

    @checked_arguments
    def __init__(
        self,
        env: str = "Hypercubes",
        *,
        challenge: ChallengeKind = "none",
        knowledge: Knowledge = "original",
        parameters: Sequence[str] | None = None,
        intervals: Annotated[int, Ge(2), Le(10000)] = 4,
        permutation_seed: int = 0,
        forget_every: int | None = None,
        variants: Sequence[Mapping[str, Any]] | None = None,
        probes: Probes = "off",
        **settings: Any,
    ) -> None:
        if forget_every is not None:
            check_positive("forget_every", forget_every)
        env_id = environment_id(env)
        settings = {**settings, **({} if probes == "off" else {"probes": probes})}
        own_unfeasible = challenge == "mostly-unfeasible" and env_id in UNFEASIBLE
        if own_unfeasible:
            settings = {**UNFEASIBLE[env_id], **settings}
        kinds: Sequence[Mapping[str, Any]] = ({},)
        if challenge == "varied-students":
            kinds = VARIANTS.get(env_id, ()) if variants is None else variants
            if not kinds:
                raise ValueError(f"{env_id} has no kinds of students of its own; give variants=[settings, ...]")
        make_env = partial(_make_env, env_id, settings, kinds)
        inner = make_env(0)
        own_spec, tasks = inner.teaching_spec, inner.task_space
        task_map: TaskMap = Same(tasks)
        if challenge == "mostly-unfeasible" and not own_unfeasible:
            task_map = Stretched(tasks, parameters, harder=2.0)
        elif challenge == "mostly-trivial":
            task_map = Stretched(tasks, parameters, easier=1.0)
        elif challenge == "rugged-difficulty":
            task_map = Shuffled(tasks, intervals, np.random.default_rng(permutation_seed))
        replace_every: float | None = None
        if challenge == "forgetting-student":
            replace_every = inner.budget * 7 / 20 if forget_every is None else forget_every
        outer, offers, easy = task_map.outer, own_spec.offers, own_spec.easy_tasks
        if knowledge == "high" and easy is None:
            raise ValueError(f"nothing is known of the easy tasks of {env_id}; choose knowledge low or none")
        if knowledge in ("none", "low"):
            outer = TaskSpace([replace(parameter, harder=None) for parameter in outer.parameters])
            offers, easy = offers & ~Needs.EASY_TASKS, None
        if knowledge == "none":
            offers &= ~Needs.SUCCESS
        history = StudentHistory(outer, own_spec.outcome_range)
        spec = TeachingSpec(
            action_space=action_space(outer, probes),
            observation_space=history.space,
            outcome_range=own_spec.outcome_range,
            mastered_above=own_spec.mastered_above,
            offers=offers,
            easy_tasks=None if easy is None else task_map.easy(easy),
        )
        lifetime = ChallengeLifetime(
            make_env,
            len(kinds),
            inner,
            task_map,
            outer,
            replace_every=replace_every,
            counts_probes=probes != "free",
            knows_success=Needs.SUCCESS in offers,
        )
        super().__init__(lifetime, spec, reward=OutcomeReward(), view=history)


def _make_env(env_id: str, settings: Mapping[str, Any], kinds: Sequence[Mapping[str, Any]], kind: int) -> TeacherEnv:
    made = gymnasium.make(env_id, disable_env_checker=True, **{**settings, **kinds[kind]}).unwrapped
    if not isinstance(made, TeacherEnv) or isinstance(made.action_space, gymnasium.spaces.Discrete):
        raise ValueError(f"{env_id} has no box of tasks to make a challenge of; choose Hypercubes, for instance")
    return made
