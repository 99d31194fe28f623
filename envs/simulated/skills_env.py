"""A teacher environment whose students learn a set of skills by formula: thousands of lifetimes a second."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from numpy.typing import ArrayLike, NDArray

from teachgym.base.annotations import shown
from teachgym.base.ranges import PositiveInt, Share
from teachgym.base.registry import unknown_keyword
from teachgym.base.setting_checks import check_whole
from teachgym.base.settings import checked_arguments
from teachgym.core.episode_trace import EpisodeTrace
from teachgym.core.evaluation import Evaluation
from teachgym.core.feedback import Feedback
from teachgym.core.lifetime import Lifetime
from teachgym.core.needs import Needs
from teachgym.core.reward_rule import RepeatedTaskReward, RewardKind, make_reward
from teachgym.core.seeding import Seeds
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import Float32Array, FloatArray, Parameter, TaskSpace
from teachgym.core.teacher_env import TeacherEnv
from teachgym.core.view import View
from teachgym.envs.simulated.skill_model import SkillModel, SkillSettings
from teachgym.envs.simulated.student_batch import (
    BatchOutcomes,
    BatchRewards,
    StudentBatch,
    StudentVectorEnv,
    check_no_step_limit,
    student_seed,
)
from teachgym.worlds.world_batch import Slots

NEW_OUTCOME = 0.3
"""Weight of the latest outcome in the average of a skill's outcomes."""
_ONLY: Slots = np.zeros(1, dtype=np.int64)


class SkillStudentBatch(StudentBatch):
    """Lifetimes of students of a ``SkillModel``, with what their teachers see of them.

    Args:
        settings: The population.
        size: Number of slots.
        budget: In episodes.
        targets: Skills that the score counts; None counts all.
        mastered_above: Outcome above which a skill is mastered.

    Raises:
        ValueError: If an argument is not allowed.
    """

    @checked_arguments
    def __init__(
        self,
        settings: SkillSettings,
        *,
        size: int = 1,
        budget: PositiveInt = 200,
        targets: Sequence[int] | None = None,
        mastered_above: Share = 0.8,
    ) -> None:
        check_whole("num_envs", size, 1)
        count = settings.skills
        self.size, self.budget, self.mastered_above = size, int(budget), float(mastered_above)
        self.model = SkillModel(settings, size)
        self.names = ("progress", *(f"{what}_{k}" for what in ("outcome", "since", "share") for k in range(count)))
        self.observation_space = spaces.Box(0.0, 1.0, (len(self.names),), dtype=np.float32)
        self.action_space = spaces.Discrete(count)
        self.task_space = TaskSpace([Parameter("skill", -0.5, count - 0.5)])
        self.spent = np.zeros(size, dtype=np.int64)
        self._importance = _importance(targets, count)
        self._average = np.zeros((size, count))
        self._times: NDArray[np.int64] = np.zeros((size, count), dtype=np.int64)
        self._last: NDArray[np.int64] = np.zeros((size, count), dtype=np.int64)

    def begin(self, slots: Slots, seeds: Sequence[int]) -> None:
        """Put fresh students in some slots."""
        self.model.begin(slots, seeds)
        for counts in (self.spent, self._times, self._last):
            counts[slots] = 0
        self._average[slots] = 0.0

    def check(self, actions: Any) -> NDArray[np.int64]:
        """The actions as skills.

        Raises:
            ValueError: If one is no skill.
        """
        count = self.model.settings.skills
        try:
            skills = np.asarray(actions)
        except (ValueError, RuntimeError):  # ragged, or a tensor that needs its gradient
            skills = np.empty(())
        if skills.ndim != 1 or not np.issubdtype(skills.dtype, np.integer):
            raise ValueError(f"the action is {shown(actions)}; expected the number of a skill, from 0 to {count - 1}")
        outside = (skills < 0) | (skills >= count)
        if outside.any():
            raise ValueError(f"the action is {skills[outside][0]}; expected the number of a skill, 0 to {count - 1}")
        return skills.astype(np.int64)

    def teach(self, slots: Slots, actions: NDArray[Any]) -> BatchOutcomes:
        """Teach one episode in each of some slots."""
        rows = np.arange(len(slots))
        expected = self.model.competence[slots, actions]
        outcomes = self.model.learn(slots, actions)
        known = self._times[slots, actions] > 0
        average = self._average[slots, actions]
        average = np.where(known, average + NEW_OUTCOME * (outcomes - average), outcomes)
        self._average[slots, actions] = average
        self.spent[slots] += 1
        self._times[slots, actions] += 1
        self._last[slots, actions] = self.spent[slots]
        tasks = actions.astype(np.float64).reshape(len(rows), 1)
        return BatchOutcomes(tasks, expected, outcomes, outcomes > self.mastered_above)

    def observe(self, slots: Slots) -> Float32Array:
        """What the teachers of some slots see now."""
        count, spent = self.model.settings.skills, self.spent[slots][:, None]
        times, since = self._times[slots], spent - self._last[slots]
        observation = np.empty((len(slots), len(self.names)), dtype=np.float32)
        observation[:, :1] = spent / self.budget
        observation[:, 1 : count + 1] = self._average[slots]
        observation[:, count + 1 : 2 * count + 1] = np.where(times > 0, since / (since + count), 1.0)
        observation[:, 2 * count + 1 :] = times / np.maximum(spent, 1)
        return observation

    def truth(self, slots: Slots) -> dict[str, NDArray[Any]]:
        """The competence in every skill."""
        return {"competence": self.model.competence[slots]}

    def score(self, slots: Slots) -> FloatArray:
        """``(m,)`` mean competence over the target skills."""
        return np.asarray((self.model.competence[slots] * self._importance).sum(axis=1))


