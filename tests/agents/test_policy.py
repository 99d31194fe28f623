from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces

from teachgym.agents import make_teacher
from teachgym.agents.learned.policy import PolicySettings, PolicyTeacher
from teachgym.agents.learned.trained_policy import (
    POLICY,
    TrainedPolicy,
    algorithm_class,
    network_action_space,
    to_action,
)
from teachgym.base.files import write_state
from teachgym.core.feedback import Transition
from teachgym.core.loop import teach
from teachgym.core.spec import TeachingSpec
from teachgym.envs.simulated.hypercubes import HypercubesEnv
from teachgym.envs.simulated.skills_env import SimulatedSkillsEnv
from teachgym.envs.simulated.tasks_env import SimulatedTasksEnv
from teachgym.study.train_settings import TrainSettings
from teachgym.study.train_teacher import train_teacher
from teachgym.testing import check_teacher

SKILLS = SimulatedSkillsEnv(budget=20)
TASKS = SimulatedTasksEnv(budget=20)


def train(folder: Path, env: str, algorithm: str) -> str:
    settings = TrainSettings(env, algorithm, steps=64, slots=2, name="teacher", runs=folder)
    return str(train_teacher(settings).folder)


@pytest.fixture(scope="module")
def skills(tmp_path_factory: pytest.TempPathFactory) -> str:
    return train(tmp_path_factory.mktemp("skills"), "SimulatedSkills,budget=20", "ppo,n_steps=32")


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> str:
    return train(tmp_path_factory.mktemp("tasks"), "SimulatedTasks,budget=20", "ppo,n_steps=32")


@pytest.fixture(scope="module")
def recurrent(tmp_path_factory: pytest.TempPathFactory) -> str:
    algorithm = "recurrent-ppo,n_steps=32,lstm_hidden_size=8"
    return train(tmp_path_factory.mktemp("recurrent"), "SimulatedTasks,budget=20", algorithm)


def box_problem(low: list[float], high: list[float]) -> TeachingSpec:
    space = spaces.Box(np.array(low), np.array(high), dtype=np.float64)
    return TeachingSpec(space, TASKS.observation_space, (0.0, 1.0), 0.75)


@pytest.mark.parametrize("deterministic", [True, False])
def test_it_keeps_the_contract_with_skills(skills: str, deterministic: bool) -> None:
    settings = PolicySettings(skills, deterministic)
    check_teacher(PolicyTeacher, settings=settings, episodes=30, specs=[SKILLS.teaching_spec])


@pytest.mark.parametrize("deterministic", [True, False])
def test_it_keeps_the_contract_with_tasks_and_probes(tasks: str, deterministic: bool) -> None:
    specs = [TASKS.teaching_spec, SimulatedTasksEnv(probes="counted").teaching_spec, box_problem([-5, 2], [5, 3])]
    check_teacher(PolicyTeacher, settings=PolicySettings(tasks, deterministic), episodes=30, specs=specs)
    probing = PolicyTeacher(specs[1], PolicySettings(tasks, deterministic), seed=0)
    assert not any(probing.act(seen)["probe"] for seen in np.zeros((5, 9), dtype=np.float32))


@pytest.mark.parametrize("deterministic", [True, False])
def test_it_keeps_the_contract_with_a_memory(recurrent: str, deterministic: bool) -> None:
    check_teacher(
        PolicyTeacher, settings=PolicySettings(recurrent, deterministic), episodes=30, specs=[TASKS.teaching_spec]
    )


def test_a_box_of_other_bounds_is_matched_bound_to_bound(tasks: str) -> None:
    settings = PolicySettings(tasks, deterministic=True)
    unit = PolicyTeacher(TASKS.teaching_spec, settings, seed=0)
    other = PolicyTeacher(box_problem([-5, 2], [5, 3]), settings, seed=0)
    rng = np.random.default_rng(0)
    for _ in range(20):
        seen = rng.random(9, dtype=np.float32)
        first, second = unit.act(seen), other.act(seen)
        assert second == pytest.approx([-5 + 10 * first[0], 2 + first[1]])
    assert len({tuple(unit.act(rng.random(9, dtype=np.float32))) for _ in range(5)}) == 5


def test_the_ends_of_a_networks_range_are_the_bounds() -> None:
    space = spaces.Box(np.array([-5.0, 0.1]), np.array([5.0, 0.3]), dtype=np.float64)
    assert to_action(np.array([[-1, -1], [1, 1], [0, 0]]), space).tolist() == [[-5, 0.1], [5, 0.3], [0, 0.2]]
    assert to_action(np.array([0, 2]), spaces.Discrete(3, start=4)).tolist() == [4, 6]


def test_a_policy_of_simulated_tasks_teaches_in_hypercubes(tasks: str) -> None:
    env = HypercubesEnv(budget=30)
    record = teach(env, make_teacher(PolicyTeacher, env, seed=0, path=tasks), seed=0)
    assert record.origins == ["policy"] * 30


