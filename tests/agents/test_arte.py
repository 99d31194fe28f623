"""ARTE plays the closed form of its objective, learns which skills help, and finds them."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize

from teachgym import Feedback, Transition, make_teacher, teach
from teachgym.agents.allocation.arte import Arte, ArteSettings, tilted
from teachgym.data.example import Example, Path
from teachgym.data.observation import SkillRow
from teachgym.data.skills import Skill
from teachgym.data.subject import HeldOut, Subject
from teachgym.envs.data.skill_list import SkillListEnv
from teachgym.testing import check_teacher
from tests.agents.data_specs import shares_problem, tree_problem

REFERENCE = np.array([0.5, 0.2, 0.2, 0.1])
SCORES = np.array([0.01, 0.04, -0.02, 0.03])
SETTINGS = [
    ArteSettings(),
    ArteSettings(beta=1e-9, warm_up=0),
    ArteSettings(beta=1e9, warm_up=20),
    ArteSettings(reference="data", decay=1.0),
    ArteSettings(warm_up=1, ridge=1e-6, decay=0.01),
]


def rows(*, gain: Any = 0.0, data: Any = 0.0, skills: int = 4) -> NDArray[np.float32]:
    seen = np.zeros((len(SkillRow), skills), np.float32)
    seen[SkillRow.GAIN], seen[SkillRow.DATA] = gain, data
    return seen


def tell(teacher: Arte, shares: Any, gain: Any, decision: int = 0) -> None:
    """A step with these shares, after which each skill's accuracy is seen to have changed by so much."""
    task = np.array(shares, dtype=np.float64)
    feedback = Feedback(task, 0.5, False, 10, decision)
    after = rows(gain=gain, skills=len(task))
    teacher.update(Transition(rows(skills=len(task)), task.astype(np.float32), 0.0, after, False, feedback))


def knowing(scores: NDArray[np.float64], settings: ArteSettings) -> Arte:
    """A teacher past its warm-up that has these scores, but for a constant: one step of each skill alone, undecayed."""
    teacher = Arte(shares_problem(len(scores)), settings, seed=0)
    state = teacher.state_dict()
    apart = settings.ridge * (np.eye(len(scores)) - 1 / len(scores))
    gram = np.eye(len(scores))
    teacher.load_state_dict({**state, "steps": 100, "gram": gram, "moment": (gram + apart) @ scores})
    return teacher


@pytest.mark.parametrize("settings", SETTINGS)
def test_it_keeps_the_contract(settings: ArteSettings) -> None:
    check_teacher(Arte, settings=settings, specs=[shares_problem(2), shares_problem(9)], episodes=60)


