"""The skill-list environment: how much data to make for which skill."""

from typing import Any, Literal, final

import numpy as np
from gymnasium import Space, spaces

from teachgym.base.annotations import read_numbers, shown
from teachgym.base.setting_checks import check_choice
from teachgym.core.spec import SHARES
from teachgym.core.task_space import FloatArray, Parameter, TaskSpace
from teachgym.data.engine import Order
from teachgym.data.observation import SkillRow
from teachgym.data.reports import SkillReport, SubjectReport
from teachgym.data.spaces import Shares
from teachgym.envs.data.apportion import split
from teachgym.envs.data.data_env import DataEnv, skill_shares

SkillListAction = Literal["discrete", "shares", "weights", "counts"]
_SHOWN = 12
"""Validation examples that an engine is shown of a skill."""


@final
class SkillListEnv(DataEnv[FloatArray]):
    """Choose how much data is made for which skill, seeing how well the student does in each.

    ## In Short
    - Decision: how many examples of which skill.
    - Student: a classifier or a language model.
    - Reward: the gain in accuracy on validation questions, less a price.
    - Truth: none; a test set that no teacher sees.
    - Episode: milliseconds (simulated student) to half a minute (transformer), or as long as your model takes.

    ## Description
    A student learns a subject that falls into K skills, from data that an engine makes. In every step the teacher
    divides the examples of the step among the skills; the student trains on them, and is tested on the validation
    set. After the skill-list environment of DataEnvGym (Khan et al. 2025, arXiv:2410.06215). Differs from it: spaces,
    seeds, a reward and an end of the episode; a budget that holds to the example; engines with verified labels; a
    student that may go on learning instead of starting from its base each time.

    ## Action Space
    By ``action``: ``"discrete"``, ``Discrete(K)``, all examples of the step for one skill; ``"shares"``,
    ``Shares(K)``, each skill's share, which must sum to 1; ``"weights"``, ``Box(0, 1, (K,))``, in proportion to which
    they are divided (alike, if all are 0), for policies whose numbers can't sum to 1; or ``"counts"``,
    ``Box(0, budget, (K,), int64)``, examples of each skill, which are cut in proportion if they exceed what is left.

    ## Observation Space
    ``Box(-1, 1, (5, K))``, float32: accuracy, share of the errors, share of the data so far, last gain and progress
    (``teachgym.data.observation.SkillRow``); or, with ``observation="text"``, a report in JSON.

    ## Rewards
    The gain in accuracy on the validation set, less ``price`` for each example. ``info["skill_gain"]`` has the gain
    by skill.

    ## Starting State
    A fresh student, fixed by the seed, and no data.

    ## Episode Termination
    When the budget is spent, or after ``rounds`` steps; never truncated.

    ## Arguments
    Those of ``DataEnv`` and of ``ClassroomSettings``. A step's feedback has the skill, or the shares, weights or
    counts, for its task, and for its outcome the accuracy in the skill, or in all.

    ## Version History
    * v0: Initial version.
    """

    def _plan_spaces(self, action: str) -> tuple[Space[Any], Space[Any], TaskSpace, frozenset[str]]:
        check_choice("action", action, ("discrete", "shares", "weights", "counts"))
        count, budget = self.classroom.skill_count, self.classroom.settings.budget
        names = self.classroom.places
        numbers = spaces.Box(-1.0, 1.0, (len(SkillRow), count), dtype=np.float32)
        if action == "discrete":
            tasks = TaskSpace([Parameter("skill", 0.0, max(count - 1.0, 1.0))])
            return spaces.Discrete(count), numbers, tasks, frozenset()
        if action == "shares":
            return Shares(count), numbers, skill_shares(names), frozenset({SHARES})
        if action == "weights":
            return spaces.Box(0.0, 1.0, (count,), dtype=np.float32), numbers, skill_shares(names), frozenset()
        tasks = TaskSpace([Parameter(name, 0.0, float(budget), unit="examples") for name in names])
        return spaces.Box(0, budget, (count,), dtype=np.int64), numbers, tasks, frozenset()

    def _check_action(self, action: Any) -> FloatArray:
        """``(1,)`` a skill, or ``(K,)`` shares, weights or counts."""
        count, kind = self.classroom.skill_count, self._action
        vector = read_numbers("the action", action).ravel()
        if kind == "discrete":
            if np.ndim(action) != 0 or vector[0] not in range(count):
                raise ValueError(f"the action is {shown(action)}; expected a skill's number, from 0 to {count - 1}")
            return vector
        if np.shape(action) != (count,):
            raise ValueError(f"the action has shape {np.shape(action)}; expected ({count},), one number for each skill")
        if not np.isfinite(vector).all() or (vector < 0).any():
            raise ValueError(f"the action is {shown(action)}; expected {kind} that are finite and not negative")
        if kind == "shares" and abs(vector.sum() - 1) > 1e-4:
            raise ValueError(f"the shares sum to {vector.sum():.6g}; expected 1: divide them by their sum")
        if kind == "weights" and (vector > 1 + 1e-6).any():
            raise ValueError(f"the action is {shown(action)}; expected weights of at most 1")
        if kind == "counts" and (vector % 1 != 0).any():
            raise ValueError(f"the action is {shown(action)}; expected whole numbers of examples")
        return vector

    def _fresh(self) -> None:
        self._made: FloatArray = np.zeros(self.classroom.skill_count)

    def _carry_out(self, plan: FloatArray) -> tuple[FloatArray, int | None]:
        skill = int(plan[0]) if self._action == "discrete" else None
        if skill is not None:
            counts = [self.size if k == skill else 0 for k in range(self.classroom.skill_count)]
        elif self._action == "counts":
            counts = plan.astype(np.int64).tolist()
        else:
            counts = split(self.size, plan if plan.any() else np.ones(len(plan)))
        made = self.classroom.teach([self._order(k, count) for k, count in enumerate(counts)])
        self._note(made)
        self._made += [len(examples) for examples in made.given]
        return plan, skill

    def _order(self, skill: int, count: int) -> Order:
        """Data for one skill: by name where it is the subject's, and by examples where it was discovered."""
        classroom = self.classroom
        answers = [classroom.answers[place] for place in np.flatnonzero(classroom.labels == skill)]
        mistakes = tuple(answer for answer in answers if not answer.correct) if self._sees else ()
        if classroom.discovery is None:
            like = tuple(answer.example for answer in answers[:_SHOWN])
            return Order(count, (classroom.skill_names[skill],), like, mistakes[:_SHOWN])
        members = tuple(answer.example for answer in answers)
        return Order(count, (), members, mistakes[:_SHOWN], classroom.skill_names[skill])

    def _numbers(self) -> Any:
        classroom = self.classroom
        rows = np.zeros((len(SkillRow), classroom.skill_count), dtype=np.float32)
        if self._sees:
            errors = (1 - classroom.skill_accuracy) * classroom.per_skill
            rows[SkillRow.ACCURACY] = classroom.skill_accuracy
            rows[SkillRow.ERRORS] = errors / max(errors.sum(), 1.0)
            rows[SkillRow.GAIN] = self._gain
        rows[SkillRow.DATA] = self._made / max(self._made.sum(), 1.0)
        rows[SkillRow.PROGRESS] = self.spent / self.budget
        return rows

    def _describe(self, report: SubjectReport) -> None:
        classroom = self.classroom
        skills: list[SkillReport] = []
        for k, name in enumerate(classroom.skill_names):
            skill: SkillReport = {"name": name, "examples_so_far": int(self._made[k])}
            if self._sees:
                skill["accuracy"] = round(float(classroom.skill_accuracy[k]), 4)
                skill["errors"] = round(float((1 - classroom.skill_accuracy[k]) * classroom.per_skill[k]))
                skill["gain"] = round(float(self._gain[k]), 4)
            skills.append(skill)
        report["skills"] = skills

    def _shown_state(self) -> dict[str, Any]:
        return {"made": self._made.copy()}

    def _load_shown(self, state: Any) -> None:
        self._made = np.array(state["made"])
