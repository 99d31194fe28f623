"""Distillation from an imperfect teacher: what is seen improves while what counts gets worse."""

import copy
from collections.abc import Mapping
from functools import partial
from typing import Any, Literal, NamedTuple, final

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch.nn import functional

from teachgym.base.ranges import PositiveInt
from teachgym.base.settings import checked_arguments
from teachgym.core.seeding import Seeds
from teachgym.core.task_space import FloatArray, Parameter, TaskSpace
from teachgym.envs.problems.control_env import ControlEnv, ControlReward
from teachgym.envs.problems.control_rules import Always
from teachgym.envs.problems.controlled_student import ControlledStudent, Fixed
from teachgym.envs.problems.proxy_distillation.bigram_models import (
    RATE,
    OracleModel,
    Sequences,
    divergence,
    draw_prompts,
    fit,
    generate,
    make_model,
)

DataSource = Literal["offline", "teacher", "student"]
SOURCES: tuple[DataSource, ...] = ("offline", "teacher", "student")
SEQUENCES = 60
"""Of an epoch."""
SPLITS = (12, 20, 30, 60)
"""How many prompts the sequences of an epoch may have."""
STOPS_FROM = 0.9
"""Of the control ``stop``: so that a teacher that knows nothing of it does not stop at once."""
ORACLE_SEQUENCES, TEACHER_EPOCHS, STUDENT_EPOCHS = 150, 150, 60
"""Sequences of the oracle that teacher and student are first fitted to, and for how long: the teacher too long."""
TEACHER_HIDDEN, STUDENT_HIDDEN = 128, 32
_TEST_PROMPTS, _BATCHES, _WINDOW = 200, 8, 6
DEPARTED = -1.0
"""The rule ``paper`` stops when log proxy falls faster than this by log epoch: it has left the power law of before,
whose slope is from -0.3 to -0.9 here. The threshold is ours."""


class Controls(NamedTuple):
    """Decoded controls."""

    source: DataSource
    fresh: bool
    prompts: int
    stop: bool

    @classmethod
    def read(cls, controls: FloatArray) -> "Controls":
        """From numbers from 0 to 1."""
        source, fresh, diversity, stop = controls.tolist()
        split = SPLITS[min(int(diversity * len(SPLITS)), len(SPLITS) - 1)]
        return cls(SOURCES[min(int(source * 3), 2)], fresh >= 0.5, split, stop >= STOPS_FROM)

    def written(self) -> list[float]:
        """Numbers that are read as these."""
        places = (SOURCES.index(self.source) + 0.5) / 3, (SPLITS.index(self.prompts) + 0.5) / len(SPLITS)
        return [places[0], float(self.fresh), places[1], float(self.stop)]


