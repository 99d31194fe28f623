"""Every subject of the table that makes its own examples keeps the contract, and can be taught in every environment."""

import gymnasium
import pytest

from teachgym.envs.data.subjects import SUBJECTS, make_subject, subject_class
from teachgym.testing import check_subject

READ = ("math-benchmark", "gqa", "naturalbench", "livecodebench", "mnms")
"""Tasks that are read from files; they have tests of their own."""
MADE = [name for name in SUBJECTS if name not in READ]


@pytest.mark.parametrize("name", MADE)
def test_it_keeps_the_contract(name: str) -> None:
    check_subject(lambda: make_subject(name))


@pytest.mark.parametrize("name", MADE)
def test_its_own_student_can_be_taught_it_by_a_list_and_a_tree(name: str) -> None:
    for env, action in (("SkillList", "discrete"), ("SkillTree", "menu")):
        made = gymnasium.make(f"teachgym/{env}-v0", disable_env_checker=True, subject=name, action=action, budget=40)
        made.action_space.seed(0)
        made.reset(seed=0)
        for _ in range(2):
            _, reward, _, _, info = made.step(made.action_space.sample())
        assert -1 <= float(reward) <= 1
        assert set(info["skill_accuracy"]) == set(subject_class(name)().skill_names)


def test_names_are_looked_up_with_a_suggestion() -> None:
    with pytest.raises(ValueError, match="unknown subject 'tooluse'; did you mean 'tool-use'"):
        make_subject("tooluse")
    with pytest.raises(ValueError, match=r"expected a subclass of teachgym.data.subject.Subject"):
        make_subject("teachgym.envs.simulated.hypercubes:HypercubesEnv")
