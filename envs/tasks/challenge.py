"""The challenges that tell curricula apart, over any task space (Romac et al. 2021, arXiv:2103.09815)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Annotated, Any, Literal, get_args

import gymnasium
import numpy as np
from annotated_types import Ge, Le
from numpy.typing import ArrayLike

from teachgym.base.registry import environment_id
from teachgym.base.setting_checks import check_positive
from teachgym.base.settings import checked_arguments
from teachgym.core.decision import Decision, Probes, decision_space, read_decision
from teachgym.core.episode_trace import EpisodeTrace
from teachgym.core.evaluation import Evaluation
from teachgym.core.feedback import Feedback
from teachgym.core.seeding import Seeds
from teachgym.core.spec import ANTAGONIST, EASY_TASKS, ENTROPIES, SUCCESS, VALUES, TeachingSpec
from teachgym.core.student_history import StudentHistory
from teachgym.core.task_space import Float32Array, FloatArray, TaskSpace
from teachgym.core.teacher_env import TeacherEnv
from teachgym.envs.tasks.task_transforms import Same, Shuffled, Stretched, TaskMap

ChallengeKind = Literal[
    "none", "mostly-unfeasible", "mostly-trivial", "forgetting-student", "rugged-difficulty", "varied-students"
]
CHALLENGES: tuple[ChallengeKind, ...] = get_args(ChallengeKind)
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


class ChallengeEnv(TeacherEnv[Float32Array, Decision]):
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
    that needs more than there is is refused. Differs from the source, where each teacher has its own rules for what it
    gets at each level.

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
        self._id = environment_id(env)
        self._settings = {**settings, **({} if probes == "off" else {"probes": probes})}
        self._counts_probes = probes != "free"
        own_unfeasible = challenge == "mostly-unfeasible" and self._id in UNFEASIBLE
        if own_unfeasible:
            self._settings = {**UNFEASIBLE[self._id], **self._settings}
        self._variants: Sequence[Mapping[str, Any]] = ({},)
        if challenge == "varied-students":
            self._variants = VARIANTS.get(self._id, ()) if variants is None else variants
            if not self._variants:
                raise ValueError(f"{self._id} has no kinds of students of its own; give variants=[settings, ...]")
        self.inner = self._make_inner(0)
        tasks = self.inner.task_space
        self._map: TaskMap = Same(tasks)
        if challenge == "mostly-unfeasible" and not own_unfeasible:
            self._map = Stretched(tasks, parameters, harder=2.0)
        elif challenge == "mostly-trivial":
            self._map = Stretched(tasks, parameters, easier=1.0)
        elif challenge == "rugged-difficulty":
            self._map = Shuffled(tasks, intervals, np.random.default_rng(permutation_seed))
        self._forget_every: float | None = None
        if challenge == "forgetting-student":
            self._forget_every = self.inner.budget * 7 / 20 if forget_every is None else forget_every
        self._spec = self._known(self.inner.teaching_spec, knowledge, probes)
        self.task_space = self._spec.task_space
        self.action_space = self._spec.action_space
        self._record = StudentHistory(self.task_space)
        self.observation_names, self.observation_space = self._record.names, self._record.observation_space
        self._extra = 0
        self._outer: dict[int, tuple[int, FloatArray]] = {}
        self._repeats = self.inner._repeats

    @property
    def teaching_spec(self) -> TeachingSpec:
        """What a teacher may know before the first step."""
        return self._spec

    @property
    def budget(self) -> int:
        """That of the environment."""
        return self.inner.budget

    @property
    def spent(self) -> int:
        """What the student has spent, and what failing at tasks that can't be done has cost."""
        return min(self.inner.spent + self._extra, self.budget)

    @property
    def world_seconds(self) -> float:
        """Time spent in the student's worlds in this episode."""
        return self.inner.world_seconds

    @property
    def test_space(self) -> TaskSpace:
        """The tasks of the environment whose student is taught."""
        return self.inner.test_space

    def evaluate(self, tasks: ArrayLike | None = None) -> Evaluation:
        """Test the student on the environment's own tasks, ``(m, n)`` in ``test_space``.

        Raises:
            ValueError: If a task is not allowed.
        """
        return replace(self.inner.evaluate(tasks), spent=self.spent)

    def student_state(self) -> dict[str, Any] | None:
        """What ``restore_student`` needs."""
        return self.inner.student_state()

    def restore_student(self, state: dict[str, Any], *, seed: int) -> None:
        """Take over a stored student, of the kind that the seed has."""
        self._choose_inner(seed)
        self.inner.restore_student(state, seed=seed)

    def forget_student(self) -> None:
        """Replace the student by a fresh one."""
        self.inner.forget_student()

    def close(self) -> None:
        """Close the environment."""
        self.inner.close()

    def _make_inner(self, variant: int) -> TeacherEnv[Any, Any]:
        settings = {**self._settings, **self._variants[variant]}
        made = gymnasium.make(self._id, disable_env_checker=True, **settings).unwrapped
        if not isinstance(made, TeacherEnv) or isinstance(made.action_space, gymnasium.spaces.Discrete):
            raise ValueError(f"{self._id} has no box of tasks to make a challenge of; choose Hypercubes, for instance")
        self._variant = variant
        return made

    def _choose_inner(self, seed: int) -> None:
        if seed % len(self._variants) != self._variant:
            self.inner.close()
            self.inner = self._make_inner(seed % len(self._variants))

    def _known(self, spec: TeachingSpec, knowledge: Knowledge, probes: Probes) -> TeachingSpec:
        outer, offers, easy = self._map.outer, spec.offers, spec.easy_tasks
        if knowledge == "high" and easy is None:
            raise ValueError(f"nothing is known of the easy tasks of {self._id}; choose knowledge low or none")
        if knowledge in ("none", "low"):
            outer = TaskSpace([replace(parameter, harder=None) for parameter in outer.parameters])
            offers, easy = offers - {EASY_TASKS}, None
        if knowledge == "none":
            offers -= {SUCCESS}
        return TeachingSpec(
            action_space=decision_space(outer, probes),
            observation_space=StudentHistory(outer).observation_space,
            outcome_range=spec.outcome_range,
            mastered_above=spec.mastered_above,
            offers=offers,
            easy_tasks=None if easy is None else self._map.easy(easy),
        )

    def capture_soon(self) -> None:
        """Have the students captured at their next boundaries."""
        self.inner.capture_soon()

    @property
    def capturing(self) -> bool:
        """Whether a student is still on its way to its next boundary."""
        return self.inner.capturing

    def _state(self) -> dict[str, Any]:
        if self._repeats:
            return super()._state()
        return {
            "inner": self.inner.state_dict(),
            "record": self._record.state(),
            "extra": self._extra,
            "decisions": [self._decisions, self._inner_decisions],
            "cost": self._cost,
            "outer": [[inner, decision, task] for inner, (decision, task) in self._outer.items()],
            "forgotten": self._forgotten,
        }

    def _load(self, state: dict[str, Any]) -> None:
        if self._repeats:
            super()._load(state)
            return
        self._choose_inner(self._seed)
        self.inner.load_state_dict(state["inner"])
        self._inner_over = False
        self._record.load(state["record"])
        self._extra, self._cost, self._forgotten = int(state["extra"]), int(state["cost"]), int(state["forgotten"])
        self._decisions, self._inner_decisions = (int(count) for count in state["decisions"])
        self._outer = {int(inner): (int(decision), np.array(task)) for inner, decision, task in state["outer"]}

    def _begin(self, seeds: Seeds) -> None:
        self._choose_inner(self._seed)
        self.inner.reset(seed=self._seed)
        self._record.clear()
        self._extra = self._decisions = 0
        self._cost = 1
        self._outer = {}
        self._inner_decisions = 0
        self._forgotten = 0
        self._inner_over = False

    def _check_action(self, action: Any) -> Decision:
        return read_decision(action, self.task_space, self.action_space)

    def _teach(self, decision: Decision) -> Feedback | None:
        number, self._decisions = self._decisions, self._decisions + 1
        task = self._map.inward(decision.task)
        if task is None:
            return self._fail(decision, number)
        if self._forget_every is not None and self.spent >= (self._forgotten + 1) * self._forget_every:
            self._forgotten += 1
            self.inner.forget_student()
        self._outer[self._inner_decisions] = number, decision.task
        self._inner_decisions += 1
        action = {"decision": task, "probe": int(decision.probe)} if self._spec.has_probes else task
        self.inner.traces = self.traces
        _, _, self._inner_over, _, info = self.inner.step(action)
        feedback: Feedback | None = info["feedback"]
        if feedback is None:
            return None
        self._cost = feedback.cost or self._cost
        number, outer_task = self._outer.pop(feedback.decision)
        success = feedback.success and SUCCESS in self._spec.offers
        return replace(feedback, task=outer_task, decision=number, success=success)

    def _fail(self, decision: Decision, number: int) -> Feedback:
        cost = min(self._cost, self.budget - self.spent) if not decision.probe or self._counts_probes else 0
        self._extra += cost
        worst = self._spec.outcome_range[0]
        trace, traced = None, self._traced(self._spec.offers & {VALUES, ENTROPIES})
        if traced:
            values = np.array([worst, 0.0]) if VALUES in traced else None
            trace = EpisodeTrace(np.array([worst]), values, np.zeros(1) if ENTROPIES in traced else None)
        other = worst if ANTAGONIST in self._spec.offers else None
        return Feedback(decision.task, worst, False, cost, number, decision.probe, trace, other)

    def _is_over(self) -> bool:
        return self._inner_over or self.spent >= self.budget

    def _reward(self, feedback: Feedback | None) -> float:
        return 0.0 if feedback is None else feedback.outcome

    def _observe(self, feedback: Feedback | None) -> Float32Array:
        return self._record.observe(feedback, progress=self.spent / self.budget, spec=self._spec)

    def _info(self) -> dict[str, Any]:
        return self.inner._info()