class SkillLifetime(Lifetime[int]):
    """The student in the only slot of a batch.

    Args:
        students: A batch of one.
    """

    def __init__(self, students: SkillStudentBatch) -> None:
        self.students, self.budget, self.task_space = students, students.budget, students.task_space
        self.decision_space = students.action_space
        self.test_tasks = np.arange(students.model.settings.skills, dtype=np.float64)[:, None]

    @property
    def spent(self) -> int:
        """Episodes given so far."""
        return int(self.students.spent[0])

    @property
    def over(self) -> bool:
        """Whether all episodes have been given."""
        return self.spent >= self.budget

    def begin(self, seeds: Seeds) -> None:
        """Draw a student from the population."""
        self._seeds, self._generation = seeds, 0
        self.students.begin(_ONLY, [student_seed(seeds.student)])

    def replace_student(self) -> None:
        """Replace the student by a fresh one; what is spent, and what the teacher has seen, stays."""
        self._generation += 1
        self.students.model.begin(_ONLY, [student_seed(self._seeds.student, self._generation)])

    def read(self, action: Any) -> int:
        """The action as the number of a skill."""
        return int(self.students.check([action])[0])

    def teach(self, decision: int) -> Feedback:
        """Give one episode on the skill."""
        number = self.spent
        episodes = self.students.teach(_ONLY, np.array([decision]))
        outcome = float(episodes.outcomes[0])
        trace = None
        if self._traced(Needs.VALUES):
            trace = EpisodeTrace(np.array([outcome]), np.array([episodes.expected[0], 0.0]))
        return Feedback(episodes.tasks[0], outcome, bool(episodes.successes[0]), 1, number, trace=trace)

    def score(self) -> float:
        """The mean competence over the target skills."""
        return float(self.students.score(_ONLY)[0])

    def info(self) -> dict[str, Any]:
        """The competence in every skill."""
        return {"competence": self.students.truth(_ONLY)["competence"][0]}

    def evaluate(self, tasks: ArrayLike | None = None) -> Evaluation:
        """The competence in every skill, or in those that tasks ``(m, 1)`` are nearest to."""
        given = self.test_tasks if tasks is None else self.task_space.validate_all(tasks)
        nearest = np.clip(np.round(given[:, 0]).astype(np.int64), 0, len(self.test_tasks) - 1)
        returns = self.students.model.competence[0, nearest]
        lengths = np.ones(len(given), dtype=np.int64)
        return Evaluation(given, returns, lengths, self.students.mastered_above, self.spent)


class SkillView(View):
    """What a batch of one shows.

    Args:
        students: The batch.
    """

    def __init__(self, students: SkillStudentBatch) -> None:
        self._students, self.names, self.space = students, students.names, students.observation_space

    def observe(self, feedback: Feedback | None, lifetime: Lifetime[Any]) -> Float32Array:
        """Progress, outcomes, ages and shares of the skills."""
        return np.asarray(self._students.observe(_ONLY)[0])


