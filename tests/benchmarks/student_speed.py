"""Student steps per second, end to end, and where the time goes: world, student, teacher.

Run by hand, on an idle machine: ``python -m tests.benchmarks.student_speed``. One torch thread.
"""

import sys
import time

import gymnasium
import torch

import teachgym

RUNS = (("ppo", "random", 60_000), ("ppo", "alp-gmm", 60_000), ("sac", "alp-gmm", 20_000))


def measure(student: str, teacher: str, steps: int) -> str:
    """Teach one student, and describe the cost in a line."""
    env = gymnasium.make("teachgym/StumpTracks-v0", student=student, student_steps=steps).unwrapped
    started = time.perf_counter()
    record = teachgym.teach(env, teachgym.make_teacher(teacher, env, seed=0), seed=0)
    seconds = time.perf_counter() - started
    world, taught = env.world_seconds / seconds, record.teacher_seconds / seconds  # type: ignore[attr-defined]
    return (
        f"{student:<8}{teacher:<10}{steps / seconds:>9,.0f} steps/s {len(record.feedback):>6} episodes   "
        f"world {world:6.1%}   student {1 - world - taught:6.1%}   teacher {taught:7.3%}"
    )


def main() -> None:
    """Measure every pair of student and teacher."""
    torch.set_num_threads(1)
    for student, teacher, steps in RUNS:
        sys.stdout.write(measure(student, teacher, steps) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
