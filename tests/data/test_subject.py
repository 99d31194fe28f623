"""What every subject has by virtue of its base: held-out sets, marks, trees of skills."""

import numpy as np
import pytest

from teachgym.data.skills import Skill, find_skill
from teachgym.data.subject import HeldOut
from tests.data.toy import Numbers, NumbersSettings


def test_validation_and_test_sets_are_disjoint_balanced_and_the_same_for_everyone() -> None:
    subject, again = Numbers(), Numbers()
    keys = [example.key for example in (*subject.validation, *subject.test)]
    assert len(keys) == len(set(keys)) == 3 * (12 + 15)
    for name in subject.skill_names:
        for size in ("small", "middle", "large"):
            assert [one.path for one in subject.validation].count((name, size)) == 4
            assert [one.path for one in subject.test].count((name, size)) == 5
    assert [one.prompt for one in subject.test] == [one.prompt for one in again.test]


def test_a_skill_with_too_few_examples_says_so() -> None:
    subject = Numbers(NumbersSettings(validation_per_skill=200, test_per_skill=200))
    with pytest.raises(ValueError, match=r"skill 'same' has too few different examples: .* of 200"):
        _ = subject.validation


def test_an_answer_is_correct_if_it_is_the_target() -> None:
    subject = Numbers()
    (example,) = subject.make(("next", "small"), 1, np.random.default_rng(3))
    right, wrong = subject.mark([example, example], [f" {example.target} ", example.target + "0"])
    assert (right.score, right.correct, wrong.score, wrong.correct) == (1.0, True, 0.0, False)


def test_paths_lead_through_trees_of_any_depth() -> None:
    deep = Skill("a", (Skill("b", (Skill("c"), Skill("d"))), Skill("e")))
    assert deep.leaves() == [("a", "b", "c"), ("a", "b", "d"), ("a", "e")]
    assert list(deep.walk()) == [("a",), ("a", "b"), ("a", "e"), ("a", "b", "c"), ("a", "b", "d")]
    assert find_skill([deep], ("a", "b")).leaves() == [("b", "c"), ("b", "d")]
    with pytest.raises(ValueError, match="unknown part of a / b 'cc'; did you mean 'c'"):
        find_skill([deep], ("a", "b", "cc"))
    with pytest.raises(ValueError, match="two skills are called 'x'"):
        Skill("a", (Skill("x"), Skill("x")))


def test_unknown_settings_are_refused() -> None:
    with pytest.raises(TypeError, match="expected a NumbersSettings"):
        Numbers({"validation_per_skill": 3})
    with pytest.raises(ValueError, match="test_per_skill is 0"):
        HeldOut(test_per_skill=0)
