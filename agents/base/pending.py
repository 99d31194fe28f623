"""What a teacher remembers of a decision until its answer comes."""

from typing import Any

import numpy as np

MOST_OPEN = 4096
"""Decisions that are remembered without an answer; older ones are given up."""


class Pending:
    """Notes on decisions whose answers may be late, out of order, or never come.

    A decision is counted by ``open``, which a teacher therefore calls once in every ``act``; the count is
    ``Feedback.decision``. Notes are plain values or arrays.
    """

    def __init__(self) -> None:
        self._decisions = 0
        self._notes: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self._notes)

    def open(self, note: Any = None) -> None:
        """Count a decision, and remember the note, unless it is None."""
        if note is not None:
            self._notes[self._decisions] = note
            if len(self._notes) > MOST_OPEN:
                del self._notes[next(iter(self._notes))]
        self._decisions += 1

    def close(self, decision: int) -> Any:
        """Hand the note of an answered decision out, and forget it; None if there is none."""
        return self._notes.pop(decision, None)

    def state(self) -> dict[str, Any]:
        """For ``Teacher.state_dict``."""
        notes = [np.array(note) if isinstance(note, np.ndarray) else note for note in self._notes.values()]
        return {"decisions": self._decisions, "open": list(self._notes), "notes": notes}

    def load(self, state: dict[str, Any]) -> None:
        """Take over what ``state`` gave."""
        self._decisions = int(state["decisions"])
        notes = [np.array(note) if isinstance(note, np.ndarray) else note for note in state["notes"]]
        self._notes = dict(zip([int(decision) for decision in state["open"]], notes, strict=True))
