"""Every teacher of the table, in an environment that gives it what it needs."""

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from teachgym import Transition
from teachgym.agents import TEACHERS, teacher_class
from teachgym.base.named_settings import NamedSettings
from teachgym.core.needs import Needs
from teachgym.core.spec import TeachingSpec
from teachgym.core.teacher import Teacher
from teachgym.data.spaces import Shares
from teachgym.data.tree_plan import TreePlans
from teachgym.study.cells.environment import make_pair
from teachgym.study.settings import Cell
from teachgym.testing import check_teacher
from teachgym.testing.made_up import discrete_specs, made_up_specs

ENV = "Hypercubes,cubes_per_dimension=3,budget=200"
DATA = "subject=tests.data.toy:Numbers,student=simulated,rounds=120,budget=20000"
OTHER_ENVS = {Shares: f"SkillList,{DATA}", TreePlans: f"SkillTree,{DATA}"}
OF_RULES = "SelfDistillation,budget=200"
MANUAL = [[0.1, 0.2], {"task": [0.3, 0.4], "count": 3}]


NAMES = [name for name, entry in TEACHERS.items() if not entry.requires or name == "manual"]
"""Teachers that can be made here. One that requires a trained policy or a language model has tests of its own."""


def spec(name: str, folder: Path) -> str:
    """The teacher with its quick settings; where it requires a file, that is written into the folder."""
    if name == "manual":
        path = folder / "schedule.json"
        path.write_text(str(MANUAL).replace("'", '"'))
        return f"manual,path={path}"
    return f"{name},{TEACHERS[name].quick}"


def make(teacher: str) -> tuple[Any, Teacher]:
    found = teacher_class(NamedSettings.parse(teacher).name)
    plain = OF_RULES if Needs.RULES in found.needs else ENV
    name = next((data for kind, data in OTHER_ENVS.items() if kind in found.acts_on), plain)
    return make_pair(Cell(name, teacher, None, 3, None, 1))


def play(teacher: str) -> str:
    """A fingerprint of all actions and outcomes."""
    env, acting = make(teacher)
    seen = hashlib.sha256()
    observation, _ = env.reset(seed=3)
    over = False
    while not over:
        action = acting.act(observation)
        following, reward, over, _, info = env.step(action)
        acting.update(Transition(observation, action, reward, following, over, info["feedback"]))
        for number in (*(action.values() if isinstance(action, dict) else [action]), reward):
            seen.update(np.asarray(number, dtype=np.float64).tobytes())
        observation = following
    return seen.hexdigest()


def can_be_made(teacher: type[Teacher], settings: Any, spec: TeachingSpec) -> bool:
    try:
        teacher(spec, settings, seed=0)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("name", [name for name, entry in TEACHERS.items() if not entry.requires])
def test_it_keeps_the_contract(name: str) -> None:
    found = teacher_class(name)
    settings = found.Settings(**TEACHERS[name].quick_settings)
    required = found.requirements(settings)
    made_up = [*made_up_specs(required), *discrete_specs(required.needs)[-1:]]
    specs = [spec for spec in made_up if can_be_made(found, settings, spec)]
    assert specs
    check_teacher(found, settings=settings, specs=specs, episodes=70)


def test_one_seed_makes_one_run_also_in_another_process(tmp_path: Path) -> None:
    specs = [spec(name, tmp_path) for name in NAMES]
    code = "import sys; from tests.agents.test_every_teacher import play; print(*map(play, sys.argv[1:]))"
    root = Path(__file__).parent.parent.parent
    done = subprocess.run([sys.executable, "-c", code, *specs], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [play(teacher) for teacher in specs]
