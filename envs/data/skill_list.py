"""The skill-list environment: how much data to make for which skill."""

from typing import Any, ClassVar, final

import numpy as np
from gymnasium import Space, spaces

from teachgym.base.annotations import read_numbers, shown
from teachgym.base.setting_checks import check_choice
from teachgym.core.requirements import OnDemand
from teachgym.core.task_space import FloatArray, Parameter, TaskSpace
from teachgym.data.engine import Order
from teachgym.data.observation import SkillRow, SkillRows
from teachgym.data.reports import SkillReport, SubjectReport
from teachgym.data.spaces import Shares
from teachgym.envs.data.apportion import split
from teachgym.envs.data.data_env import DataEnv, DataView
from teachgym.envs.data.data_lifetime import DataLifetime, skill_shares

_SHOWN = 12
"""Validation examples that an engine is shown of a skill."""


class SkillListLifetime(DataLifetime[FloatArray]):
    """A student whose data are divided among skills.

    A decision is ``(1,)`` a skill, or ``(K,)`` shares, weights or counts.
    """

    keeps = ("made",)

    def _decisions(self, action: str) -> tuple[Space[Any], TaskSpace]:
        check_choice("action", action, ("discrete", "shares", "weights", "counts"))
        count, budget, names = self.skill_count, self.budget, self.places
        if action == "discrete":
            return spaces.Discrete(count), TaskSpace([Parameter("skill", 0.0, max(count - 1.0, 1.0))])
        if action == "shares":
            return Shares(count), skill_shares(names)
        if action == "weights":
            return spaces.Box(0.0, 1.0, (count,), dtype=np.float32), skill_shares(names)
        tasks = TaskSpace([Parameter(name, 0.0, float(budget), unit="examples") for name in names])
        return spaces.Box(0, budget, (count,), dtype=np.int64), tasks

    def read(self, action: Any) -> FloatArray:
        """The action as a vector."""
        count, kind = self.skill_count, self.action
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
        self.made: FloatArray = np.zeros(self.skill_count)
        """``(K,)`` examples of each skill so far."""

    def _carry_out(self, decision: FloatArray) -> tuple[FloatArray, int | None]:
        skill = int(decision[0]) if self.action == "discrete" else None
        if skill is not None:
            counts = [self.size if k == skill else 0 for k in range(self.skill_count)]
        elif self.action == "counts":
            counts = decision.astype(np.int64).tolist()
        else:
            counts = split(self.size, decision if decision.any() else np.ones(len(decision)))
        made = self.teach_orders([self._order(k, count) for k, count in enumerate(counts)])
        self.made += [len(examples) for examples in made.given]
        return decision, skill

    def _order(self, skill: int, count: int) -> Order:
        """Data for one skill: by name where it is the subject's, and by examples where it was discovered."""
        answers = [self.answers[place] for place in np.flatnonzero(self.labels == skill)]
        mistakes = tuple(answer for answer in answers if not answer.correct) if self.sees else ()
        if self.discovery is None:
            like = tuple(answer.example for answer in answers[:_SHOWN])
            return Order(count, (self.skill_names[skill],), like, mistakes[:_SHOWN])
        members = tuple(answer.example for answer in answers)
        return Order(count, (), members, mistakes[:_SHOWN], self.skill_names[skill])


class SkillListView(DataView):
    """The rows of ``teachgym.data.observation.SkillRow``, or a report by skill."""

    def _number_space(self, lifetime: SkillListLifetime) -> Space[Any]:
        return SkillRows(lifetime.skill_count)

    def _numbers(self, lifetime: SkillListLifetime) -> Any:
        rows = np.zeros((len(SkillRow), lifetime.skill_count), dtype=np.float32)
        if lifetime.sees:
            errors = (1 - lifetime.skill_accuracy) * lifetime.per_skill
            rows[SkillRow.ACCURACY] = lifetime.skill_accuracy
            rows[SkillRow.ERRORS] = errors / max(errors.sum(), 1.0)
            rows[SkillRow.GAIN] = lifetime.gain
        rows[SkillRow.DATA] = lifetime.made / max(lifetime.made.sum(), 1.0)
        rows[SkillRow.PROGRESS] = lifetime.spent / lifetime.budget
        return rows

    def _describe(self, lifetime: SkillListLifetime, report: SubjectReport) -> None:
        skills: list[SkillReport] = []
        for k, name in enumerate(lifetime.skill_names):
            skill: SkillReport = {"name": name, "examples_so_far": int(lifetime.made[k])}
            if lifetime.sees:
                skill["accuracy"] = round(float(lifetime.skill_accuracy[k]), 4)
                skill["errors"] = round(float((1 - lifetime.skill_accuracy[k]) * lifetime.per_skill[k]))
                skill["gain"] = round(float(lifetime.gain[k]), 4)
            skills.append(skill)
        report["skills"] = skills


@final
class SkillListEnv(DataEnv):
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
    student that may continue learning instead of starting from its base each time.

    ## Action Space
    By ``action``: ``"discrete"``, ``Discrete(K)``, all examples of the step for one skill; ``"shares"``,
    ``Shares(K)``, each skill's share, which must sum to 1; ``"weights"``, ``Box(0, 1, (K,))``, in proportion to which
    they are divided (alike, if all are 0), for policies whose numbers can't sum to 1; or ``"counts"``,
    ``Box(0, budget, (K,), int64)``, examples of each skill, which are cut in proportion if they exceed what is left.

    ## Observation Space
    ``SkillRows(K)``, ``(5, K)`` from -1 to 1: accuracy, share of the errors, share of the data so far, last gain and
    progress (``teachgym.data.observation.SkillRow``); or, with ``observation="text"``, a report in JSON.

    ## Rewards
    The gain in accuracy on the validation set, less ``price`` for each example. ``info["skill_gain"]`` has the gain
    by skill.

    ## Starting State
    A fresh student, fixed by the seed, and no data.

    ## Episode Termination
    When the budget is spent, or after ``rounds`` steps; never truncated.

    ## Arguments
    Those of ``DataEnv`` and of ``DataSettings``. A step's feedback has the skill, or the shares, weights or
    counts, for its task, and for its outcome the accuracy in the skill, or in all.

    ## Version History
    * v0: Initial version.
    """

    on_demand: ClassVar[tuple[OnDemand, ...]] = (
        *DataEnv.on_demand,
        OnDemand({"action": "shares"}, action_space=Shares),
        OnDemand({"action": "weights"}, action_space=spaces.Box),
    )
    lifetime: SkillListLifetime

    def __init__(self, **settings: Any) -> None:
        super().__init__(SkillListLifetime, SkillListView, **settings)
