"""Checks on examples before a student learns from them. Each can reject; what was rejected is counted, by check."""

from collections import Counter
from collections.abc import Callable, Sequence, Set

from teachgym.base.registry import unknown_name
from teachgym.base.state import Stateful
from teachgym.data.example import Example
from teachgym.data.subject import Subject

HELD_OUT = "held-out"
"""The reason by which examples of the validation and test sets are rejected, always."""
CHECKS = ("parses", "verified", "not-duplicate", "not-known")
"""Checks that can be asked for, cheapest first: the target has the form of an answer; the subject finds it right; the
student has not been given the same prompt before; the student does not answer it correctly yet."""


def check_checks(names: Sequence[str]) -> None:
    """Raise ``ValueError`` unless all are names of checks."""
    for name in names:
        if name not in CHECKS:
            raise unknown_name("check", name, CHECKS)


class QualityControl(Stateful):
    """Lets examples through that pass every check.

    Args:
        subject: What the examples are for.
        checks: Names in ``CHECKS``; examples that are held out for tests are rejected whatever they say.
        held_out: Keys of the validation and test sets.
        ask: Which of some examples the student answers correctly now.
    """

    keeps = ("rejected",)

    def __init__(
        self,
        subject: Subject,
        checks: Sequence[str],
        *,
        held_out: Set[str],
        ask: Callable[[Sequence[Example]], Sequence[bool]],
    ) -> None:
        check_checks(checks)
        self._subject, self._held_out, self._ask = subject, held_out, ask
        self._checks = [name for name in CHECKS if name in checks]
        self.rejected: Counter[str] = Counter()

    def passed(self, examples: Sequence[Example], given: Set[str]) -> list[Example]:
        """Those that pass, in order; of two that are the same the first, if duplicates are checked.

        Args:
            examples: Candidates.
            given: Keys of what the student has been given.
        """
        left = self._without(HELD_OUT, examples, [example.key not in self._held_out for example in examples])
        for check in self._checks:
            if not left:
                break
            left = self._without(check, left, self._verdicts(check, left, given))
        return left

    def _verdicts(self, check: str, examples: Sequence[Example], given: Set[str]) -> list[bool]:
        if check == "parses":
            return [self._subject.parses(example) for example in examples]
        if check == "verified":
            return self._subject.verify(examples)
        if check == "not-known":
            return [not known for known in self._ask(examples)]
        fresh, seen = [], set(given)
        for example in examples:
            fresh.append(example.key not in seen)
            seen.add(example.key)
        return fresh

    def _without(self, reason: str, examples: Sequence[Example], verdicts: Sequence[bool]) -> list[Example]:
        self.rejected[reason] += len(examples) - sum(verdicts)
        return [example for example, passes in zip(examples, verdicts, strict=True) if passes]
