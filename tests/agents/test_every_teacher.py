"""Every teacher of the table, in an environment that gives it what it needs."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from teachgym import Transition
from teachgym.agents import TEACHERS, teacher_class
from teachgym.agents.handmade.manual import Manual, ManualSettings
from teachgym.agents.handmade.oracle import Oracle, OracleSettings
from teachgym.base.named_settings import NamedSettings
from teachgym.core.needs import NOTHING, Needs
from teachgym.core.spec import TeachingSpec
from teachgym.core.teacher import Teacher
from teachgym.data.spaces import Shares
from teachgym.data.tree_plan import TreePlans
from teachgym.study.cells.environment import make_pair
from teachgym.study.settings import Cell
from teachgym.testing import check_teacher
from teachgym.testing.made_up import made_up_specs

ENV = "Hypercubes,cubes_per_dimension=3,budget=200"
DATA = "subject=tests.data.toy:Numbers,student=simulated,rounds=120,budget=20000"
OTHER_ENVS = {Shares: f"SkillList,{DATA}", TreePlans: f"SkillTree,{DATA}"}
OF_RULES = "SelfDistillation,budget=200"
LOADED = ("policy", "language-model")
"""Teachers that are made from a trained one, or ask one; they have tests of their own."""
QUICK = {
    "alp-gmm": "alp-gmm,fit_every=30,components_max=3",
    "covar-gmm": "covar-gmm,fit_every=30,components_max=3",
    "riac": "riac,max_region_size=12",
    "stages": "stages,window=10",
    "adr": "adr,queue_length=3",
    "spdl": "spdl,update_every_episodes=20,first_update_steps=20,alpha_zero_updates=0",
    "sprl": "sprl,update_every=50,solver_iterations=20",
    "currot": "currot,particles=20,update_every=50,candidates=10",
    "goal-gan": "goal-gan,train_every=20,iterations=5,pretrain_iterations=5,batch_size=8,generator_hidden=[8]",
    "setter-solver": "setter-solver,train_every=30,hidden=4,judge_hidden=[8],blocks=1,depth=1",
    "plr": "plr,capacity=8",
    "robust-plr": "robust-plr,capacity=8,least_filled=0.25",
    "accel": "accel,capacity=8,least_filled=0.25,replay_batch=4",
    "sfl": "sfl,levels_probed=4,episodes_per_level=2,levels_kept=2,refresh_every=10",
    "paired": "paired,tasks_per_update=16,epochs=1,hidden=[8]",
    "minimax": "minimax,tasks_per_update=16,epochs=1,hidden=[8]",
    "success-progress": "success-progress,update_every=7",
    "uniform-tree": "uniform-tree,examples=20",
    "balance-weak": "balance-weak,examples=20",
    "threshold": "threshold,first_new=1,new=1,each=1,more=1",
    "alternating": "alternating,each=1",
    "fill-balanced": "fill-balanced,target=30,cap=1",
    "random-explore-exploit": "random-explore-exploit,most=1",
}
"""Settings with which everything that a teacher does happens within 200 episodes."""
MANUAL = [[0.1, 0.2], {"task": [0.3, 0.4], "count": 3}]


def oracle(spec: TeachingSpec, *, seed: int) -> Teacher:
    steps = (0.1,) * spec.task_space.dimensions
    return Oracle(spec, OracleSettings(move_every=7, threshold=-100.0, steps=steps), seed=seed)


def spec(name: str, folder: Path) -> str:
    if name == "manual":
        path = folder / "schedule.json"
        path.write_text(str(MANUAL).replace("'", '"'))
        return f"manual,path={path}"
    return QUICK.get(name, name)


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


NAMES = [name for name in TEACHERS if name not in LOADED]


@pytest.mark.parametrize("name", NAMES)
def test_it_keeps_the_contract(name: str, tmp_path: Path) -> None:
    found, settings = teacher_class(name), dict(NamedSettings.parse(spec(name, tmp_path)).settings)

    if name == "oracle":  # settings depend on the spec
        check_teacher(oracle, episodes=70)
    elif name == "manual":  # and a file, too
        for made_up in made_up_specs():
            path = tmp_path / "tasks.json"
            path.write_text(json.dumps([made_up.task_space.low.tolist(), made_up.task_space.high.tolist()]))
            check_teacher(Manual, settings=ManualSettings(str(path), "cycle"), episodes=70, specs=[made_up])
    else:
        chosen = found.Settings(**settings)
        offers = Needs.EASY_TASKS if name == "annealing" else NOTHING
        check_teacher(found, settings=chosen, offers=offers, episodes=70)


def test_one_seed_makes_one_run_also_in_another_process(tmp_path: Path) -> None:
    specs = [spec(name, tmp_path) for name in NAMES]
    code = "import sys; from tests.agents.test_every_teacher import play; print(*map(play, sys.argv[1:]))"
    root = Path(__file__).parent.parent.parent
    done = subprocess.run([sys.executable, "-c", code, *specs], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [play(teacher) for teacher in specs]
