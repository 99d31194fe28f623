"""What holds in all three data-generation environments: the contract, budgets, rewards, files, resuming."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.error import ResetNeeded

from teachgym import make_teacher, teach
from teachgym.base.files import read_state, write_state
from teachgym.data.engine import EngineError
from teachgym.data.files import example_of, read_lines
from teachgym.envs.data.data_env import DataEnv
from teachgym.testing import check_teacher_env
from tests.data.toy import settings

ENVIRONMENTS = {
    "SkillList": ("discrete", "shares", "weights", "counts"),
    "OpenEnded": ("discrete", "weights", "plan", "examples"),
    "SkillTree": ("discrete", "menu", "plan"),
}
ALL = [(env, action) for env, actions in ENVIRONMENTS.items() for action in actions]
LISTS = [(env, "discrete") for env in ENVIRONMENTS] + [("SkillList", "shares"), ("SkillTree", "menu")]


def make(env: str, action: str, **more: Any) -> DataEnv:
    arguments = {"rounds": 4, "action": action, **settings(**more)}
    made = gymnasium.make(f"teachgym/{env}-v0", disable_env_checker=True, **arguments).unwrapped
    assert isinstance(made, DataEnv)
    return made


def play(env: DataEnv, *, seed: int = 0, steps: int | None = None) -> list[tuple[Any, float, dict[str, Any]]]:
    """An episode, or its first steps, with random actions."""
    env.action_space.seed(seed)
    observation, info = env.reset(seed=seed)
    return [(observation, 0.0, info), *go_on(env, steps)]


def go_on(env: DataEnv, steps: int | None = None) -> list[tuple[Any, float, dict[str, Any]]]:
    seen: list[tuple[Any, float, dict[str, Any]]] = []
    over = False
    while not over and (steps is None or len(seen) < steps):
        observation, reward, over, _, info = env.step(env.action_space.sample())
        seen.append((observation, float(reward), info))
    return seen


@pytest.mark.parametrize("observation", ["numbers", "text"])
@pytest.mark.parametrize(("env", "action"), ALL)
def test_it_is_a_teacher_environment(env: str, action: str, observation: str) -> None:
    check_teacher_env(lambda: make(env, action, observation=observation))


@pytest.mark.parametrize("student", ["simulated", "tests.data.toy:Practice"])
@pytest.mark.parametrize(("env", "action"), ALL)
def test_the_budget_holds_to_the_example_and_rewards_sum_to_the_gain(env: str, action: str, student: str) -> None:
    if (student, action) == ("simulated", "examples"):
        return
    for budget in (1, 7, 121):
        made = make(env, action, budget=budget, price=0.001, rounds=5, student=student)
        steps = play(made, seed=budget)
        last = steps[-1][2]
        assert last["budget_used"] <= budget
        assert last["expenses"]["updates"] == made.lifetime.most_updates * last["budget_used"] // budget
        gain = last["accuracy"] - steps[0][2]["accuracy"] - 0.001 * last["budget_used"]
        assert sum(reward for _, reward, _ in steps) == pytest.approx(gain, abs=1e-12)
        assert all(info["feedback"].cost == len(made.lifetime.latest) for _, _, info in steps[-1:])


@pytest.mark.parametrize("regime", ["continue", "retrain", "latest"])
def test_what_a_student_is_trained_on_depends_on_the_regime(regime: str) -> None:
    made = make("SkillList", "shares", regime=regime, student_settings={"needed": 1000})
    trained: list[tuple[int, int, Any]] = []

    def watch(student: Any) -> Any:
        train = student.train

        def noting(examples: Any, *, updates: int) -> None:
            trained.append((len(examples), updates, student))
            train(examples, updates=updates)

        student.train = noting
        return student

    original = made.lifetime._make_student
    made.lifetime._make_student = lambda seed: watch(original(seed))  # type: ignore[method-assign]
    play(made)
    sizes, updates, students = zip(*trained, strict=True)
    assert sizes == {"continue": (30, 60, 90, 120), "retrain": (30, 60, 90, 120), "latest": (30,) * 4}[regime]
    assert updates == ((15, 30, 45, 60) if regime == "retrain" else (15,) * 4)
    assert len(set(map(id, students))) == (4 if regime == "retrain" else 1)
    assert made.lifetime.expenses.updates == sum(updates)


def test_every_answer_of_the_student_is_counted() -> None:
    made = make("SkillTree", "menu", checks=("not-known",), asked=3)
    asked: list[int] = []
    made.reset(seed=0)
    answer = made.lifetime.student.answer

    def counting(examples: Any) -> list[str]:
        asked.append(len(examples))
        return answer(examples)

    made.lifetime.student.answer = counting  # type: ignore[method-assign]
    before = made.lifetime.expenses.validation_answers
    assert before == len(made.lifetime.subject.validation)
    made.step(np.array([1, 1, 1]))
    made.step(np.array([2, 0, 1]))
    made.evaluate()
    spent = made.lifetime.expenses
    assert spent.test_answers == 45
    assert spent.other_answers > 0
    assert sum(asked) == spent.validation_answers - before + spent.test_answers + spent.other_answers


def test_a_teacher_without_feedback_is_shown_nothing_of_the_student() -> None:
    for env, action in LISTS:
        for observation in ("numbers", "text"):
            seen = []
            for student_settings in ({"needed": 1}, {"needed": 10_000}):  # one learns everything, the other nothing
                made = make(env, action, feedback=False, observation=observation, student_settings=student_settings)
                steps = play(made)
                seen.append([np.array(shown).tolist() for shown, _, _ in steps])
                assert all(info["feedback"].outcome == 0 and not info["feedback"].success for _, _, info in steps[1:])
            assert seen[0] == seen[1]
        if (env, action) != ("SkillTree", "discrete"):  # where four random choices may make no data
            ends = [play(make(env, action, student_settings={"needed": n}))[-1][0].tolist() for n in (1, 10_000)]
            assert ends[0] != ends[1]


@pytest.mark.parametrize(("env", "action"), LISTS)
def test_an_episode_goes_on_from_its_files_as_if_it_had_never_stopped(env: str, action: str, tmp_path: Path) -> None:
    whole = make(env, action)
    expected = play(whole, seed=3)
    for stop in range(len(expected)):
        folder = tmp_path / str(stop)
        first = make(env, action)
        first.lifetime.keep_files(folder)
        play(first, seed=3, steps=stop)
        second = make(env, action)
        second.lifetime.keep_files(folder)
        if stop == len(expected) - 1:
            with pytest.raises(ResetNeeded):
                first.state_dict()
            continue
        write_state(tmp_path / "state.npz", first.state_dict())
        second.load_state_dict(read_state(tmp_path / "state.npz"))
        assert second.spent == expected[stop][2]["budget_used"]
        second.action_space = first.action_space  # the actions go on
        rest = go_on(second)
        for (shown, reward, after), (wanted, paid, told) in zip(rest, expected[stop + 1 :], strict=True):
            assert np.array_equal(shown, wanted)
            assert reward == paid
            assert after["feedback"] == told["feedback"]
            assert after["expenses"] == told["expenses"]


def test_everything_made_and_answered_is_on_disk(tmp_path: Path) -> None:
    made = make("SkillList", "shares")
    made.lifetime.keep_files(tmp_path)
    play(made)
    files = [tmp_path / f"round-{number:04d}" / "examples.jsonl" for number in range(1, 5)]
    given = [example_of(entry) for file in files for _, entry in read_lines(file)]
    assert [one.prompt for one in given] == [one.prompt for one in made.lifetime.data]
    assert [one.path for one in given] == [one.path for one in made.lifetime.data]
    report = json.loads((tmp_path / "round-0004" / "report.json").read_text())
    assert report["accuracy"] == made.lifetime.accuracy
    assert report["expenses"]["examples"] == 120
    answers = (tmp_path / "round-0004" / "answers.jsonl").read_text().splitlines()
    assert len(answers) == len(made.lifetime.subject.validation)
    assert set(json.loads(answers[0])) == {"prompt", "expected", "given", "score", "skill"}
    blank = make("SkillList", "shares", student="simulated")
    blank.lifetime.keep_files(tmp_path / "blank")
    play(blank)
    assert not (tmp_path / "blank").exists()


def test_a_step_whose_engine_failed_can_be_tried_again_and_nothing_was_spent(tmp_path: Path) -> None:
    action = np.array([0.5, 0.25, 0.25], dtype=np.float32)
    outcomes = []
    for fails_at in (2, 1000):
        moody = {"engine": "tests.data.toy:MoodyEngine", "engine_settings": {"fails_at": fails_at}}
        made = make("SkillList", "shares", **moody)
        made.lifetime.keep_files(tmp_path / str(fails_at))
        made.reset(seed=1)
        made.step(action)
        if fails_at == 2:
            with pytest.raises(EngineError, match="start it"):
                made.step(action)
            assert made.spent == 30
            assert made.lifetime.expenses.engine == 1.5
            assert (tmp_path / "2" / "round-0001" / "examples.jsonl").exists()
            again = make("SkillList", "shares", **{**moody, "engine_settings": {"fails_at": 1000}})
            again.lifetime.keep_files(tmp_path / "2")
            again.load_state_dict(made.state_dict())
            outcomes.append([again.step(action)[0] for _ in range(3)])
        outcomes.append([made.step(action)[0] for _ in range(3)])
    for other in outcomes[1:]:
        assert all(np.array_equal(left, right) for left, right in zip(outcomes[0], other, strict=True))


def test_the_spending_limit_ends_the_episode_and_is_never_exceeded() -> None:
    made = make("SkillList", "shares", spending_limit=45, student="simulated")
    steps = play(made)
    assert len(steps) - 1 == 2
    assert steps[-1][2]["budget_used"] == 45
    assert steps[-1][2]["expenses"]["engine"] == 45
    assert "allowance" in steps[-1][2]["failures"][0]


def test_no_training_example_is_held_out_for_tests_and_tests_are_not_touched_by_teaching() -> None:
    made = make("OpenEnded", "weights", budget=2000)
    play(made)
    held_out = {example.key for example in (*made.lifetime.subject.validation, *made.lifetime.subject.test)}
    assert not held_out & {example.key for example in made.lifetime.data}
    assert made.lifetime.quality.rejected["held-out"] > 0
    assert made.lifetime.expenses.test_answers == 0


def test_the_test_set_is_reported_by_skill() -> None:
    made = make("SkillList", "discrete", rounds=1, budget=20)
    made.reset(seed=0)
    made.step(1)
    result = made.evaluate()
    assert result.returns.tolist() == [0.0, 1.0, 0.0]
    assert result.lengths.tolist() == [15, 15, 15]
    assert result.mastered == pytest.approx(100 / 3)
    assert made.evaluate([[1.0]]).returns.tolist() == [1.0]


def test_a_stored_student_gives_the_same_test_results() -> None:
    made, other = make("SkillList", "shares"), make("SkillList", "shares")
    play(made)
    state = made.lifetime.student_state()
    assert state is not None
    other.restore_student(state, seed=0)
    assert np.array_equal(other.evaluate().returns, made.evaluate().returns)


BAD: list[tuple[str, Mapping[str, Any], str]] = [
    ("SkillList", {"subject": "maths"}, "unknown subject 'maths'; did you mean 'math'"),
    ("SkillList", {"student": "tranformer"}, "unknown student 'tranformer'; did you mean 'transformer'"),
    ("SkillList", {"engine": "prozedural"}, "unknown engine 'prozedural'; did you mean 'procedural'"),
    ("SkillList", {"discovery": "cluster"}, "unknown discovery 'cluster'; did you mean 'clustering'"),
    ("SkillList", {"subject_settings": {"test_per_skil": 3}}, "did you mean 'test_per_skill'"),
    ("SkillList", {"student_settings": {"need": 3}}, "did you mean 'needed'"),
    ("SkillList", {"budget": 0}, "budget is 0; expected a whole number, at least 1"),
    ("SkillList", {"budget": -5}, "budget is -5"),
    ("SkillList", {"budgt": 5}, "unknown setting of the environment: 'budgt'; did you mean 'budget'"),
    ("SkillList", {"rounds": 0}, "rounds is 0"),
    ("SkillList", {"spending_limit": -1.0}, "spending_limit is -1.0"),
    ("SkillList", {"regime": "again"}, "regime is 'again'"),
    ("SkillList", {"checks": "parse"}, "unknown check 'parse'"),
    ("SkillList", {"feedback": 1}, "feedback is 1; expected true or false"),
    ("SkillList", {"action": "share"}, "action is 'share'"),
    ("SkillList", {"engine": "pool"}, "has no pool of its own"),
    ("SkillList", {"engine": "pool", "engine_settings": {"path": "none.jsonl"}}, r"none\.jsonl can't be read"),
    ("OpenEnded", {"discovery": "clustering"}, "leave it 'given'"),
    ("OpenEnded", {"action": "examples", "student": "simulated"}, "the student reads none"),
    ("SkillTree", {"discovery": "clustering"}, "leave it 'given'"),
    ("SkillTree", {"depth": 0}, "depth is 0"),
]


@pytest.mark.parametrize(("env", "changes", "message"), BAD)
def test_bad_settings_are_refused_before_anything_is_spent(env: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(env, **{"action": "discrete", **changes})


@pytest.mark.parametrize(
    ("env", "action", "bad", "message"),
    [
        ("SkillList", "shares", [0.5, 0.6, -0.1], "finite and not negative"),
        ("SkillList", "shares", [0.5, 0.5, np.nan], "finite and not negative"),
        ("SkillList", "shares", [0.5, 0.6, 0.1], "sum to 1.2; expected 1"),
        ("SkillList", "shares", [0.5, 0.5], "expected \\(3,\\)"),
        ("SkillList", "weights", [0.5, 2.0, 0.0], "at most 1"),
        ("SkillList", "counts", [0, -1, 0], "not negative"),
        ("SkillList", "counts", [0.5, 1, 0], "whole numbers"),
        ("SkillList", "discrete", 3, "from 0 to 2"),
        ("OpenEnded", "discrete", -1, "0 to 15"),
        ("OpenEnded", "weights", [np.inf] * 16, "from 0 to 1"),
        ("OpenEnded", "plan", [{"like": 16, "count": 1}], "order 0 is like 16"),
        ("OpenEnded", "plan", [{"like": 1, "count": -1}], "order 0 counts -1"),
        ("OpenEnded", "plan", [{"like": 1}], "expected like, count and note"),
        ("OpenEnded", "examples", [{"prompt": "a", "target": ""}], "example 0 .* not empty"),
        (
            "OpenEnded",
            "examples",
            [{"prompt": "a", "target": "\frac{3}{2}"}],
            "example 0: the target holds the control",
        ),
        ("OpenEnded", "examples", [{"prompt": "a", "target": "b"}] * 2, "example 1 has the prompt of example 0"),
        ("OpenEnded", "examples", "same 5", "expected a sequence"),
        ("SkillTree", "menu", [0, 5, 0], "numbers from 0 to 4"),
        ("SkillTree", "plan", {"explore": [1, 1, 1]}, "expected a dict of change, each, explore, new"),
    ],
)
def test_actions_that_are_not_allowed_change_nothing(env: str, action: str, bad: Any, message: str) -> None:
    made = make(env, action)
    made.reset(seed=0)
    with pytest.raises(ValueError, match=message):
        made.step(bad)
    assert made.spent == 0
    made.step(made.action_space.sample())


def test_policies_of_stable_baselines3_can_learn_in_every_one() -> None:
    from stable_baselines3 import PPO

    for env, action in [*LISTS, ("OpenEnded", "weights"), ("SkillList", "weights")]:
        if action == "shares":
            continue
        made = make(env, action, student="simulated")
        PPO("MlpPolicy", made, n_steps=16, batch_size=16, n_epochs=1, device="cpu").learn(16)


def test_observation_spaces_name_what_they_show() -> None:
    made = make("SkillList", "shares", budget=120)
    observation, _ = made.reset(seed=0)
    assert isinstance(made.observation_space, spaces.Box)
    assert observation.tolist() == [[0.0] * 3, pytest.approx([1 / 3] * 3), [0.0] * 3, [0.0] * 3, [0.0] * 3]
    observation, reward, _, _, info = made.step(np.array([1.0, 0.0, 0.0], dtype=np.float32))
    assert reward == pytest.approx(1 / 3)
    assert info["skill_gain"] == {"same": 1.0, "next": 0.0, "double": 0.0}
    assert observation.tolist() == [[1.0, 0, 0], [0.0, 0.5, 0.5], [1.0, 0, 0], [1.0, 0, 0], [0.25] * 3]


def test_without_feedback_the_rule_that_looks_is_the_rule_that_does_not() -> None:
    for looking, blind, env in (("weak-first", "uniform", "SkillList"), ("balance-weak", "uniform-tree", "SkillTree")):
        action = "shares" if env == "SkillList" else "plan"
        runs = []
        for name, feedback in ((looking, False), (blind, True), (looking, True)):
            made = make(env, action, feedback=feedback, student="simulated", budget=900)
            record = teach(made, make_teacher(name, made, seed=2), seed=2)
            runs.append((record.tasks.tolist(), made.evaluate().returns.tolist()))
        assert runs[0] == runs[1] != runs[2]
