from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
import pytest

from teachgym.data.example import Example, Path
from teachgym.envs.data.subjects.blank import BlankSubject
from teachgym.students.supervised import make_supervised_student
from teachgym.students.supervised.simulated import SimulatedSettings, SimulatedSupervisedStudent
from teachgym.testing import check_supervised_student
from tests.data.toy import Numbers

PLAIN = SimulatedSettings(
    examples_needed=90.0, difficulty=0.0, steps=0.0, gate=0.0, transfer=0.0, forgetting=0.0, initial=0.1, variety=0.0
)
"""Alike skills that do not depend on each other; each has three parts, each of which needs 30 examples."""
BLANK = BlankSubject(Numbers())
SEEDS = count()
SAME_SMALL, SAME_LARGE, NEXT_SMALL = ("same", "small"), ("same", "large"), ("next", "small")


def made(counts: dict[Path, int]) -> list[Example]:
    """So many examples by path, other ones at every call."""
    rng = np.random.default_rng(next(SEEDS))
    return [example for path, number in counts.items() for example in BLANK.make(path, number, rng)]


def taught(*rounds: Sequence[Example], settings: SimulatedSettings = PLAIN, seed: int = 0) -> dict[Path, float]:
    """Competence by leaf after some rounds."""
    student = SimulatedSupervisedStudent(Numbers(), settings, seed=seed)
    for examples in rounds:
        student.train(examples, updates=1)
    leaves = [leaf for skill in Numbers().skills for leaf in skill.leaves()]
    return dict(zip(leaves, student.competence.tolist(), strict=True))


def test_it_keeps_the_contract_with_examples_that_have_text() -> None:
    check_supervised_student(SimulatedSupervisedStudent, Numbers())


@pytest.mark.parametrize("count", [1, 30, 200])
def test_examples_close_a_share_of_what_is_left_to_learn(count: int) -> None:
    competence = taught(made({SAME_SMALL: count}))
    assert competence[SAME_SMALL] == pytest.approx(1 - 0.9 * np.exp(-count / 30))
    assert competence[SAME_LARGE] == competence[NEXT_SMALL] == pytest.approx(0.1)


def test_returns_diminish() -> None:
    examples = made({SAME_SMALL: 60})
    first, both = taught(examples[:30])[SAME_SMALL], taught(examples)[SAME_SMALL]
    assert first - 0.1 > both - first > 0


def test_two_rounds_of_new_data_are_one_where_nothing_is_forgotten() -> None:
    one, other = made({SAME_SMALL: 20, NEXT_SMALL: 5}), made({SAME_SMALL: 7, SAME_LARGE: 3})
    assert taught(one, other) == pytest.approx(taught([*one, *other]))


def test_examples_teach_only_once() -> None:
    one, other = made({SAME_SMALL: 20}), made({NEXT_SMALL: 15})
    once = taught(one, other)
    assert taught(one, [*one, *other]) == pytest.approx(once), "all data so far, as environments give it by default"
    assert taught(one, one, one) == pytest.approx(taught(one))


def test_an_example_of_a_whole_skill_counts_for_all_its_parts_alike() -> None:
    competence = taught([Example(f"blank {n}", "right", ("same",)) for n in range(90)])
    assert competence[SAME_SMALL] == competence[SAME_LARGE] == pytest.approx(1 - 0.9 * np.exp(-1))


@pytest.mark.parametrize("path", [(), ("unheard of",), ("same", "unheard of")])
def test_examples_of_nothing_it_knows_teach_nothing_and_are_answered_wrongly(path: Path) -> None:
    unknown = [Example(f"blank {n}", "right", path) for n in range(50)]
    assert list(taught(unknown).values()) == pytest.approx([0.1] * 9)
    student = SimulatedSupervisedStudent(Numbers(), replace(PLAIN, initial=1.0), seed=0)
    assert set(student.answer(unknown)) == {"?"}


def test_neighbours_learn_a_share() -> None:
    competence = taught(made({SAME_SMALL: 30}), settings=replace(PLAIN, transfer=0.25))
    assert competence[SAME_LARGE] == pytest.approx(1 - 0.9 * np.exp(-0.25))
    assert competence[NEXT_SMALL] == pytest.approx(0.1)