@pytest.mark.parametrize("beta", [0.003, 0.02, 0.5])
def test_the_shares_are_the_closed_form_for_the_scores_it_has(beta: float) -> None:
    uniform = knowing(SCORES, ArteSettings(beta=beta))
    assert uniform.scores == pytest.approx(SCORES, abs=1e-12)
    weights = np.exp(SCORES / beta)
    assert uniform.act(rows()) == pytest.approx(weights / weights.sum(), rel=1e-6)
    from_data = knowing(SCORES, ArteSettings(beta=beta, reference="data"))
    weights = REFERENCE * np.exp(SCORES / beta)
    assert from_data.act(rows(data=REFERENCE)) == pytest.approx(weights / weights.sum(), rel=1e-6)
    assert tilted(REFERENCE, SCORES, beta) == pytest.approx(weights / weights.sum(), rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_no_optimiser_finds_shares_of_a_greater_regularised_score(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count, beta = int(rng.integers(2, 7)), float(rng.uniform(0.05, 1))
    reference, scores = rng.dirichlet(np.ones(count)), rng.normal(size=count)

    def loss(logits: NDArray[np.float64]) -> float:
        shares = np.exp(logits - logits.max())
        shares /= shares.sum()
        return float(-shares @ scores + beta * shares @ np.log(np.maximum(shares, 1e-300) / reference))

    closed = tilted(reference, scores, beta)
    found = minimize(loss, np.zeros(count), method="BFGS", options={"gtol": 1e-9})
    best = np.exp(found.x - found.x.max())
    assert best / best.sum() == pytest.approx(closed, abs=1e-4)
    assert loss(np.log(closed)) <= found.fun + 1e-10
    assert -loss(np.log(closed)) == pytest.approx(beta * np.log(reference @ np.exp(scores / beta)))


def test_a_dear_divergence_leaves_the_reference_and_a_cheap_one_the_best_skill() -> None:
    assert tilted(REFERENCE, SCORES, 1e12) == pytest.approx(REFERENCE, abs=1e-12)
    assert tilted(REFERENCE, SCORES, 1e-12).tolist() == [0, 1, 0, 0]
    assert tilted(REFERENCE, SCORES, 1e-320).tolist() == [0, 1, 0, 0]
    assert tilted(REFERENCE, SCORES + 5, 0.02) == pytest.approx(tilted(REFERENCE, SCORES, 0.02), rel=1e-10)
    without = np.array([0.5, 0.0, 0.5, 0.0])
    assert tilted(without, SCORES, 1e-12).tolist() == [1, 0, 0, 0]
    assert knowing(SCORES, ArteSettings(beta=1e12)).act(rows()).tolist() == [0.25] * 4
    assert knowing(SCORES, ArteSettings(beta=1e-12)).act(rows()).tolist() == [0, 1, 0, 0]


@pytest.mark.parametrize(("warm_up", "skills"), [(1, 4), (2, 5), (3, 6), (4, 4), (8, 4)])
def test_in_the_warm_up_the_skills_take_turns(warm_up: int, skills: int) -> None:
    teacher = Arte(shares_problem(skills), ArteSettings(warm_up=warm_up), seed=3)
    seen = rows(skills=skills)
    turns = []
    for _ in range(warm_up):
        shares = teacher.act(seen)
        assert teacher.act(seen).tolist() == shares.tolist()  # a step that failed is tried again
        assert teacher.origin == "warm-up"
        assert np.ptp(shares[shares > 0]) == 0
        turns.append(shares > 0)
        tell(teacher, shares, 0.0)
    assert len({int(count) for count in np.sum(turns, axis=0)}) == 1
    assert teacher.act(seen) == pytest.approx([1 / skills] * skills)
    assert teacher.origin == "rule"


def test_without_anything_seen_of_the_student_it_keeps_to_the_reference() -> None:
    teacher = Arte(shares_problem(4), ArteSettings(warm_up=0, reference="data"), seed=0)
    assert teacher.act(rows()).tolist() == [0.25] * 4
    for _ in range(5):
        tell(teacher, REFERENCE, 0.0)
        assert teacher.act(rows(data=REFERENCE)) == pytest.approx(REFERENCE)


def test_scores_are_the_effects_of_skills_on_the_mean_accuracy_whichever_skill_gains() -> None:
    effects = np.array([[0.2, 0.0, 0.0], [0.0, 0.05, 0.3], [-0.05, 0.0, 0.1]])  # of data in rows on skills in columns
    teacher = Arte(shares_problem(3), ArteSettings(ridge=1e-9, decay=1.0), seed=0)
    rng = np.random.default_rng(0)
    for step in range(6):
        shares = rng.dirichlet(np.ones(3))
        tell(teacher, shares, shares @ effects, step)
    assert teacher.scores == pytest.approx(effects.mean(axis=1), abs=1e-6)


def scores_after(settings: ArteSettings) -> NDArray[np.float64]:
    """Two skills take turns; the first helps, and later the second does instead."""
    teacher = Arte(shares_problem(2), settings, seed=0)
    for gains in ((0.1, 0.0), (0.1, 0.0), (0.1, 0.0), (0.0, 0.1), (0.0, 0.1)):
        for skill, gain in enumerate(gains):
            tell(teacher, np.eye(2)[skill], gain)
    return teacher.scores


def test_a_ridge_pulls_scores_together_and_leaves_their_mean() -> None:
    free, tied = (scores_after(ArteSettings(ridge=ridge, decay=1.0)) for ridge in (1e-9, 1e9))
    assert free == pytest.approx([0.06, 0.04], abs=1e-6)
    assert tied == pytest.approx([0.05, 0.05], abs=1e-6)


def test_with_decay_the_latest_steps_count_most() -> None:
    assert scores_after(ArteSettings(ridge=1e-9, decay=0.1)) == pytest.approx([0.0, 0.1], abs=1e-3)


def test_a_step_that_finished_nothing_teaches_nothing() -> None:
    teacher = Arte(shares_problem(4), seed=0)
    before = teacher.state_dict()
    teacher.update(Transition(rows(), REFERENCE.astype(np.float32), 0.0, rows(gain=0.3), False, None))
    assert repr(teacher.state_dict()) == repr(before)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"beta": 0.0}, "beta is 0.0; expected a number above 0"),
        ({"beta": float("inf")}, "beta is inf"),
        ({"reference": "base"}, "reference is 'base'; expected one of 'uniform', 'data'"),
        ({"warm_up": -1}, "warm_up is -1; expected a whole number, at least 0"),
        ({"decay": 0.0}, r"decay is 0.0; expected a number in \(0, 1\]"),
        ({"ridge": 0.0}, "ridge is 0.0"),
    ],
)
def test_settings_that_are_not_allowed_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ArteSettings(**settings)


