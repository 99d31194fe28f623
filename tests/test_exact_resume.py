"""A run that is stored and taken up by fresh objects goes on as if nothing had happened, bit for bit."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from teachgym.base.files import read_state, write_state
from teachgym.core.loop import Teaching
from teachgym.study.cells.environment import make_pair
from teachgym.study.settings import Cell
from tests.agents.test_every_teacher import NAMES, spec

SMALL_PPO = "ppo,slots=3,rollout_steps=40,batch_size=30,epochs=2,hidden=[8]"
PPO = f"{SMALL_PPO},desired_kl=None,log_std_final=None,discount_final=None,averaging=0.0"
SAC = "sac,hidden=[16],batch_size=20,random_steps=60,buffer_size=150"
EASY = "StumpTracks,max_stump_height=0.2"
REACH, QUICK = "tests.study.toy_study:tests/ReachTaskTeaching-v0", "tests.study.toy_study:QuickStudent"
DATA = "budget=600,rounds=12,student=simulated"
SLOW = ("setter-solver", "goal-gan")
"""Teachers that take their time to learn, and are moved less often."""
WHERE = (
    "SimulatedTasks,budget=200",
    "SimulatedSkills,budget=150",
    f"SkillList,subject=digits,{DATA}",
    f"SkillTree,subject=digits,{DATA}",
    "SelfDistillation,budget=100",
)


def cell(env: str, teacher: str, student: str | None = None, *, steps: int | None = None, seed: int = 3) -> Cell:
    return Cell(env=env, teacher=teacher, student=student, seed=seed, budget=steps, evaluations=1)


class Run:
    """One run, which may move from one set of objects to the next."""

    def __init__(self, settings: Cell, folder: Path) -> None:
        self.settings, self.folder, self.moves, self.captured = settings, folder, 0, 0
        self._make()
        self.teaching.begin(settings.seed)

    def _make(self) -> None:
        self.env, self.teacher = make_pair(self.settings)
        self.env.lifetime.keep_files(self.folder / "data")
        self.teaching = Teaching(self.env, self.teacher)

    def move(self) -> None:
        """Go on in other objects, with the global generators elsewhere, from a file."""
        path = self.folder / "state.npz"
        state = self.teaching.state_dict()
        lifetime = state["environment"].get("lifetime", {})
        students = lifetime.get("inner", lifetime).get("students", [])
        self.captured += any(student["captured"] is not None for student in students)
        write_state(path, state)
        self.env.close()
        self._make()
        self.teaching.load_state_dict(read_state(path))
        self.moves += 1

    def play(self, *, stop_every: int | None = None, capture: bool = True) -> dict[str, Any]:
        """To the end, moved after every so many decisions; all that came of it."""
        since = 0
        while not self.teaching.over:
            if stop_every is not None and since >= stop_every and not self.env.lifetime.capturing:
                self.move()
                since = 0
            if stop_every is not None and capture and since == stop_every // 2:
                self.env.lifetime.capture_soon()
            self.teaching.step()
            since += 1
        record = self.teaching.record.state_dict()
        del record["teacher_seconds"]
        return {"record": record, "teacher": self.teacher.state_dict(), "student": self.env.lifetime.student_state()}


def assert_equal(left: Any, right: Any, place: str = "") -> None:
    assert type(left) is type(right), place
    if isinstance(left, dict):
        assert left.keys() == right.keys(), place
        for key in left:
            assert_equal(left[key], right[key], f"{place}/{key}")
    elif isinstance(left, list):
        assert len(left) == len(right), place
        for number, (one, other) in enumerate(zip(left, right, strict=True)):
            assert_equal(one, other, f"{place}/{number}")
    elif isinstance(left, np.ndarray):
        assert left.dtype == right.dtype, place
        assert left.tobytes() == right.tobytes(), place
    else:
        assert left == right or (left != left and right != right), f"{place}: {left} and {right}"


def check(settings: Cell, folder: Path, *, stop_every: int, capture: bool = True) -> Run:
    whole = Run(settings, folder / "whole").play()
    interrupted = Run(settings, folder / "interrupted")
    assert_equal(interrupted.play(stop_every=stop_every, capture=capture), whole)
    assert interrupted.moves
    return interrupted


CHALLENGE = (
    "Challenge,env=StumpTracks,challenge=forgetting-student,student=ppo,"
    'student_settings={"slots":2,"rollout_steps":40,"batch_size":20}'
)


@pytest.mark.parametrize("capture", [True, False])
@pytest.mark.parametrize(
    ("env", "student", "steps"),
    [
        (EASY, PPO, 900),
        (EASY, SMALL_PPO, 900),
        (EASY, SAC, 1200),
        (EASY, SAC + ",slots=3,steps_per_update=4", 1000),
        ("StumpTracks,engine=reference,max_stump_height=0.2", PPO, 900),
        (f"{EASY},probes=counted", PPO, 4000),
        (f"{EASY},antagonist=true", PPO, 1500),
        (CHALLENGE, None, 900),
        (f"{REACH},probes=counted", QUICK, 200),
    ],
)
def test_students_in_worlds(env: str, student: str | None, steps: int, capture: bool, tmp_path: Path) -> None:
    teacher = (
        "accel,capacity=6,replay_batch=2"
        if "probes" in env
        else "paired"
        if "antagonist" in env
        else "alp-gmm,fit_every=5"
    )
    if student == QUICK:
        teacher = "sfl"
    interrupted = check(cell(env, teacher, student, steps=steps), tmp_path, stop_every=2, capture=capture)
    assert interrupted.moves >= 2
    can_be_captured = capture and student != QUICK
    assert interrupted.captured if can_be_captured else not interrupted.captured


@pytest.mark.parametrize(
    "env",
    [
        "Hypercubes,budget=60,forgetting=0.01",
        "SimulatedSkills,budget=60",
        "SimulatedTasks,budget=60",
        "Challenge,env=Hypercubes,budget=60,challenge=forgetting-student",
        "Challenge,env=Hypercubes,budget=60,challenge=mostly-unfeasible",
    ],
)
@pytest.mark.parametrize("reward", ["outcome", "learning-progress", "gain"])
def test_simulated_students(env: str, reward: str, tmp_path: Path) -> None:
    check(cell(f"{env},reward={reward}", "bandit" if "Skills" in env else "riac"), tmp_path, stop_every=7)


@pytest.mark.parametrize("name", NAMES)
def test_every_teacher(name: str, tmp_path: Path) -> None:
    teacher = spec(name, tmp_path)
    tried = []
    for env in WHERE:
        try:
            make_pair(cell(env, teacher))
        except ValueError as error:
            tried.append(str(error))
            continue
        every = 1 if "budget" in env else 67 if name in SLOW else 11
        check(cell(env, teacher), tmp_path / str(len(tried)), stop_every=every)
        return
    raise AssertionError(f"{name} can be made nowhere: {tried}")


@pytest.mark.parametrize(
    ("env", "teacher", "student"),
    [
        ("SkillList,subject=digits,budget=120,rounds=5", "weak-first", "mlp"),
        ("SkillList,subject=digits,budget=120,rounds=5,regime=retrain", "bandit,rule=exp3", "logistic-regression"),
        ("SkillTree,subject=tool-use,budget=60,rounds=4,updates=8", "uniform-tree", "transformer,layers=1,width=18"),
        ("SkillList,subject=vqa,budget=60,rounds=4,updates=8", "gain-first", "cnn"),
        ("OpenEnded,subject=digits,budget=120,rounds=5", "random", "mlp"),
    ],
)
def test_students_that_learn_from_data(env: str, teacher: str, student: str, tmp_path: Path) -> None:
    check(cell(env, teacher, student), tmp_path, stop_every=1)


def test_a_student_that_comes_elsewhere_is_found_out(tmp_path: Path) -> None:
    run = Run(cell(EASY, "random", SAC, steps=2500), tmp_path)
    for _ in range(3):
        run.teaching.step()
    state = run.teaching.state_dict()
    state["environment"]["seed"] += 1
    fresh = Run(cell(EASY, "random", SAC, steps=2500), tmp_path)
    with pytest.raises(ValueError, match="came to step"):
        fresh.teaching.load_state_dict(state)
