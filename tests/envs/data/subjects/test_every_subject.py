"""Every task of the table that makes its own examples keeps the contract, and can be taught in every environment."""

import gymnasium
import pytest

from teachgym.envs.data.subjects import DATA_TASKS, data_task_class, make_data_task
from teachgym.testing import check_data_task

READ = ("math-benchmark", "gqa", "naturalbench", "livecodebench", "mnms")
"""Tasks that are read from files; they have tests of their own."""
MADE = [name for name in DATA_TASKS if name not in READ]


@pytest.mark.parametrize("name", MADE)
def test_it_keeps_the_contract(name: str) -> None:
    check_data_task(lambda: make_data_task(name))


@pytest.mark.parametrize("name", MADE)
def test_its_own_student_can_be_taught_it_by_a_list_and_a_tree(name: str) -> None:
    for env, action in (("SkillList", "discrete"), ("SkillTree", "menu")):
        made = gymnasium.make(f"teachgym/{env}-v0", disable_env_checker=True, task=name, action=action, budget=40)
        made.action_space.seed(0)
        made.reset(seed=0)
        for _ in range(2):
            _, reward, _, _, info = made.step(made.action_space.sample())
        assert -1 <= float(reward) <= 1
        assert set(info["skill_accuracy"]) == set(data_task_class(name)().skill_names)


def test_names_are_looked_up_with_a_suggestion() -> None:
    with pytest.raises(ValueError, match="unknown task 'tooluse'; did you mean 'tool-use'"):
        make_data_task("tooluse")
    with pytest.raises(ValueError, match=r"expected a subclass of teachgym.data.task.DataTask"):
        make_data_task("teachgym.envs.simulated.hypercubes:HypercubesEnv")
