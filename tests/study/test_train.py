import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.vector import SyncVectorEnv
from numpy.typing import NDArray
from PIL import Image
from stable_baselines3 import PPO

from teachgym.agents import make_teacher
from teachgym.agents.learned.policy import PolicySettings, PolicyTeacher
from teachgym.agents.learned.trained_policy import ALGORITHMS, TrainedPolicy
from teachgym.base.files import read_arrays
from teachgym.base.named_settings import NamedSettings
from teachgym.cli import main
from teachgym.core.loop import teach
from teachgym.envs.simulated.skills_env import SimulatedSkillsEnv, make_skills
from teachgym.envs.simulated.tasks_env import make_tasks
from teachgym.study.cells.lock import alone_in
from teachgym.study.teacher_vec_env import TeacherVecEnv
from teachgym.study.train_settings import TrainSettings
from teachgym.study.train_teacher import TrainProgress, train_teacher
from tests.study import toy_study

OFF_POLICY = "learning_starts=20,batch_size=16,buffer_size=500,net_arch=[16]"
SKILLS, TASKS = "SimulatedSkills,budget=20", "SimulatedTasks,budget=20"
QUICK = {
    "a2c": (SKILLS, "a2c"),
    "crossq": (TASKS, f"crossq,{OFF_POLICY}"),
    "ddpg": (TASKS, f"ddpg,{OFF_POLICY}"),
    "dqn": (SKILLS, f"dqn,{OFF_POLICY}"),
    "ppo": (TASKS, "ppo,n_steps=16,batch_size=32,net_arch=[16],activation_fn=relu"),
    "qrdqn": (SKILLS, f"qrdqn,{OFF_POLICY},n_quantiles=20"),
    "recurrent-ppo": (SKILLS, "recurrent-ppo,n_steps=16,batch_size=32,lstm_hidden_size=8"),
    "sac": (TASKS, f"sac,{OFF_POLICY}"),
    "td3": (TASKS, f'td3,{OFF_POLICY},train_freq=[2,"step"]'),
    "tqc": (TASKS, f"tqc,{OFF_POLICY}"),
    "trpo": (SKILLS, "trpo,n_steps=16,batch_size=32"),
}


def settings(
    folder: Path, env: str = SKILLS, algorithm: str = "ppo,n_steps=16,batch_size=32", **others: Any
) -> TrainSettings:
    return TrainSettings(env, algorithm, runs=folder, name="teacher", **{"slots": 2, **others})


def weights(folder: Path) -> dict[str, NDArray[Any]]:
    return TrainedPolicy.load(folder / "teacher").weights


def test_every_algorithm_is_tried_here() -> None:
    assert set(QUICK) == set(ALGORITHMS)


@pytest.mark.parametrize("name", sorted(QUICK))
def test_every_algorithm_trains_alike_twice_and_gives_a_teacher(name: str, tmp_path: Path) -> None:
    env, algorithm = QUICK[name]
    for folder in ("a", "b"):
        random.random(), np.random.random(), torch.rand(1)  # noqa: NPY002
        train_teacher(settings(tmp_path / folder, env, algorithm, steps=64))
    first, second = weights(tmp_path / "a"), weights(tmp_path / "b")
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[key], second[key]) for key in first)
    named = NamedSettings.parse(env)
    made: Any = gymnasium.make(f"teachgym/{named.name}-v0", **named.settings)
    record = teach(made, make_teacher(PolicyTeacher, made, seed=0, path=str(tmp_path / "a" / "teacher")), seed=0)
    assert len(record.feedback) == 20


def test_another_seed_trains_another_teacher_and_longer_training_changes_it(tmp_path: Path) -> None:
    kinds: dict[str, dict[str, Any]] = {"a": {"steps": 32}, "b": {"steps": 32, "seed": 1}, "c": {"steps": 64}}
    for folder, kind in kinds.items():
        train_teacher(settings(tmp_path / folder, **kind))
    found = [weights(tmp_path / folder)["action_net.weight"] for folder in kinds]
    assert not np.array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])