def test_environments_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="it acts on Shares, and the action space is TreePlans"):
        Arte(tree_problem(2, 3), seed=0)
    with pytest.raises(ValueError, match="it reads SkillRows, and the observation space is AnyText"):
        make_teacher("arte", skill_list(variety=0.0, observation="text"), seed=0)


USEFUL = ("subtract", "multiply", "rhyme")
USELESS = ("add", "merge", "fold")


class Planted(Subject):
    """Three skills that a simulated student learns fast, by their names, and three that it hardly learns."""

    @property
    def skills(self) -> tuple[Skill, ...]:
        return tuple(Skill(name) for name in (*USEFUL, *USELESS))

    def make(self, path: Path, count: int, rng: np.random.Generator) -> list[Example]:
        return [Example(f"{path[0]} {rng.integers(10**9)}", "right", path) for _ in range(count)]


def skill_list(*, variety: float, **more: Any) -> SkillListEnv:
    return SkillListEnv(
        action="shares",
        subject=Planted(HeldOut(validation_per_skill=200, test_per_skill=400)),
        student="simulated",
        student_settings={"difficulty": 3.0, "examples_needed": 2400.0, "variety": variety},
        rounds=12,
        budget=600,
        **more,
    )


@pytest.mark.slow
@pytest.mark.parametrize("variety", [0.0, 0.5])
def test_where_some_skills_are_useless_it_finds_the_useful_ones_and_the_student_learns_more(variety: float) -> None:
    shares, accuracy = {}, {}
    for name, settings in (("uniform", {}), ("arte", {"beta": 0.01, "warm_up": 6})):
        given, learnt = [], []
        for seed in range(100, 110):
            env = skill_list(variety=variety)
            teach(env, make_teacher(name, env, seed=seed, **settings), seed=seed)
            by_skill = [example.skill in USEFUL for example in env.lifetime.data]
            given.append(np.mean(by_skill))
            learnt.append(env.evaluate().mean_return)
        shares[name], accuracy[name] = np.array(given), np.array(learnt)
    assert (shares["arte"] > shares["uniform"] + 0.1).all()
    assert (accuracy["arte"] - accuracy["uniform"]).mean() > 0.02
