"""What a teacher remembers of a decision until its answer comes."""

from typing import Any

from teachgym.base.state import Stateful

MOST_OPEN = 4096
"""Decisions that are remembered without an answer; older ones are given up."""


class Pending(Stateful):
    """Notes on decisions whose answers may be late, out of order, or never come.

    A decision is counted by ``open``, which a teacher therefore calls once in every ``act``; the count is
    ``Feedback.decision``. Notes are plain values or arrays.
    """

    keeps = ("_decisions", "_notes")
    _notes: dict[int, Any]

    def __init__(self) -> None:
        self._decisions = 0
        self._notes = {}

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