class HackingStudent(ControlledStudent):
    """A student of a teacher that is not the oracle.

    Args:
        seeds: Of the episode.
        steps: Epochs of the episode.
    """

    has_best = True

    def __init__(self, steps: int, seeds: Seeds) -> None:
        self._models = _Models(seeds)
        self._rng = np.random.default_rng(seeds.student)
        self._student = make_model(STUDENT_HIDDEN, seeds.student)
        fit(self._student, self._models.read, epochs=STUDENT_EPOCHS)
        self._optimiser = torch.optim.Adam(self._student.parameters(), lr=RATE)
        self._steps = steps
        self._generated: list[float] = []  # share of each epoch's data that was made for it
        self.proxies: list[float] = []
        """Distances to the teacher, at the beginning and after every epoch."""
        self._loss = 0.0
        self._plan: list[Controls] | None = None
        self._measure()

    def learn(self, controls: FloatArray) -> float:
        """Distil for an epoch, or stop; what is generated for it costs, as a share of the whole episode's data."""
        chosen = Controls.read(controls)
        if chosen.stop:
            self.over = True
            return 0.0
        data = self._data(chosen)
        self._distil(data)
        made = float(chosen.source != "offline")
        self._generated.append(made)
        self._measure()
        return made / self._steps

    def score(self) -> float:
        """Minus the golden distance, to the oracle."""
        return -self._golden

    def outcome(self) -> float:
        """Minus the proxy distance, to the teacher."""
        return -self.proxies[-1]

    def seen(self) -> Mapping[str, float]:
        """The proxy, how fast it falls, and what data has been used."""
        slopes = self._slopes()
        return {
            "proxy": self.proxies[-1],
            "loss": self._loss,
            "slope": slopes[-1] if slopes else 0.0,
            "steepest": min(slopes, default=0.0),
            "generated": float(np.mean(self._generated)) if self._generated else 0.0,
            "epochs": len(self._generated) / self._steps,
        }

    def best(self) -> FloatArray:
        """The next of the best plan."""
        if self._plan is None:
            self._plan = self._best_plan()
        done = len(self._generated)
        chosen = self._plan[done] if done < len(self._plan) else Controls("offline", False, SEQUENCES, True)
        return np.array(chosen.written())

    def truth(self) -> dict[str, Any]:
        """The golden distance, and that of the teacher itself."""
        return {"golden": self._golden, "teacher": self._models.teacher_golden}

    def _best_plan(self) -> list[Controls]:
        """Of one kind of data up to a moment, for each kind and moment: what leads to the least golden distance."""
        best, least = [], self._golden
        kinds = [Controls("offline", False, SEQUENCES, False)]
        kinds += [Controls(source, fresh, SEQUENCES, False) for source in SOURCES[1:] for fresh in (False, True)]
        for kind in kinds:
            trial = copy.deepcopy(self)
            for epoch in range(len(self._generated), self._steps):
                trial.learn(np.array(kind.written()))
                if trial._golden < least:
                    best, least = [kind] * (epoch + 1), trial._golden
        return best

    def _data(self, chosen: Controls) -> Sequences:
        models, each = self._models, SEQUENCES // chosen.prompts
        if chosen.source == "offline":
            return models.offline[chosen.prompts]
        prompts = draw_prompts(chosen.prompts, self._rng) if chosen.fresh else models.prompts[: chosen.prompts]
        writer = models.teacher if chosen.source == "teacher" else self._student
        return generate(writer, prompts.repeat(each, 1), self._rng)

    def _distil(self, data: Sequences) -> None:
        """An epoch of forward divergence from the teacher, symbol by symbol."""
        target = functional.softmax(self._models.teacher(data.contexts), dim=1)
        losses = []
        for batch in np.array_split(self._rng.permutation(len(target)), _BATCHES):
            places = torch.tensor(batch)
            found = functional.log_softmax(self._student(data.contexts[places]), dim=1)
            loss = -(target[places] * found).sum(dim=1).mean()
            self._optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimiser.step()
            losses.append(float(loss.detach()))
        self._loss = float(np.mean(losses))

    def _measure(self) -> None:
        models = self._models
        self._golden = divergence(models.oracle, self._student, models.tests)
        self.proxies.append(divergence(models.teacher, self._student, models.tests))

    def _slopes(self) -> list[float]:
        """Slope of log proxy by log epoch over the last epochs, at each epoch from the window's length on."""
        logs = np.log(np.maximum(self.proxies[1:], 1e-12))
        found = []
        for end in range(_WINDOW, len(logs) + 1):
            place = np.log(np.arange(end - _WINDOW + 1, end + 1))
            away = place - place.mean()
            found.append(float(away @ logs[end - _WINDOW : end] / (away @ away)))
        return found


