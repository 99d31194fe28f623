"""Search settings of the PPO student: ``python -m tests.benchmarks.student_search --trials 40``, once for each core.

Every trial teaches several students on random tracks and is worth the mean of its worse half of seeds, since a setting
that leaves some students standing is of no use. A trial whose first students are behind those of the others ends there.
The trials are in a file, so that several processes share a search and a later one goes on with it. Seeds below 100 are
for tuning; reports take others.
"""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import gymnasium
import numpy as np
import optuna
import torch
import tyro
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

import teachgym
from teachgym.core.loop import Progress
from teachgym.envs.tasks.task_teaching_env import TaskTeachingEnv
from teachgym.students.rl.ppo import PPOSettings, PPOStudent

EASY = {"max_stump_height": 0.5, "min_stump_spacing": 2.0}


@dataclass(frozen=True)
class Arguments:
    """What is searched."""

    trials: int = 40
    """Settings that this process tries."""
    tracks: Literal["easy", "all"] = "all"
    """Stump tracks up to half a unit high, or the paper's."""
    spent: int = 3_000_000
    """Budget of a student."""
    tests: int = 6
    """How often a student is tested, evenly over its budget."""
    seeds: tuple[int, ...] = (40, 41, 42, 43)
    """Students of a trial."""
    storage: Path = Path("runs/search/student.log")
    """Where the trials are kept."""


def settings_of(trial: optuna.trial.BaseTrial) -> PPOSettings:
    """What a trial tries."""
    return PPOSettings(
        rollout_steps=trial.suggest_categorical("rollout_steps", [64, 128, 256]),
        batch_size=trial.suggest_categorical("batch_size", [512, 1024, 2048]),
        epochs=trial.suggest_int("epochs", 3, 8),
        desired_kl=trial.suggest_float("desired_kl", 0.003, 0.03, log=True),
        discount=1.0 - trial.suggest_float("1 - discount", 0.003, 0.02, log=True),
        gae_lambda=trial.suggest_float("gae_lambda", 0.9, 0.98),
        log_std_init=trial.suggest_float("log_std_init", -0.5, 0.2),
        log_std_final=trial.suggest_float("log_std_final", -2.5, -1.0),
        discount_final=1.0 - trial.suggest_float("1 - discount_final", 0.001, 0.01, log=True),
        schedule_share=trial.suggest_float("schedule_share", 0.3, 1.0),
        hidden=(trial.suggest_categorical("hidden", [64, 128]),) * 2,
    )


def test_returns(settings: PPOSettings, arguments: Arguments, seed: int) -> list[tuple[float, float]]:
    """Mean return and percent mastered at each test of one student."""
    track: dict[str, Any] = EASY if arguments.tracks == "easy" else {}
    made = gymnasium.make("teachgym/StumpTracks-v0", student=PPOStudent(settings), budget=arguments.spent, **track)
    env = made.unwrapped
    assert isinstance(env, TaskTeachingEnv)
    curve: list[tuple[float, float]] = []

    def test(progress: Progress) -> None:
        due = (len(curve) + 1) * arguments.spent / arguments.tests
        if progress.spent >= due or progress.over:
            evaluation = env.evaluate()
            curve.append((evaluation.mean_return, evaluation.mastered))

    teachgym.teach(env, teachgym.make_teacher("random", env, seed=seed), seed=seed, on_step=test)
    return curve


def worse_half(values: list[float]) -> float:
    """Mean of the lower half; of an odd number, the middle one is in it."""
    return float(np.mean(sorted(values)[: (len(values) + 1) // 2]))


def search(study: optuna.Study, arguments: Arguments) -> None:
    """Try settings."""

    def value(trial: optuna.Trial) -> float:
        settings = settings_of(trial)
        ends: list[float] = []
        for number, seed in enumerate(arguments.seeds):
            curve = test_returns(settings, arguments, seed)
            trial.set_user_attr(f"seed {seed}", curve)
            ends.append(curve[-1][0])
            trial.report(worse_half(ends), number)
            if trial.should_prune():
                raise optuna.TrialPruned
        return worse_half(ends)

    study.optimize(value, n_trials=arguments.trials)


def main(arguments: Arguments) -> None:
    """Search, and print what is best so far."""
    torch.set_num_threads(1)
    arguments.storage.parent.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        study_name=arguments.tracks,
        storage=JournalStorage(JournalFileBackend(str(arguments.storage))),
        direction="maximize",
        load_if_exists=True,
        pruner=optuna.pruners.PercentilePruner(50.0, n_startup_trials=5),
    )
    search(study, arguments)
    sys.stdout.write(f"{study.best_value:.1f}  {asdict(settings_of(optuna.trial.FixedTrial(study.best_params)))}\n")


if __name__ == "__main__":
    main(tyro.cli(Arguments))
