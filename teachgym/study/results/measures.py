"""What the numbers of a study are about: stored with it, so that a report needs no environment."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, get_args

from teachgym.core.evaluation import Evaluation, ScoredBy
from teachgym.core.needs import Needs
from teachgym.core.task_space import Parameter, TaskSpace
from teachgym.core.teacher_env import TeacherEnv


@dataclass(frozen=True)
class Measures:
    """What the numbers of a study are called, and which of them teachers are compared by."""

    record_space: TaskSpace
    """The tasks of the episodes in records."""
    test_space: TaskSpace
    """The tasks of the test set."""
    outcome_range: tuple[float, float]
    """The worst and the best outcome; also tells how many decimals are worth showing."""
    outcome_name: str = "return"
    """What an outcome is."""
    scored_by: ScoredBy = "mastered"
    """The number of an ``Evaluation`` that teachers are compared by."""
    masters: bool = True
    """Whether it means anything that a task is mastered; where not, it is not shown."""
    skills: tuple[str, ...] = ()
    """Names of the test tasks, by number, where the test space is one parameter, ``skill``."""

    @classmethod
    def of(cls, env: TeacherEnv) -> "Measures":
        """Those of an environment."""
        skills = env.teaching_spec.skills if env.lifetime.test_space.names == ("skill",) else ()
        return cls(
            record_space=env.lifetime.record_space,
            test_space=env.lifetime.test_space,
            outcome_range=env.teaching_spec.outcome_range,
            outcome_name=env.lifetime.outcome_name,
            scored_by=env.lifetime.scored_by,
            masters=Needs.SUCCESS in env.teaching_spec.offers or env.lifetime.scored_by == "mastered",
            skills=tuple(skills),
        )

    def without_mastery(self) -> "Measures":
        """The same for a study in which no student mastered anything: by the mean outcome, without percents."""
        return replace(self, scored_by="mean_return", masters=False)

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        plain = {name: value for name, value in vars(self).items() if not name.endswith("_space")}
        for name in ("record_space", "test_space"):
            plain[name] = [asdict(parameter) for parameter in getattr(self, name).parameters]
        return plain

    @classmethod
    def from_json(cls, entries: Mapping[str, Any]) -> "Measures":
        """What ``to_json`` described.

        Raises:
            ValueError: If the entries are not those of measures.
        """
        try:
            plain: dict[str, Any] = dict(entries)
            for name in ("record_space", "test_space"):
                plain[name] = TaskSpace([Parameter(**parameter) for parameter in plain[name]])
            worst, best = plain["outcome_range"] = tuple(map(float, plain["outcome_range"]))
            plain["skills"] = tuple(map(str, plain["skills"]))
            if not worst < best or plain["scored_by"] not in get_args(ScoredBy):
                raise ValueError(f"outcome_range is {(worst, best)} and scored_by is {plain['scored_by']!r}")
            return cls(**plain)
        except (TypeError, KeyError, ValueError, OverflowError) as error:
            raise ValueError(f"the study's measures are not of this version ({error})") from error

    def score(self, evaluation: Evaluation) -> float:
        """What teachers are compared by, of a test."""
        return replace(evaluation, scored_by=self.scored_by).score

    @property
    def decimals(self) -> int:
        """How many decimals of an outcome are worth showing."""
        worst, best = self.outcome_range
        return 3 if best - worst <= 10 else 1

    @property
    def score_name(self) -> str:
        """What teachers are compared by, in words."""
        return "% mastered" if self.scored_by == "mastered" else f"test {self.outcome_name}"
