"""What a decision costs each teacher, early and late: ``python -m tests.benchmarks.teacher_cost``.

Each teaches a made-up student on a box of two parameters (or two skills, or a tree of two), which takes no time itself.
Times are processor time of ``act`` and ``update`` together, over the first and the last tenth of the decisions. Means
include rare work such as fits and updates of networks. ``--output docs/studies/teachers/cost.json`` stores the last
means, which the documentation shows.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from gymnasium.spaces import flatten

from teachgym.agents import TEACHERS, teacher_class
from teachgym.base.named_settings import NamedSettings
from teachgym.core.feedback import Feedback, Transition
from teachgym.core.task_space import TaskSpace
from teachgym.testing.made_up import made_up_antagonist, made_up_specs, made_up_trace

NOT_MEASURED = ("manual", "policy", "rule", "language-model")
"""Those that need a file, rules or an endpoint."""
STRETCH = 2_000


def stretches(teacher_spec: str, decisions: int) -> list[np.ndarray]:
    """Seconds of every decision, in stretches."""
    named = NamedSettings.parse(teacher_spec)
    found = teacher_class(named.name)
    settings = found.Settings(**named.settings)
    required = found.requirements(settings)
    spec = made_up_specs(required)[1]
    teacher = found(spec, settings, seed=0)
    rng = np.random.default_rng(0)
    observation = spec.observation_space.sample()
    seconds = np.zeros(decisions)
    for decision in range(decisions):
        started = time.thread_time()
        action = teacher.act(observation)
        seconds[decision] = time.thread_time() - started
        probe = spec.has_probes and bool(action["probe"])
        space = spec.action_space["decision"] if spec.has_probes else spec.action_space  # type: ignore[index]
        task = np.asarray(flatten(space, action["decision"] if spec.has_probes else action))
        place = float(np.mean(spec.task_space.normalise(task))) if isinstance(space, TaskSpace) else 0.5
        outcome = 350.0 - 500.0 * abs(place - 0.5 * decision / decisions) + rng.normal(0.0, 20.0)
        trace, antagonist = made_up_trace(spec.offers, outcome, rng), made_up_antagonist(spec.offers, outcome, rng)
        feedback = Feedback(task, outcome, outcome > 230.0, 100, decision, probe, trace, antagonist)
        transition = Transition(observation, action, outcome, observation, False, feedback)
        started = time.thread_time()
        teacher.update(transition)
        seconds[decision] += time.thread_time() - started
    return [seconds[start : start + STRETCH] for start in range(STRETCH, decisions - STRETCH + 1, STRETCH)]


def main() -> None:
    """Print a line per teacher."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decisions", type=int, default=100_000)
    parser.add_argument(
        "--teachers", nargs="+", default=[name for name, entry in TEACHERS.items() if not entry.requires]
    )
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    costs = {}
    print(f"{'teacher':24} {'first: mean':>12} {'median':>9} {'last: mean':>12} {'median':>9}   microseconds")  # noqa: T201
    for name in arguments.teachers:
        timed = [1e6 * stretch for stretch in stretches(name, arguments.decisions)]
        tenth = max(1, len(timed) // 10)
        first, last = np.concatenate(timed[:tenth]), np.concatenate(timed[-tenth:])
        print(  # noqa: T201
            f"{name:24} {first.mean():12.0f} {np.median(first):9.0f} {last.mean():12.0f} {np.median(last):9.0f}",
            flush=True,
        )
        costs[name] = round(last.mean())
    if arguments.output:
        arguments.output.write_text(json.dumps(costs, indent=2) + "\n")


if __name__ == "__main__":
    main()
