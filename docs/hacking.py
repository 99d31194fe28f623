"""Draw ``docs/hacking.png``: what is seen and what counts, in distillation from a wrong teacher.

``python docs/hacking.py`` takes some seconds.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from teachgym.core.task_space import FloatArray
from teachgym.envs.problems.proxy_distillation.env import HackingStudent, ProxyDistillationEnv
from teachgym.plots.figure_style import COLOURS, house_style, save_figure

PICTURE = Path(__file__).parent / "hacking.png"
KINDS = {
    "fresh prompts": "fresh",
    "same prompts, answered anew": "online-teacher",
    "offline": "offline",
    "offline, 12 prompts": "low-diversity",
}
SEEDS = 5


def curves(rule: str) -> tuple[FloatArray, FloatArray]:
    """``(epochs + 1,)`` each: the golden and the proxy distance, means over students."""
    golden, proxy = [], []
    for seed in range(SEEDS):
        env = ProxyDistillationEnv()
        observation, info = env.reset(seed=seed)
        found, over = [info["truth"]["golden"]], False
        while not over:
            observation, _, over, _, info = env.step(env.teaching_spec.rules[rule](observation))
            found.append(info["truth"]["golden"])
        student = env.learner
        assert isinstance(student, HackingStudent)
        golden.append(found)
        proxy.append(student.proxies)
    return np.mean(golden, axis=0), np.mean(proxy, axis=0)


def picture() -> Figure:
    """The whole picture."""
    with house_style():
        figure = Figure(layout="constrained", figsize=(11.0, 4.2))
        counts, seen = figure.subplots(1, 2)
        for (name, rule), colour in zip(KINDS.items(), COLOURS, strict=False):
            golden, proxy = curves(rule)
            counts.plot(golden, color=colour, label=name)
            least = int(golden.argmin())
            counts.plot(least, golden[least], "o", color=colour)
            seen.plot(proxy, color=colour)
        counts.set_ylabel("distance to the truth (nats)")
        counts.set_title("What counts falls and rises")
        seen.set_ylabel("distance to the teacher (nats)")
        seen.set_title("What is seen keeps falling")
        seen.set_yscale("log")
        for axes in (counts, seen):
            axes.set_xlabel("epochs of distillation")
            axes.grid(True)
        figure.legend(loc="outside lower center", ncols=4, title=f"means over {SEEDS} students; dots: the least")
    return figure


if __name__ == "__main__":
    save_figure(picture(), PICTURE)
