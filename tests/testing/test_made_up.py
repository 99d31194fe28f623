"""Made-up specs of data are such as environments have, and the contract check takes those that a teacher needs."""

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from teachgym.agents.allocation.uniform import Uniform
from teachgym.agents.tree_rules.threshold import Threshold
from teachgym.core.feedback import Transition
from teachgym.core.needs import Needs
from teachgym.core.requirements import Requirements
from teachgym.core.spaces import ProbeSpace
from teachgym.core.teacher import Choice, Note, Teacher
from teachgym.data.observation import SkillRows, TreeField
from teachgym.data.spaces import Orders, Shares
from teachgym.data.tree_plan import TreePlans
from teachgym.testing import check_teacher
from teachgym.testing.made_up import made_up_specs, shares_problems, tree_problems


def test_what_is_acted_on_decides_on_the_kind_of_action() -> None:
    for spec in made_up_specs(Requirements((Shares,), needs=Needs.SUCCESS)):
        assert spec.action_space == Shares(len(spec.skills))
        assert spec.observation_space == SkillRows(len(spec.skills))
        assert spec.offers == Needs.SUCCESS
    kinds: tuple[type[Any], ...] = (TreePlans, ProbeSpace, spaces.Discrete)
    for kind in kinds:
        assert {type(spec.action_space) for spec in made_up_specs(Requirements((kind,)))} == {kind}
    assert [spec.decisions.shape for spec in made_up_specs()] == [(1,), (2,), (30,), ()]
    assert all(not spec.skills for spec in made_up_specs())
    with pytest.raises(ValueError, match=r"for a teacher that acts on Orders and reads Text; give specs="):
        made_up_specs(Requirements((Orders,), spaces.Text))


@pytest.mark.parametrize("number", range(2))
def test_made_up_trees_are_trees(number: int) -> None:
    space: Any = tree_problems()[number].observation_space
    space.seed(3)
    drawn = np.array([space.sample() for _ in range(200)])
    assert all(space.contains(one) for one in drawn)
    whole, parts = drawn[:, :, 0], drawn[:, :, 1:]
    for field in (TreeField.ALLOCATION, TreeField.MADE):
        np.testing.assert_array_equal(whole[..., field], parts[..., field].sum(axis=2))
    active = parts[..., TreeField.ACTIVE]
    assert (np.diff(active, axis=2) <= 0).all()  # slots are filled from the first
    assert not parts[active == 0].any()
    assert not parts[..., TreeField.TRAINED_ACCURACY][parts[..., TreeField.TESTED] == 0].any()
    complete = whole[..., TreeField.COMPLETE]
    np.testing.assert_array_equal(complete, active.all(axis=2))
    assert 0 < complete.mean() < 1
    assert (active.sum(axis=2) == 0).any()


def test_samples_are_fixed_by_the_seed() -> None:
    first, second = (tree_problems()[1].observation_space for _ in range(2))
    first.seed(5)
    second.seed(5)
    np.testing.assert_array_equal(first.sample(), second.sample())


def test_teachers_of_both_kinds_are_checked_without_a_word_about_problems() -> None:
    check_teacher(Uniform, episodes=20)
    check_teacher(Threshold, episodes=20)


class _Half(Teacher):
    """Gives everyone a half."""

    acts_on = (Shares,)

    def _act(self, observation: Any) -> Choice:
        return Choice(np.full(self.spec.action_space.shape or (), 0.5, dtype=np.float32))

    def _update(self, transition: Transition, note: Note | None) -> None: ...


class _Greedy(Teacher):
    """Orders more than there is."""

    acts_on = (TreePlans,)

    def _act(self, observation: Any) -> Choice:
        space: Any = self.spec.action_space
        return Choice({name: space[name].sample() + (name == "each") * 201 for name in space})

    def _update(self, transition: Transition, note: Note | None) -> None: ...


def test_shares_that_do_not_sum_to_1_are_caught() -> None:
    assert len(shares_problems()[0].skills) == 2  # where two halves are right
    with pytest.raises(AssertionError, match=r"Shares\(7\).*not in the action space"):
        check_teacher(_Half, episodes=20)


def test_plans_beyond_the_budget_are_caught() -> None:
    with pytest.raises(AssertionError, match="not in the action space"):
        check_teacher(_Greedy, episodes=20)