class SimulatedSkillsEnv(TeacherEnv):
    """Choose which skill the next episode is about; students learn by a formula, and differ.

    ## In Short
    - Decision: the skill of the next episode.
    - Student: a formula of learning and forgetting, with prerequisites.
    - Reward: the outcome, its learning progress, or the gain in competence.
    - Truth: the competence in every skill, exact.
    - Episode: some 20 milliseconds; thousands a second in ``gymnasium.make_vec``.

    ## Description
    A student has a competence from 0 to 1 in each of K skills. An episode on a skill closes a share of what is left
    to learn: the more, the better the student knows the skills that this one builds on. It helps a little in the
    neighbouring skills, and the others are slowly forgotten. The episode ends with a test, whose outcome is the
    competence with noise. Students differ in how fast they learn and forget each skill, in what they know at the
    start and in the noise, by seed: other seeds are other students of the same population. Formulas are in
    ``teachgym.envs.simulated.skill_model.SkillModel``, and the population in ``SkillSettings`` beside it.

    ``gymnasium.make_vec`` makes a ``StudentVectorEnv``: many students in step, at a fraction of the cost.

    ## Action Space
    ``Discrete(K)``: the skill.

    ## Observation Space
    ``Box(0, 1)``: progress through the budget; then, for all skills, an average of the outcomes in which each new
    one weighs 0.3; for all skills, the episodes s since the last on it, as s / (s + K), 1 before the first; and for
    all skills, their shares of the episodes so far.

    ## Rewards
    ``"gain"``: the change of the mean competence over the target skills, so that the undiscounted return is final
    minus initial. ``"outcome"``. ``"learning-progress"``: the absolute difference from the last outcome in the same
    skill, 0 for the first.

    ## Starting State
    A student drawn from the population by the seed.

    ## Episode Termination
    After ``budget`` episodes.

    ## Arguments
    ``budget=200``, ``reward="gain"``, ``targets=None`` (the skills that count for the gain; None: all),
    ``mastered_above=0.8``, and the settings of the population, ``SkillSettings``: ``skills=8``,
    ``structure="tree"``, ``structure_seed=0``, ``rate=0.15``, ``gate=2.0``, ``transfer=0.1``, ``forgetting=0.005``,
    ``noise=0.1``, ``outcomes="graded"``, ``initial=0.05``, ``variety=0.3``. ``info["competence"]`` is ``(K,)``, the
    truth, which ``evaluate`` tests, and which teachers do not read.

    ## Version History
    - v0: first version.
    """

    lifetime: SkillLifetime

    @checked_arguments
    def __init__(self, *, reward: RewardKind = "gain", **settings: Any) -> None:
        students = _make_students(1, settings)
        spec = TeachingSpec(
            action_space=students.action_space,
            observation_space=students.observation_space,
            outcome_range=(0.0, 1.0),
            mastered_above=students.mastered_above,
            offers=Needs.SUCCESS | Needs.VALUES,
        )
        rule = RepeatedTaskReward() if reward == "learning-progress" else make_reward(reward)
        super().__init__(SkillLifetime(students), spec, reward=rule, view=SkillView(students))

    @property
    def model(self) -> SkillModel:
        """The student, in slot 0: the truth, which teachers are not told."""
        return self.lifetime.students.model


@checked_arguments
def make_skills(
    num_envs: int,
    *,
    autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
    max_episode_steps: int | None = None,
    reward: RewardKind = "gain",
    **settings: Any,
) -> StudentVectorEnv:
    """Make many ``SimulatedSkillsEnv`` that are played in step."""
    check_no_step_limit(max_episode_steps)
    students = _make_students(num_envs, settings)
    return StudentVectorEnv(students, BatchRewards(reward, students, RepeatedTaskReward), autoreset_mode=autoreset_mode)


def _make_students(size: int, settings: dict[str, Any]) -> SkillStudentBatch:
    population = {field.name for field in fields(SkillSettings)}
    others = {"budget", "targets", "mastered_above"}
    for name in settings:
        if name not in population | others:
            raise unknown_keyword("setting of SimulatedSkills", name, population | others | {"reward"})
    own = {name: value for name, value in settings.items() if name in population}
    rest = {name: value for name, value in settings.items() if name in others}
    return SkillStudentBatch(SkillSettings(**own), size=size, **rest)


def _importance(targets: Sequence[int] | None, count: int) -> FloatArray:
    """``(K,)`` what each skill weighs in the score; sums to 1."""
    chosen = np.arange(count) if targets is None else np.asarray(targets)
    ok = chosen.ndim == 1 and len(chosen) and np.issubdtype(chosen.dtype, np.integer)
    if not ok or chosen.min() < 0 or chosen.max() >= count or len(set(chosen.tolist())) < len(chosen):
        raise ValueError(f"targets is {targets!r}; expected distinct skills from 0 to {count - 1}, or None for all")
    importance = np.zeros(count)
    importance[chosen] = 1 / len(chosen)
    return importance
