"""Every subject keeps the contract, and one that makes its own examples can be taught in every environment."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import pytest

from teachgym.envs.data.subjects import SUBJECTS, make_subject, subject_class
from teachgym.testing import check_subject
from tests.envs.data.subjects import test_gqa, test_live_code_bench, test_math_benchmark, test_mnms, test_natural_bench

FILES: dict[str, Callable[[Path], dict[str, str]]] = {
    "math-benchmark": test_math_benchmark.write_files,
    "gqa": test_gqa.write_files,
    "naturalbench": test_natural_bench.write_files,
    "livecodebench": test_live_code_bench.write_files,
    "mnms": test_mnms.write_files,
}
"""What writes the files that a subject requires, and gives the settings that name them."""
CHECKED_BY: dict[str, dict[str, bool]] = {"naturalbench": {"exact": False}, "livecodebench": {"targets": False}}
"""The scorer of the one takes the first word that is an answer; the solutions of the other are not published."""


@pytest.mark.parametrize("name", SUBJECTS)
def test_it_keeps_the_contract(name: str, tmp_path: Path) -> None:
    entry = SUBJECTS[name]
    settings: dict[str, Any] = {**entry.quick_settings, **(FILES[name](tmp_path) if entry.requires else {})}
    check_subject(lambda: make_subject(name, **settings), generates=not entry.requires, **CHECKED_BY.get(name, {}))


@pytest.mark.parametrize("name", [name for name, entry in SUBJECTS.items() if not entry.requires])
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