def test_what_is_stored_acts_as_the_model_does(tmp_path: Path) -> None:
    vector = TeacherVecEnv(make_tasks(2, autoreset_mode="SameStep", budget=20), seeds=[0, 1])
    model = PPO("MlpPolicy", vector, n_steps=16, batch_size=32, seed=0, device="cpu")
    model.learn(64)
    TrainedPolicy.of(model, env="SimulatedTasks", algorithm="ppo").save(tmp_path)
    env = gymnasium.make("teachgym/SimulatedTasks-v0")
    teacher = make_teacher(PolicyTeacher, env, seed=0, settings=PolicySettings(str(tmp_path), deterministic=True))
    for seen in np.random.default_rng(0).random((20, 9), dtype=np.float32):
        expected, _ = model.predict(seen, deterministic=True)
        assert teacher.act(seen) == pytest.approx((expected + 1) / 2, abs=1e-6)


@pytest.mark.learned
def test_training_teaches_a_teacher_to_teach(tmp_path: Path) -> None:
    env = "SimulatedSkills,budget=10,skills=4,structure=independent,targets=[2],rate=0.1,reward=gain"
    trained = train_teacher(
        settings(tmp_path, env, "ppo,n_steps=32,batch_size=64,learning_rate=0.003", steps=8_000, slots=8)
    )
    first, last = trained.returns[:16].mean(), trained.returns[-100:].mean()
    best = 0.95 * (1 - 0.9**10)  # ten lessons on the one skill that counts; random ones get a quarter of the lessons
    assert first < 0.5 * best
    assert last > 0.85 * best