def test_draws_scatter_about_the_mean_and_the_most_likely_skill_is_drawn_most(tasks: str, skills: str) -> None:
    seen = np.full(9, 0.5, dtype=np.float32)
    mean = PolicyTeacher(TASKS.teaching_spec, PolicySettings(tasks, deterministic=True), seed=0).act(seen)
    drawing = PolicyTeacher(TASKS.teaching_spec, PolicySettings(tasks), seed=0)
    draws = np.array([drawing.act(seen) for _ in range(300)])
    inside = draws[((draws > 0) & (draws < 1)).all(axis=1)]
    assert len(inside) > 75
    assert np.median(draws, axis=0) == pytest.approx(mean, abs=0.12)
    seen = np.full(25, 0.5, dtype=np.float32)
    likely = PolicyTeacher(SKILLS.teaching_spec, PolicySettings(skills, deterministic=True), seed=0).act(seen)
    chooser = PolicyTeacher(SKILLS.teaching_spec, PolicySettings(skills), seed=0)
    counts = np.bincount([chooser.act(seen) for _ in range(800)], minlength=8)
    assert counts[likely] >= counts.max() - 40
    assert (counts > 0).all()


def test_drawing_depends_on_the_seed_and_not_on_torchs_global_generator(skills: str) -> None:
    def run(seed: int) -> list[int]:
        teacher = PolicyTeacher(SKILLS.teaching_spec, PolicySettings(skills), seed=seed)
        return [int(teacher.act(np.full(25, 0.5, dtype=np.float32))) for _ in range(30)]

    torch.manual_seed(1)
    first = run(0)
    torch.manual_seed(2)
    assert run(0) == first
    assert run(1) != first


def test_the_memory_matters_and_a_new_student_starts_without_one(recurrent: str) -> None:
    teacher = PolicyTeacher(TASKS.teaching_spec, PolicySettings(recurrent, deterministic=True), seed=0)
    rng = np.random.default_rng(0)
    seen = rng.random((6, 9), dtype=np.float32)

    def lifetime() -> list[list[float]]:
        actions = []
        for step, observation in enumerate(seen):
            actions.append(teacher.act(observation).tolist())
            teacher.update(Transition(observation, None, 0.0, observation, step == 5, None))
        return actions

    first = lifetime()
    assert lifetime() == first
    assert teacher.act(seen[0]).tolist() == first[0]
    assert teacher.act(seen[0]).tolist() != first[0]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            SKILLS.teaching_spec,
            r"trained in SimulatedTasks,budget=20 on observations of shape \(9,\); .* shape \(25,\)",
        ),
        (
            TeachingSpec(spaces.Discrete(3), TASKS.observation_space, (0.0, 1.0), 0.5),
            r"to choose a box of shape \(2,\); an action of this environment is one of 3",
        ),
        (
            TeachingSpec(spaces.Box(0.0, 1.0, (3,)), TASKS.observation_space, (0.0, 1.0), 0.5),
            r"a box of shape \(2,\); an action of this environment is a box of shape \(3,\)",
        ),
        (
            TeachingSpec(spaces.MultiBinary(3), TASKS.observation_space, (0.0, 1.0), 0.5),
            "it acts on Discrete or Box or ProbeSpace, and the action space is MultiBinary",
        ),
        (
            TeachingSpec(TASKS.action_space, spaces.Discrete(2), (0.0, 1.0), 0.5),
            "it reads Box, and the observation space is Discrete",
        ),
    ],
)
def test_an_environment_that_does_not_fit_is_refused(tasks: str, spec: TeachingSpec, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PolicyTeacher(spec, PolicySettings(tasks), seed=0)


def test_a_path_is_needed_and_has_to_hold_a_policy(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="path is ''; expected the folder of a teacher that `teachgym train`"):
        PolicyTeacher(TASKS.teaching_spec, seed=0)
    with pytest.raises(ValueError, match=r"has no policy\.npz"):
        PolicyTeacher(TASKS.teaching_spec, PolicySettings(str(tmp_path)), seed=0)
    (tmp_path / POLICY).write_bytes(b"not a policy")
    with pytest.raises(ValueError, match="may be damaged"):
        PolicyTeacher(TASKS.teaching_spec, PolicySettings(str(tmp_path)), seed=0)
    write_state(tmp_path / POLICY, {"weights": {}})
    with pytest.raises(ValueError, match="holds no trained policy of this version"):
        PolicyTeacher(TASKS.teaching_spec, PolicySettings(str(tmp_path)), seed=0)
    with pytest.raises(ValueError, match="deterministic is 1; expected true or false"):
        PolicySettings(deterministic=1)  # type: ignore[arg-type]


def test_weights_that_do_not_fit_are_refused(tasks: str, tmp_path: Path) -> None:
    stored = TrainedPolicy.load(Path(tasks))
    broken: dict[str, Any] = {**vars(stored), "settings": {"net_arch": [5]}}
    TrainedPolicy(**broken).save(tmp_path)
    with pytest.raises(ValueError, match="does not fit its own settings"):
        PolicyTeacher(TASKS.teaching_spec, PolicySettings(str(tmp_path)), seed=0)


def test_unknown_algorithms_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="unknown algorithm 'pppo'; did you mean 'ppo'"):
        algorithm_class("pppo")
    monkeypatch.setitem(__import__("sys").modules, "sb3_contrib", None)
    with pytest.raises(ImportError, match=r"'tqc' needs sb3-contrib; pip install 'teachgym\[contrib\]'"):
        algorithm_class("tqc")


@pytest.mark.parametrize("space", [spaces.Box(-np.inf, np.inf, (2,)), spaces.Box(0, 3, (2,), dtype=np.int64)])
def test_boxes_without_bounds_or_of_whole_numbers_are_refused(space: spaces.Box) -> None:
    with pytest.raises(ValueError, match="a box of numbers with finite bounds"):
        network_action_space(space)
