"""Train a teacher by reinforcement learning, over many lifetimes of students."""

import inspect
import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from matplotlib.figure import Figure
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from teachgym import __version__
from teachgym.agents.learned.trained_policy import (
    POLICY,
    TrainedPolicy,
    algorithm_class,
    check_observation_space,
    network_action_space,
    policy_arguments,
    policy_name,
    policy_setting_names,
)
from teachgym.base.checksums import MANIFEST, write_manifest
from teachgym.base.files import write_arrays, write_json
from teachgym.base.named_settings import NamedSettings
from teachgym.base.registry import environment_id, unknown_name
from teachgym.core.needs import NOTHING
from teachgym.core.task_space import FloatArray
from teachgym.core.teacher_env import TeacherEnv
from teachgym.plots.figure_style import COLOURS, house_style, legible, save_figure, set_step_axis
from teachgym.students.lifetimes.global_state import one_thread, preserved
from teachgym.study.cells.lock import alone_in
from teachgym.study.executors.workers import check_workers_can_start
from teachgym.study.teacher_vec_env import TeacherVecEnv
from teachgym.study.train_settings import TrainSettings

TRAIN_SETTINGS = "train.json"
CURVE = "curve.npz"
FIGURE = "curve.png"
RECENT_LIFETIMES = 100
_LEAST_ROLLOUT = 128
_OURS = {"self", "policy", "env", "policy_kwargs", "seed", "device", "verbose", "tensorboard_log", "stats_window_size"}
_NOT_PLAIN = re.compile(r".*_class|.*_kwargs|use_sde.*|sde_.*|_.*|optimize_memory_usage|args|kwargs")


@dataclass(frozen=True)
class TrainProgress:
    """How far a training is."""

    share: float
    """Of all that was asked for, from 0 to 1."""
    steps: int
    """Teaching decisions made."""
    lifetimes: int
    """Students taught to the end."""
    mean_return: float
    """Mean over the last 100 lifetimes of the sum of rewards; NaN before the first is over."""


@dataclass(frozen=True, eq=False)
class Training:
    """A training that is over."""

    folder: Path
    """Holds the policy, the settings and the curve."""
    steps: int
    """Teaching decisions made."""
    returns: FloatArray
    """``(lifetimes,)`` sums of rewards."""
    finished_at: FloatArray
    """``(lifetimes,)`` decisions made when each ended."""
    seconds: float
    """Time it took."""
    interrupted: bool
    """Whether Ctrl-C ended it."""


def train_teacher(
    settings: TrainSettings, *, overwrite: bool = False, report: Callable[[TrainProgress], None] | None = None
) -> Training:
    """Train a teacher, and store it for the teacher ``policy``.

    On one CPU thread; the same settings give the same policy, bit for bit. Global generators are afterwards as
    before. The students' seeds are drawn from the training's, among 2^31, so that students with small seeds, as
    ``teachgym compare`` takes them, are new to the teacher. Ctrl-C ends the training, and keeps what was learnt.

    Args:
        settings: What to train, in what, for how long.
        overwrite: Whether to replace a teacher that is in the folder already.
        report: Is told how far it is, after every decision.

    Raises:
        ValueError: If a setting is not allowed, the folder holds a teacher already, or another process trains one in
            it; nothing has been run then.
        ImportError: If the algorithm needs a package that is not installed.
        RuntimeError: If worker processes can't be started, or a script without a main guard calls it in one of them.
    """
    check_workers_can_start()
    folder = settings.folder
    _check_free(folder, overwrite=overwrite)
    started = time.perf_counter()
    with preserved(), one_thread(), ExitStack() as held:
        worlds, total = _make_worlds(settings)
        try:
            model = _make_model(settings, worlds)
            folder.mkdir(parents=True, exist_ok=True)
            held.enter_context(alone_in(folder, patience=0.0))
            _check_free(folder, overwrite=overwrite)  # another process may have trained one meanwhile
            watch = _Watch(worlds, settings.lifetimes, total, report)
            interrupted = False
            try:
                model.learn(total, callback=watch, log_interval=total)
            except KeyboardInterrupt:
                interrupted = True
        finally:
            worlds.close()
        algorithm = NamedSettings.parse(settings.algorithm).name
        policy = TrainedPolicy.of(model, env=str(NamedSettings.parse(settings.env)), algorithm=algorithm)
        returns, finished_at = np.array(worlds.returns), np.array(worlds.finished_at, dtype=np.float64)
        seconds = time.perf_counter() - started
        training = Training(folder, model.num_timesteps, returns, finished_at, seconds, interrupted)
        _store(settings, training, policy)
    return training


def _check_free(folder: Path, *, overwrite: bool) -> None:
    if (folder / POLICY).exists() and not overwrite:
        raise ValueError(f"{folder} holds a teacher already; give --overwrite or another --name")


def _make_worlds(settings: TrainSettings) -> tuple[TeacherVecEnv, int]:
    """The students' environments, and the most decisions that can be asked for."""
    named = NamedSettings.parse(settings.env)
    name, arguments = environment_id(named.name), {**named.settings, "disable_env_checker": True}
    seeds = np.random.SeedSequence([settings.seed, 1]).generate_state(settings.slots)
    try:
        one = gymnasium.make(name, **arguments)
        unwrapped: Any = one.unwrapped
        if not isinstance(unwrapped, TeacherEnv):
            raise ValueError(f"environment {settings.env!r} is no teacher environment; see `teachgym list`")
        budget = unwrapped.budget
        check_observation_space(one.observation_space)
        network_action_space(one.action_space)
        one.close()
        vector = _make_vector(name, settings.slots, arguments)
    except (TypeError, ImportError, gymnasium.error.Error) as error:
        raise ValueError(f"environment {settings.env!r} can't be made: {error}") from error
    steps = settings.steps or 200_000
    total = steps if settings.lifetimes is None else (settings.lifetimes + settings.slots) * budget
    return TeacherVecEnv(vector, seeds=[int(seed) for seed in seeds]), total