class _Models(Fixed):
    """The oracle, the teacher that has learnt too much of a few of its sequences, and the data that is fixed."""

    def __init__(self, seeds: Seeds) -> None:
        rng = np.random.default_rng(seeds.world)
        self.oracle = OracleModel(rng)
        self.read = generate(self.oracle, draw_prompts(ORACLE_SEQUENCES, rng), rng)
        self.teacher = make_model(TEACHER_HIDDEN, seeds.world)
        fit(self.teacher, self.read, epochs=TEACHER_EPOCHS)
        self.teacher.requires_grad_(False)
        self.prompts = draw_prompts(SEQUENCES, rng)
        self.offline = {
            split: generate(self.teacher, self.prompts[:split].repeat(SEQUENCES // split, 1), rng) for split in SPLITS
        }
        of_tests = np.random.default_rng(seeds.evaluation)
        self.tests = generate(self.oracle, draw_prompts(_TEST_PROMPTS, of_tests), of_tests).contexts
        self.teacher_golden = divergence(self.oracle, self.teacher, self.tests)


def _always(source: DataSource, *, fresh: bool = False, prompts: int = SEQUENCES, stop: bool = False) -> Always:
    return Always(Controls(source, fresh, prompts, stop).written())


def _while_it_is_a_power_law(seen: Mapping[str, float]) -> ArrayLike:
    """Fresh prompts, until the proxy's fall leaves its power law."""
    return Controls("teacher", True, SEQUENCES, seen["slope"] < DEPARTED).written()


@final
class ProxyDistillationEnv(ControlEnv):
    """Choose the data of a distillation, and when to stop, where what is seen is a proxy for what counts.

    ## In Short
    - Decision: the data of the next epoch, and when to stop.
    - Student: a small language model.
    - Reward: the drop of a hidden distance to the truth, paid at the end.
    - Truth: exact distances; the best kind of data and moment to stop, by learning ahead.
    - Episode: 0.4 seconds.

    ## Description
    After Tiapkin et al. 2025 (arXiv:2502.02671), with models small enough for exact distances. Language models of 16
    symbols answer a prompt, a vector, with 8 symbols, each by the prompt and the symbol before. The oracle is random;
    the teacher, with 128 hidden units, has been fitted to 150 of its sequences for too long, and the student, with 32,
    to the same for a while. The student then learns from the teacher, an epoch of 60 sequences at a time, by the
    forward divergence of the next symbol. Its distance to the teacher, the proxy, keeps falling, while that to the
    oracle, the golden distance, falls and then rises: teacher hacking.

    ## Action Space
    Four numbers from 0 to 1. ``source``: by thirds, the fixed offline set; new answers of the teacher; new answers of
    the student, which the teacher labels. ``fresh``: from 0.5 on, new prompts, where there are new answers.
    ``diversity``: by fourths, 12, 20, 30 or 60 prompts share the 60 sequences. ``stop``: from 0.9 on, the episode ends
    before the epoch.

    ## Observation Space
    ``progress``, the last controls, ``proxy`` and training ``loss`` (nats), ``slope`` of log proxy by log epoch over
    the last 6 epochs and the ``steepest`` so far, the mean share of the data that was ``generated`` for its epoch, and
    ``epochs`` as a share of the greatest number.

    ## Rewards
    The drop of the golden distance, an exact expectation over the vocabulary in 1,600 contexts, less the price of what
    was generated. As it would show what is hidden, all of it is paid at the end (``reward="end"``); feedback has minus
    the proxy as its outcome.

    ## Starting State
    A fresh oracle, teacher and student.

    ## Episode Termination
    After ``budget`` epochs, or when it is stopped.

    ## Truth
    Both distances are exact. ``truth`` plays the best of all plans that use one kind of data (offline; teacher or
    student, on the same or on fresh prompts; 60 prompts) up to some epoch, which it finds by learning ahead on copies;
    so it is optimal among these plans, without a price, and not among all.

    ## Reference Policies
    ``none`` stops at once. To the end: ``offline``, ``low-diversity`` (offline, 12 prompts), ``online-teacher``,
    ``online-student``, ``fresh``, which is also the best ``constant``. ``paper`` takes fresh prompts, and stops when
    the proxy's fall leaves its power law, the source's sign of hacking.

    Measured here: golden rises by 5 to 10 % after its least value while the proxy falls; fresh prompts reach less than
    the offline set, and few prompts are worst, as in the source. Not so here: that generating online removes hacking.
    Golden then rises as much, as a student that can match a wrong teacher ends where that is; so when to stop is a part
    of the decision.

    ## Arguments
    ``budget=60``, ``reward="end"``, and ``probes``, ``truth`` and ``price`` (of generating all data) of
    ``ControlEnv``.

    ## Version History
    - v0: first version.
    """

    @checked_arguments
    def __init__(self, *, budget: PositiveInt = 60, reward: ControlReward = "end", **schedule: Any) -> None:
        fresh = _always("teacher", fresh=True)
        super().__init__(
            TaskSpace([Parameter(name, 0.0, 1.0) for name in ("source", "fresh", "diversity", "stop")]),
            TaskSpace(
                [
                    Parameter("proxy", 0.0, 5.0),
                    Parameter("loss", 0.0, 5.0),
                    Parameter("slope", -5.0, 5.0),
                    Parameter("steepest", -5.0, 5.0),
                    Parameter("generated", 0.0, 1.0),
                    Parameter("epochs", 0.0, 1.0),
                ]
            ),
            partial(HackingStudent, budget),
            budget=budget,
            score_range=(-1.0, 0.0),
            rules={
                "none": _always("offline", stop=True),
                "constant": fresh,
                "paper": _while_it_is_a_power_law,
                "offline": _always("offline"),
                "low-diversity": _always("offline", prompts=SPLITS[0]),
                "online-teacher": _always("teacher"),
                "online-student": _always("student"),
                "fresh": fresh,
            },
            reward=reward,
            has_best=True,
            **schedule,
        )
