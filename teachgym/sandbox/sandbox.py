"""Run programs that nobody has read."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import final

from teachgym.base.annotations import shown
from teachgym.base.setting_checks import check_whole
from teachgym.base.settings import chosen_settings
from teachgym.sandbox.connection import Connection
from teachgym.sandbox.kinds import AUTO, SandboxKind, choose_kind
from teachgym.sandbox.limits import Limits, Outcome, Program

_LOST = Outcome("", "the sandbox was lost while this program ran", -9, "crashed")


@final
class Sandbox:
    """Runs Python programs that may be wrong or hostile, and tells what came of each.

    Each runs in a process of its own that is gone afterwards, and none can change what is told of another. What a
    program says of itself is only what it says: compare its output with what you expect, out here. The same program
    and input give the same outcome, unless the program looks at a clock, at addresses or at true random numbers.

    Args:
        limits: For each program; None takes the defaults.
        kind: ``"auto"``, or ``"bubblewrap"`` to have that or none, or ``"process"``.
        workers: How many programs run at once; more than processors makes no sense.

    Raises:
        TypeError: If ``limits`` are something else.
        ValueError: If another argument is not allowed.
        SandboxError: If this kind of sandbox does not work here.
    """

    def __init__(self, limits: Limits | None = None, *, kind: str = AUTO, workers: int = 1) -> None:
        check_whole("workers", workers, 1)
        self.limits: Limits = chosen_settings(Limits, limits)
        self.kind: SandboxKind = choose_kind(kind)
        self._workers = workers

    def run(self, source: str, *, stdin: str = "") -> Outcome:
        """Run one program; many at once are much cheaper together."""
        return self.run_many([Program(source, stdin)])[0]

    def run_many(self, programs: Sequence[Program]) -> list[Outcome]:
        """Run programs, each by itself, and give their outcomes in order; a few hundred a second if they are small.

        Raises:
            TypeError: If something among them is not a ``Program``.
            SandboxError: If the sandbox does not start any more.
        """
        for program in programs:
            if not isinstance(program, Program):
                raise TypeError(f"{shown(program)} is not a Program; expected Program(source, stdin)")
        workers = min(self._workers, len(programs))
        if workers <= 1:
            return self._run_in_turn(programs)
        with ThreadPoolExecutor(workers) as pool:
            parts = list(pool.map(self._run_in_turn, [programs[first::workers] for first in range(workers)]))
        return [parts[number % workers][number // workers] for number in range(len(programs))]

    def _run_in_turn(self, programs: Sequence[Program]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        while len(outcomes) < len(programs):
            with Connection(self.kind, self.limits) as connection:
                for program in programs[len(outcomes) :]:
                    outcome = connection.run(program)
                    outcomes.append(_LOST if outcome is None else outcome)
                    if outcome is None:
                        break
        return outcomes