def _make_vector(name: str, size: int, arguments: dict[str, Any]) -> gymnasium.vector.VectorEnv[Any, Any, Any]:
    mode = AutoresetMode.SAME_STEP
    if gymnasium.spec(name.rpartition(":")[2]).vector_entry_point is None:
        vector = gymnasium.make_vec(name, size, "sync", {"autoreset_mode": mode}, **arguments)
        assert isinstance(vector, gymnasium.vector.SyncVectorEnv)
        for env in vector.envs:
            assert isinstance(env.unwrapped, TeacherEnv)
            env.unwrapped.lifetime.traces = NOTHING  # a network sees observations only
        return vector
    own = {key: value for key, value in arguments.items() if key != "disable_env_checker"}
    return gymnasium.make_vec(name, size, "vector_entry_point", autoreset_mode=mode, **own)


def _make_model(settings: TrainSettings, worlds: TeacherVecEnv) -> BaseAlgorithm:
    named = NamedSettings.parse(settings.algorithm)
    made: Any = algorithm_class(named.name)
    parameters = inspect.signature(made).parameters
    known = {name for name in parameters if name not in _OURS and not _NOT_PLAIN.fullmatch(name)}
    network = policy_setting_names(made)
    for name in named.settings:
        if name not in known | network:
            raise unknown_name(f"setting of algorithm {named.name!r}", name, known | network)
    own: dict[str, Any] = {name: value for name, value in named.settings.items() if name in known}
    policy = policy_arguments({name: value for name, value in named.settings.items() if name in network - known})
    if isinstance(own.get("train_freq"), list):
        own["train_freq"] = tuple(own["train_freq"])
    if "action_noise" in known:  # without any, deterministic algorithms do not explore
        deviation = float(own.get("action_noise", 0.1 if named.name in ("ddpg", "td3") else 0.0))
        shape = worlds.action_space.shape or ()
        own["action_noise"] = NormalActionNoise(np.zeros(shape), np.full(shape, deviation)) if deviation else None
    if "n_steps" in known and "train_freq" not in known and "n_steps" not in own:
        # The algorithm's default is shared among the slots, unless that leaves few.
        default = parameters["n_steps"].default
        own["n_steps"] = min(default, max(default // settings.slots, _LEAST_ROLLOUT))
    gamma = float(own.get("gamma", parameters["gamma"].default))
    env: VecEnv = VecNormalize(worlds, norm_obs=False, gamma=gamma) if settings.normalise_rewards else worlds
    seed = int(np.random.SeedSequence([settings.seed, 0]).generate_state(1)[0])
    try:
        model: BaseAlgorithm = made(
            policy_name(made), env, seed=seed, device="cpu", policy_kwargs=policy or None, **own
        )
    except (AssertionError, TypeError, ValueError) as error:
        raise ValueError(f"algorithm {settings.algorithm!r} can't be made for {settings.env!r}: {error}") from error
    model.set_logger(Logger(folder=None, output_formats=[]))
    return model


class _Watch(BaseCallback):
    """Tells how far the training is, and ends it after enough lifetimes."""

    def __init__(
        self,
        worlds: TeacherVecEnv,
        lifetimes: int | None,
        total: int,
        report: Callable[[TrainProgress], None] | None,
    ) -> None:
        super().__init__()
        self._worlds, self._lifetimes, self._total, self._report = worlds, lifetimes, total, report

    def _on_step(self) -> bool:
        returns = self._worlds.returns
        done = self.num_timesteps / self._total if self._lifetimes is None else len(returns) / self._lifetimes
        if self._report is not None:
            recent = returns[-RECENT_LIFETIMES:]
            mean = sum(recent) / len(recent) if recent else float("nan")
            self._report(TrainProgress(min(done, 1.0), self.num_timesteps, len(returns), mean))
        return self._lifetimes is None or len(returns) < self._lifetimes


def _store(settings: TrainSettings, training: Training, policy: TrainedPolicy) -> None:
    """Write everything, and the manifest last: with it the folder is whole."""
    entries = {**asdict(settings), "runs": str(settings.runs)}
    result = {
        "steps": training.steps,
        "lifetimes": len(training.returns),
        "seconds": training.seconds,
        "interrupted": training.interrupted,
    }
    (training.folder / MANIFEST).unlink(missing_ok=True)
    write_json(training.folder / TRAIN_SETTINGS, {"teachgym": __version__, "settings": entries, "result": result})
    write_arrays(training.folder / CURVE, {"returns": training.returns, "finished_at": training.finished_at})
    save_figure(_curve_figure(training, title=f"{settings.algorithm} in {settings.env}"), training.folder / FIGURE)
    policy.save(training.folder)
    write_manifest(training.folder, (TRAIN_SETTINGS, CURVE, FIGURE, POLICY))


def _curve_figure(training: Training, *, title: str) -> Figure:
    """Return of a lifetime against decisions, averaged over the last 100."""
    with house_style():
        figure = Figure(figsize=(6, 3.5), layout="constrained")
        axes = figure.subplots()
        count = min(RECENT_LIFETIMES, len(training.returns))
        if count:
            means = np.convolve(training.returns, np.full(count, 1 / count), mode="valid")
            axes.plot(training.finished_at[count - 1 :], means, color=COLOURS[0])
        set_step_axis(axes, training.steps)
        axes.set_xlabel("teaching decisions")
        axes.set_ylabel(f"return, mean of {count} lifetimes")
        axes.set_title(legible(title), wrap=True)
    return figure
