"""Each check rejects what it is for, and nothing else."""

from collections.abc import Sequence

import numpy as np
import pytest

from teachgym.data.example import Example
from teachgym.data.quality import CHECKS, QualityControl
from tests.data.toy import Numbers

TASK = Numbers()
GOOD = Example("next 5000", "5001", ("next", "large"))
CANDIDATES = {
    "held-out": TASK.validation[7],
    "parses": Example("next 5001", "five", ("next", "large")),
    "not-duplicate": Example("NEXT  5000", "5001", ("next", "large")),
    "not-known": Example("same 7001", "7001", ("same", "large")),
}


def control(*checks: str, asked: list[Example] | None = None) -> QualityControl:
    def ask(examples: Sequence[Example]) -> list[bool]:
        if asked is not None:
            asked.extend(examples)
        return [example.skill == "same" for example in examples]

    held_out = {example.key for example in (*TASK.validation, *TASK.test)}
    return QualityControl(TASK, checks, held_out=held_out, ask=ask)


@pytest.mark.parametrize("name", CANDIDATES)
def test_a_check_rejects_what_it_is_for(name: str) -> None:
    checked = control(*CHECKS)
    assert checked.passed([GOOD, CANDIDATES[name]], set()) == [GOOD]
    assert {reason: count for reason, count in checked.rejected.items() if count} == {name: 1}


def test_without_checks_only_what_is_held_out_is_rejected() -> None:
    passed = control().passed([GOOD, *CANDIDATES.values()], set())
    assert passed == [GOOD, *(example for name, example in CANDIDATES.items() if name != "held-out")]


def test_a_target_that_the_task_finds_wrong_is_rejected() -> None:
    class Strict(Numbers):
        def verify(self, examples: Sequence[Example]) -> list[bool]:
            return [one.skill != "next" or one.target == str(int(one.prompt.split()[1]) + 1) for one in examples]

    checked = QualityControl(Strict(), ("verified",), held_out=set(), ask=lambda examples: [])
    wrong = Example("next 5", "7", ("next",))
    assert checked.passed([wrong, GOOD], set()) == [GOOD]
    assert checked.rejected["verified"] == 1


def test_what_the_student_was_given_before_is_a_duplicate() -> None:
    assert control("not-duplicate").passed([GOOD], {GOOD.key}) == []


def test_the_student_is_asked_only_what_passed_the_cheaper_checks_and_order_is_kept() -> None:
    asked: list[Example] = []
    more = TASK.make(("double",), 5, np.random.default_rng(100))
    passed = control(*reversed(CHECKS), asked=asked).passed([*more[:2], CANDIDATES["parses"], *more[2:]], set())
    assert asked == passed
    assert [example.prompt for example in passed] == [one.prompt for one in more if one in passed]
    assert control(*CHECKS).passed([], set()) == []


def test_an_unknown_check_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown check 'parse'; did you mean 'parses'"):
        control("parse")
