"""Student steps per CPU second, end to end, and where the time goes: world, student, teacher.

Run by hand, on an idle machine: ``python -m tests.benchmarks.student_speed``. One torch thread; every pair of student
and teacher three times, in turn, and the median of each.
"""

import sys
import time
from statistics import median

import gymnasium
import torch

import teachgym
from teachgym.base.named_settings import NamedSettings
from teachgym.students import make_student

FIRST_PPO = (
    "ppo,slots=16,rollout_steps=256,batch_size=512,epochs=10,learning_rate=3e-4,desired_kl=None,discount=0.999,"
    "gae_lambda=0.95,log_std_final=None,discount_final=None,averaging=0.0"
)
"""The settings before they were searched."""
RUNS = (
    ("PPO", "ppo", "random", 200_000),
    ("first PPO", FIRST_PPO, "random", 100_000),
    ("PPO", "ppo", "alp-gmm", 200_000),
    ("SAC", "sac", "alp-gmm", 20_000),
)
ROUNDS = 3


def measure(student: str, teacher: str, steps: int) -> tuple[float, float, float]:
    """Teach one student: its steps per CPU second, and the shares of world and teacher in the time."""
    named = NamedSettings.parse(student)
    learner = make_student(named.name, **named.settings)
    env = gymnasium.make("teachgym/StumpTracks-v0", student=learner, budget=steps).unwrapped
    started, busy = time.perf_counter(), time.process_time()
    record = teachgym.teach(env, teachgym.make_teacher(teacher, env, seed=0), seed=0)
    seconds, busy = time.perf_counter() - started, time.process_time() - busy
    return steps / busy, env.lifetime.world_seconds / seconds, record.teacher_seconds / seconds  # type: ignore[attr-defined]


def main() -> None:
    """Measure every pair of student and teacher."""
    torch.set_num_threads(1)
    rounds = [[measure(*run[1:]) for run in RUNS] for _ in range(ROUNDS)]
    for number, (name, _, teacher, _) in enumerate(RUNS):
        speed, world, taught = (median(one[number][column] for one in rounds) for column in range(3))
        sys.stdout.write(
            f"{name:<12}{teacher:<10}{speed:>9,.0f} steps per CPU second   world {world:6.1%}   "
            f"student {1 - world - taught:6.1%}   teacher {taught:7.3%}\n"
        )


if __name__ == "__main__":
    main()