def test_global_generators_and_threads_are_left_as_they_were(tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # type: ignore[index]  # noqa: NPY002
    train_teacher(settings(tmp_path, steps=32))
    after = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # type: ignore[index]  # noqa: NPY002
    assert before == after
    assert torch.get_num_threads() == threads


def test_lifetimes_end_the_training(tmp_path: Path) -> None:
    trained = train_teacher(settings(tmp_path, lifetimes=6))
    assert len(trained.returns) == 6
    assert trained.steps == 6 * 20


def test_a_policy_that_is_damaged_or_of_another_training_is_named(tmp_path: Path) -> None:
    for seed in (0, 1):
        train_teacher(settings(tmp_path / str(seed), steps=32, seed=seed))
    path = tmp_path / "0" / "teacher" / "policy.npz"
    content, other = path.read_bytes(), (tmp_path / "1" / "teacher" / "policy.npz").read_bytes()
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    for changed in (flipped, content[:middle], b"", other):
        path.write_bytes(changed)
        with pytest.raises(ValueError, match=r"policy\.npz is not as it was written"):
            weights(tmp_path / "0")
    path.unlink()
    with pytest.raises(ValueError, match=r"has no policy\.npz"):
        weights(tmp_path / "0")
    path.write_bytes(content)
    assert weights(tmp_path / "0")


def test_two_trainings_of_one_folder_are_not_run_at_once(tmp_path: Path) -> None:
    (tmp_path / "teacher").mkdir()
    with alone_in(tmp_path / "teacher", patience=0.0), pytest.raises(ValueError, match=r"worked in by process \d+ on"):
        train_teacher(settings(tmp_path, steps=32))


def test_the_folder_holds_settings_curve_and_policy(tmp_path: Path) -> None:
    seen: list[TrainProgress] = []
    trained = train_teacher(settings(tmp_path, steps=120), report=seen.append)
    folder = tmp_path / "teacher"
    assert {path.name for path in folder.iterdir()} == {
        "train.json",
        "curve.npz",
        "curve.png",
        "policy.npz",
        "manifest.json",
        "lock",
    }
    stored = json.loads((folder / "train.json").read_text())
    assert stored["settings"]["env"] == SKILLS
    assert stored["result"] | {"seconds": 0} == {"steps": 128, "lifetimes": 6, "seconds": 0, "interrupted": False}
    curve = read_arrays(folder / "curve.npz")
    assert np.array_equal(curve["returns"], trained.returns)
    assert curve["finished_at"].tolist() == [40, 40, 80, 80, 120, 120]
    with Image.open(folder / "curve.png") as picture:
        assert picture.width > 300
    assert (seen[-1].share, seen[-1].steps, seen[-1].lifetimes) == (1.0, 128, 6)
    assert seen[-1].mean_return == pytest.approx(trained.returns.mean())
    assert seen[0].steps == 2


def test_the_returns_of_the_curve_are_those_of_the_lifetimes(tmp_path: Path) -> None:
    trained = train_teacher(settings(tmp_path, f"{SKILLS},reward=outcome", steps=64))
    assert ((trained.returns > 0) & (trained.returns < 20)).all()
    vector = TeacherVecEnv(make_skills(2, autoreset_mode="SameStep", budget=3), seeds=[3, 9])
    vector.reset()
    for _ in range(3):
        vector.step(np.array([0, 1]))
    for seed, skill, found in zip((3, 9), (0, 1), vector.returns, strict=True):
        env = SimulatedSkillsEnv(budget=3)
        env.reset(seed=seed)
        assert sum(env.step(skill)[1] for _ in range(3)) == pytest.approx(found)


@pytest.mark.parametrize("own_vector", [True, False])
def test_a_vector_of_teachers_is_what_stable_baselines_expects(own_vector: bool) -> None:
    def make() -> Any:
        return gymnasium.make("teachgym/SimulatedTasks-v0", budget=2)

    mode = gymnasium.vector.AutoresetMode.SAME_STEP
    env: Any = (
        make_tasks(2, autoreset_mode=mode, budget=2) if own_vector else SyncVectorEnv([make] * 2, autoreset_mode=mode)
    )
    vector = TeacherVecEnv(env, seeds=[4, 5])
    alone = make()
    first, _ = alone.reset(seed=4)
    assert np.array_equal(vector.reset()[0], first)
    assert vector.action_space == gymnasium.spaces.Box(-1.0, 1.0, (2,), dtype=np.float32)
    for action in ([-1.0, 0.5], [0.0, 1.0]):
        seen: Any
        seen, rewards, dones, infos = vector.step(np.array([action, action]))
        expected, reward, over, _, _ = alone.step((np.array(action) + 1) / 2)
        assert rewards[0] == np.float32(reward)
        assert dones[0] == over
    assert np.array_equal(infos[0]["terminal_observation"], expected)
    assert not np.array_equal(seen[0], expected)
    assert infos[0]["TimeLimit.truncated"] is False
    vector.close()


def test_a_vector_in_another_mode_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected AutoresetMode\.SAME_STEP"):
        TeacherVecEnv(make_skills(2), seeds=[0, 1])


def test_environments_without_a_vector_of_their_own_will_do(tmp_path: Path) -> None:
    trained = train_teacher(settings(tmp_path, "Hypercubes,budget=10,reward=gain", steps=64))
    assert len(trained.returns) == 6


def test_students_that_are_programs_do_not_disturb_the_training(
    tmp_path: Path,
) -> None:
    students = {
        "a": (f"{toy_study.ENV},student={toy_study.QUICK},budget=100", "ppo,n_steps=16,batch_size=32"),
        "b": (
            f'{toy_study.ENV},student=ppo,student_settings={{"slots":1,"rollout_steps":32,"batch_size":16}},budget=64',
            "ppo,n_steps=8,batch_size=8",
        ),
    }
    for folder, (env, algorithm) in students.items():
        for run in ("1", "2"):
            trained = train_teacher(settings(tmp_path / folder / run, env, algorithm, steps=40))
            assert len(trained.returns) > 0
        first, second = (weights(tmp_path / folder / run) for run in ("1", "2"))
        assert all(np.array_equal(first[key], second[key]) for key in first)


def test_students_of_training_are_not_those_of_small_seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []
    original = TeacherVecEnv.__init__

    def spy(self: Any, env: Any, *, seeds: Any) -> None:
        given.extend(seeds)
        original(self, env, seeds=seeds)

    monkeypatch.setattr(TeacherVecEnv, "__init__", spy)
    train_teacher(settings(tmp_path, steps=32, slots=8))
    assert len(set(given)) == 8
    assert min(given) > 1000


def test_an_interrupted_training_keeps_what_was_learnt(tmp_path: Path) -> None:
    def stop(progress: TrainProgress) -> None:
        if progress.steps >= 70:
            raise KeyboardInterrupt

    trained = train_teacher(settings(tmp_path, steps=10_000), report=stop)
    assert trained.interrupted
    assert trained.steps == 70
    assert json.loads((tmp_path / "teacher" / "train.json").read_text())["result"]["interrupted"] is True
    assert weights(tmp_path)


def test_a_teacher_is_only_replaced_on_request(tmp_path: Path) -> None:
    train_teacher(settings(tmp_path, steps=32))
    before = weights(tmp_path)["action_net.weight"]
    with pytest.raises(ValueError, match="holds a teacher already; give --overwrite or another --name"):
        train_teacher(settings(tmp_path, steps=32, seed=1))
    assert np.array_equal(weights(tmp_path)["action_net.weight"], before)
    train_teacher(settings(tmp_path, steps=32, seed=1), overwrite=True)
    assert not np.array_equal(weights(tmp_path)["action_net.weight"], before)


@pytest.mark.parametrize(
    ("env", "algorithm", "message"),
    [
        ("SimulatedSkils", "ppo", "unknown environment 'SimulatedSkils'; did you mean"),
        ("SimulatedSkills,skils=2", "ppo", "unknown setting of SimulatedSkills 'skils'"),
        ("CartPole-v1", "ppo", "'CartPole-v1' is no teacher environment"),
        (SKILLS, "pppo", "unknown algorithm 'pppo'"),
        (SKILLS, "ppo,gama=1", "unknown setting of algorithm 'ppo' 'gama'; did you mean 'gamma'"),
        (SKILLS, "ppo,policy_kwargs=1", "unknown setting of algorithm 'ppo' 'policy_kwargs'"),
        (SKILLS, "ppo,activation_fn=rellu", "unknown activation 'rellu'; did you mean 'relu'"),
        (SKILLS, "sac", "algorithm 'sac' can't be made for 'SimulatedSkills,budget=20': The algorithm only supports"),
        (TASKS, "dqn", "The algorithm only supports"),
        ("SimulatedTasks,probes=counted", "ppo", "turn probes off"),
    ],
)
def test_what_can_not_be_trained_is_refused_before_anything_runs(
    env: str, algorithm: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        train_teacher(settings(tmp_path, env, algorithm, steps=100))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"lifetimes": 0}, "lifetimes is 0"),
        ({"steps": 1, "lifetimes": 1}, "steps and lifetimes are both set; give one of them"),
        ({"slots": 0}, "slots is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"name": "a/b"}, "name is 'a/b'"),
    ],
)
def test_settings_that_are_not_allowed_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TrainSettings(**arguments)


def test_the_folder_is_named_by_what_is_trained() -> None:
    found = TrainSettings("SimulatedSkills,skills=3", "ppo,net_arch=[8,8]", seed=2).folder
    assert found == Path("runs/SimulatedSkills_skills=3-ppo_net_arch=_8_8_-seed-2")


def test_the_command_trains_and_tells_how_to_go_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["train", "--env", SKILLS, "--algorithm", "ppo,n_steps=16,batch_size=32", "--steps", "100"]
    arguments += ["--slots", "2", "--runs", str(tmp_path), "--name", "teacher"]
    assert main(arguments) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "128 decisions, 6 lifetimes" in printed
    assert f"policy,path={tmp_path / 'teacher'}" in printed
    assert main(arguments) == 2
    assert "give --overwrite" in capsys.readouterr().err


def test_the_command_line_starts_without_torch() -> None:
    code = "import sys, teachgym.cli; assert not {'torch', 'matplotlib', 'stable_baselines3'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