def test_what_is_not_practised_is_forgotten() -> None:
    settings = replace(PLAIN, forgetting=0.3)
    before = taught(made({SAME_SMALL: 30}), settings=settings)[SAME_SMALL]
    after = taught(made({SAME_SMALL: 30}), made({NEXT_SMALL: 90}), settings=settings)
    assert before == pytest.approx(1 - 0.9 * np.exp(-1)), "what is practised is kept"
    assert after[SAME_SMALL] == pytest.approx(before * np.exp(-0.3))


def test_a_part_is_learnt_faster_once_the_one_before_is_known() -> None:
    settings = replace(PLAIN, gate=1.0)
    middle = ("same", "middle")
    unready = taught(made({middle: 30}), settings=settings)[middle]
    ready = taught(made({SAME_SMALL: 300}), made({middle: 30}), settings=settings)[middle]
    assert unready == pytest.approx(1 - 0.9 * np.exp(-0.1)), "readiness is the competence at the start"
    assert ready == pytest.approx(1 - 0.9 * np.exp(-1), abs=1e-3)


def test_later_parts_need_more() -> None:
    competence = taught(made({SAME_SMALL: 30, SAME_LARGE: 30}), settings=replace(PLAIN, steps=0.5))
    assert competence[SAME_LARGE] == pytest.approx(1 - 0.9 * np.exp(-1 / 2))


def test_skills_are_unequally_hard_and_alike_for_all_students_without_variety() -> None:
    examples = made({path: 30 for skill in Numbers().skills for path in skill.leaves()})
    one, other = (taught(examples, settings=replace(PLAIN, difficulty=1.0), seed=seed) for seed in (0, 1))
    assert one == other
    assert len({round(one[name, "small"], 6) for name in ("same", "next", "double")}) == 3


def test_students_differ_by_seed() -> None:
    settings, examples = replace(PLAIN, variety=0.5), made({SAME_SMALL: 30})
    found = [taught(examples, settings=settings, seed=seed)[SAME_SMALL] for seed in range(200)]
    needed = np.log(-30 / np.log((1 - np.array(found)) / 0.9))  # of each student, in logarithms
    assert needed.mean() == pytest.approx(np.log(30), abs=0.1)
    assert needed.std() == pytest.approx(0.5, rel=0.15)


def test_answers_are_right_as_often_as_its_competence_says() -> None:
    student = SimulatedSupervisedStudent(Numbers(), PLAIN, seed=0)
    student.train(made({SAME_SMALL: 15}), updates=1)
    expected = 1 - 0.9 * np.exp(-0.5)
    asked = [Example(f"blank {n}", "right", SAME_SMALL) for n in range(4_000)]
    answers = student.answer(asked)
    assert set(answers) == {"right", "?"}
    assert np.mean([answer == "right" for answer in answers]) == pytest.approx(expected, abs=0.03)
    student.train(made({NEXT_SMALL: 1}), updates=1)
    assert student.answer(asked) != answers, "luck is drawn anew in every round"


def test_answers_of_a_whole_skill_are_right_as_often_as_those_of_its_parts_together() -> None:
    student = SimulatedSupervisedStudent(Numbers(), PLAIN, seed=0)
    student.train(made({SAME_SMALL: 300}), updates=1)
    answers = student.answer([Example(f"blank {n}", "right", ("same",)) for n in range(4_000)])
    assert np.mean([answer == "right" for answer in answers]) == pytest.approx((1 + 0.1 + 0.1) / 3, abs=0.03)


def test_a_state_that_does_not_fit_is_refused() -> None:
    state: dict[str, Any] = {"competence": np.zeros(2), "ends": [], "seen": 0, "rounds": 0}
    with pytest.raises(ValueError, match="the state has 2 competences; expected 9"):
        SimulatedSupervisedStudent(Numbers(), seed=0).load_state_dict(state)


@pytest.mark.parametrize(
    ("name", "value"),
    [("examples_needed", 0), ("gate", 1.5), ("transfer", -0.1), ("forgetting", 2), ("variety", -1), ("steps", np.inf)],
)
def test_settings_that_are_not_allowed(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name} is"):
        make_supervised_student("simulated", Numbers(), seed=0, **{name: value})
