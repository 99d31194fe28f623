"""What happened in one teaching run: every decision, every result, every evaluation; stored as plain arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teachgym.base.files import read_arrays, read_json, write_arrays, write_json
from teachgym.core.evaluation import Evaluation
from teachgym.core.feedback import Feedback
from teachgym.core.sampling import GaussianMixture, Sampling, Window
from teachgym.core.task_space import FloatArray

EPISODES = "episodes.npz"
EVALUATIONS = "evaluations.npz"
SAMPLING = "sampling.json"

_Arrays = Mapping[str, NDArray[Any]]


@dataclass
class Record:
    """The growing history of one run."""

    origins: list[str] = field(default_factory=list)
    """One for each decision: where the teacher's action came from."""
    feedback: list[Feedback] = field(default_factory=list)
    """One for each finished episode, in the order in which they finished, without traces."""
    finished_at: list[int] = field(default_factory=list)
    """Student steps spent when that feedback came."""
    evaluations: list[Evaluation] = field(default_factory=list)
    """On the test tasks, by growing student steps."""
    sampling: list[tuple[int, Sampling]] = field(default_factory=list)
    """How the teacher sampled, with the student steps at which it began to."""
    teacher_seconds: float = 0.0
    """Time spent in the teacher; not stored, as everything else here is the same for the same seed."""

    @property
    def tasks(self) -> FloatArray:
        """``(episodes, n)`` tasks of the finished episodes."""
        return np.array([feedback.task for feedback in self.feedback], dtype=np.float64)

    @property
    def outcomes(self) -> FloatArray:
        """``(episodes,)`` outcomes of the finished episodes."""
        return np.array([feedback.outcome for feedback in self.feedback], dtype=np.float64)

    def save(self, folder: Path) -> None:
        """Write the record into a folder; each file appears whole or not at all."""
        write_arrays(folder / EPISODES, self._episode_arrays())
        write_arrays(folder / EVALUATIONS, self._evaluation_arrays())
        write_json(folder / SAMPLING, self._sampling_entries())

    @classmethod
    def load(cls, folder: Path) -> "Record":
        """Read a record.

        Raises:
            FileNotFoundError: If the folder holds none.
            ValueError: If a file is damaged or foreign; the message names it.
        """
        record = cls()
        for name, read, take in (
            (EPISODES, read_arrays, record._take_episodes),
            (EVALUATIONS, read_arrays, record._take_evaluations),
            (SAMPLING, read_json, record._take_sampling),
        ):
            stored: Any = read(folder / name)
            try:
                take(stored)
            except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as error:
                raise ValueError(f"{folder / name} holds no record of this version ({error!r})") from error
        return record

    def state_dict(self) -> dict[str, Any]:
        """Everything, times included, as arrays and plain values."""
        return {
            "episodes": self._episode_arrays(),
            "evaluations": self._evaluation_arrays(),
            "sampling": self._sampling_entries(),
            "teacher_seconds": self.teacher_seconds,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "Record":
        """The record that ``state_dict`` described."""
        record = cls()
        record._take_episodes(state["episodes"])
        record._take_evaluations(state["evaluations"])
        record._take_sampling(state["sampling"])
        record.teacher_seconds = float(state["teacher_seconds"])
        return record

    def _take_episodes(self, episodes: _Arrays) -> None:
        self.origins = [str(origin) for origin in episodes["origins"]]
        self.finished_at = [int(steps) for steps in episodes["finished_at"]]
        columns = (episodes[name] for name in ("tasks", "outcomes", "successes", "costs", "decisions", "probes"))
        for task, outcome, success, cost, decision, probe in zip(*columns, strict=True):
            self.feedback.append(Feedback(task, float(outcome), bool(success), int(cost), int(decision), bool(probe)))

    def _take_evaluations(self, tests: _Arrays) -> None:
        for steps, returns, lengths in zip(tests["spent"], tests["returns"], tests["lengths"], strict=True):
            if not np.isfinite(returns).all():
                raise ValueError("a return is not a finite number")
            self.evaluations.append(
                Evaluation(
                    tests["tasks"],
                    returns,
                    lengths,
                    float(tests["mastered_above"]),
                    int(steps),
                    "mastered" if tests["scored_by"] == "mastered" else "mean_return",
                )
            )

    def _take_sampling(self, sampling: Sequence[dict[str, Any]]) -> None:
        self.sampling = [_undescribe(entry) for entry in sampling]
        for _, one in self.sampling:
            centre = (one.means if isinstance(one, GaussianMixture) else one.low).shape[-1]
            if self.feedback and centre != self.feedback[0].task.size:
                raise ValueError(f"a teacher sampled {centre} numbers for tasks of {self.feedback[0].task.size}")

    def _sampling_entries(self) -> list[dict[str, Any]]:
        return [_describe(steps, sampling) for steps, sampling in self.sampling]

    def _episode_arrays(self) -> dict[str, NDArray[Any]]:
        return {
            "tasks": self.tasks,
            "outcomes": self.outcomes,
            "successes": np.array([feedback.success for feedback in self.feedback], dtype=bool),
            "costs": np.array([feedback.cost for feedback in self.feedback], dtype=np.int64),
            "decisions": np.array([feedback.decision for feedback in self.feedback], dtype=np.int64),
            "probes": np.array([feedback.probe for feedback in self.feedback], dtype=bool),
            "finished_at": np.array(self.finished_at, dtype=np.int64),
            "origins": np.array(self.origins, dtype=np.str_),
        }

    def _evaluation_arrays(self) -> dict[str, NDArray[Any]]:
        tests = self.evaluations
        return {
            "tasks": tests[0].tasks if tests else np.empty((0, 0)),
            "returns": np.array([test.returns for test in tests]),
            "lengths": np.array([test.lengths for test in tests], dtype=np.int64),
            "spent": np.array([test.spent for test in tests], dtype=np.int64),
            "mastered_above": np.array(tests[0].mastered_above if tests else np.nan),
            "scored_by": np.array(tests[0].scored_by if tests else "mastered"),
        }


def _describe(steps: int, sampling: Sampling) -> dict[str, Any]:
    entries = {name: np.asarray(value).tolist() for name, value in asdict(sampling).items()}
    return {"spent": steps, "kind": type(sampling).__name__, **entries}


def _undescribe(entry: dict[str, Any]) -> tuple[int, Sampling]:
    kinds: dict[str, type[Sampling]] = {"GaussianMixture": GaussianMixture, "Window": Window}
    fields = {name: value for name, value in entry.items() if name not in ("spent", "kind")}
    arrays: dict[str, Any] = {n: np.array(value) if isinstance(value, list) else value for n, value in fields.items()}
    return int(entry["spent"]), kinds[entry["kind"]](**arrays)
