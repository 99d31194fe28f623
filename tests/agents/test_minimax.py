from dataclasses import replace

import numpy as np
import pytest

from teachgym.agents.adversaries.minimax import Minimax, MinimaxSettings
from teachgym.base.packing import unpack
from tests.agents.lessons import lesson, lessons, unit_problem

SMALL = MinimaxSettings(tasks_per_update=8, epochs=2, minibatches=2, hidden=(8,), episodes_per_task=2)


@pytest.mark.learned
@pytest.mark.parametrize("normalise", [False, True])
def test_it_goes_to_where_the_student_fails(normalise: bool) -> None:
    settings = MinimaxSettings(learning_rate=1e-3, hidden=(32,), normalise_rewards=normalise)
    tasks = lessons(Minimax(unit_problem(), settings, seed=0), 500, lambda task: 300 * float(task[0]) - 150)
    assert 0.3 < tasks[:50, 0].mean() < 0.7
    assert tasks[-100:, 0].mean() < 0.1


def test_it_is_paid_minus_the_best_outcome_on_a_task() -> None:
    teacher = Minimax(unit_problem(), replace(SMALL, episodes_per_task=3), seed=0)
    for decision, outcome in enumerate((-20.0, 30.0, 10.0)):
        lesson(teacher, decision, teacher.act(None), outcome)
    assert list(unpack(teacher.state_dict()["rewards"])) == [-30]


def test_its_rewards_are_raw_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    for normalise in (False, True):
        teacher = Minimax(unit_problem(), MinimaxSettings(normalise_rewards=normalise), seed=0)
        paid: list[float] = []
        monkeypatch.setattr(teacher._learner, "train", lambda rollout, rng, paid=paid: paid.extend(rollout.rewards[-1]))
        lessons(teacher, 16, lambda task: 1000 * float(task[0]))
        assert len(paid) == 16
        assert np.std(paid) == pytest.approx(1, rel=0.01) if normalise else np.std(paid) > 100
    assert MinimaxSettings().normalise_rewards is False
