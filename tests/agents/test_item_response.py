"""The item response model finds what was planted, and which questions tell students apart."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from teachgym.agents.allocation.item_response import fit_item_response, most_discriminative


def answers(a: NDArray[np.float64], b: NDArray[np.float64], students: int, seed: int) -> tuple[Any, Any]:
    """Answers by the model, and the abilities of those who gave them."""
    rng = np.random.default_rng(seed)
    ability = rng.normal(size=students)
    chance = 1 / (1 + np.exp(-a * (ability[:, None] - b)))
    return rng.random(chance.shape) < chance, ability


def planted(items: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng([seed, 1])
    return rng.uniform(0.3, 2.5, size=items), rng.uniform(-1.5, 1.5, size=items)


@pytest.mark.parametrize("seed", range(3))
def test_it_recovers_planted_discriminations_difficulties_and_abilities(seed: int) -> None:
    a, b = planted(40, seed)
    correct, ability = answers(a, b, 3000, seed)
    found = fit_item_response(correct)
    assert np.abs(found.discrimination - a).mean() < 0.1
    assert np.corrcoef(found.discrimination, a)[0, 1] > 0.98
    assert np.abs(found.difficulty - b)[a > 0.6].mean() < 0.1
    assert np.corrcoef(found.ability, ability)[0, 1] > 0.9


@pytest.mark.parametrize("seed", range(5))
def test_with_few_students_most_of_the_items_kept_are_the_best(seed: int) -> None:
    a, b = planted(100, seed)
    correct, _ = answers(a, b, 250, seed)
    kept = most_discriminative(correct, 40)
    assert len(set(kept)) == 40
    assert len(set(kept) & set(np.argsort(-a)[:40].tolist())) >= 28  # by chance 16
    assert a[kept].mean() > a.mean() + 0.4


def test_equal_items_are_found_about_equal() -> None:
    correct, _ = answers(np.full(20, 1.2), np.linspace(-1, 1, 20), 3000, 0)
    assert fit_item_response(correct).discrimination == pytest.approx(np.full(20, 1.2), abs=0.25)


def test_right_and_wrong_mirror_each_other() -> None:
    correct, _ = answers(*planted(15, 0), 400, 0)
    found, mirrored = fit_item_response(correct), fit_item_response(~correct)
    assert mirrored.discrimination == pytest.approx(found.discrimination, abs=1e-4)
    assert mirrored.difficulty == pytest.approx(-found.difficulty, abs=1e-3)
    assert mirrored.ability == pytest.approx(-found.ability, abs=1e-4)


def test_the_order_of_students_and_items_does_not_matter() -> None:
    correct, _ = answers(*planted(12, 1), 300, 1)
    rng = np.random.default_rng(0)
    students, items = rng.permutation(300), rng.permutation(12)
    found, moved = fit_item_response(correct), fit_item_response(correct[students][:, items])
    assert moved.discrimination == pytest.approx(found.discrimination[items], abs=1e-8)
    assert moved.ability == pytest.approx(found.ability[students], abs=1e-8)


def test_an_item_that_goes_against_the_others_has_a_negative_discrimination() -> None:
    a, b = planted(20, 2)
    a[3] = -1.5
    correct, _ = answers(a, b, 2000, 2)
    assert fit_item_response(correct).discrimination[3] == pytest.approx(-1.5, abs=0.3)
    assert most_discriminative(correct, 20)[-1] == 3


def test_items_that_all_answer_alike_and_a_single_item_give_finite_numbers() -> None:
    correct = np.array(answers(*planted(10, 3), 100, 3)[0])
    correct[:, 0], correct[:, 1] = True, False
    for given in (correct, correct[:, :1], correct[:1], np.zeros((1, 1))):
        found = fit_item_response(given)
        assert all(np.isfinite(part).all() for part in (found.discrimination, found.difficulty, found.ability))


@pytest.mark.parametrize(
    ("correct", "count", "message"),
    [
        ([0, 1], 1, r"correct has shape \(2,\); expected \(students, items\)"),
        ([[0.5, 1]], 1, "other numbers than 0 and 1"),
        ([[0, np.nan]], 1, "other numbers than 0 and 1"),
        ([[0, 1]], 3, "count is 3; expected at most 2, the number of items"),
        ([[0, 1]], 0, "count is 0; expected a whole number, at least 1"),
    ],
)
def test_what_is_not_allowed_is_refused(correct: Any, count: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        most_discriminative(correct, count)


def test_settings_of_the_fit_are_checked() -> None:
    with pytest.raises(ValueError, match="spread is 0; expected a number above 0"):
        fit_item_response([[0, 1]], spread=0)
    with pytest.raises(ValueError, match="rounds is 0"):
        fit_item_response([[0, 1]], rounds=0)
