"""What a training loop sees of the world, and what the teacher gets back, whichever vectoriser is in between."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from teachgym.core.feedback import Feedback
from teachgym.core.task_space import FloatArray
from teachgym.envs.tasks.task_teaching_env import TaskTeachingEnv
from teachgym.students import RLStudent
from teachgym.students.lifetimes.coroutine import BudgetSpent
from teachgym.students.lifetimes.episode import FinishedEpisode
from teachgym.students.lifetimes.taught_worlds import BudgetLedger, TaughtWorlds
from teachgym.worlds.sb3_vec_env import SB3VecEnv
from teachgym.worlds.slot_env import SlotEnv
from teachgym.worlds.vector_env import BatchVectorEnv
from teachgym.worlds.world_batch import SerialBatch, WorldBatch
from tests.toy import Countdown, Reach

VECTORISERS = ("stable baselines", "same step", "next step")
MASTERED_ABOVE = 1.0


@dataclass
class Step:
    """What a training loop saw of one vectorised step."""

    over: NDArray[np.bool_]
    observations: NDArray[Any]
    infos: Any
    tasks: list[FloatArray]


class Marcher(RLStudent):
    """Plays all worlds through one vectoriser, and writes down what it sees."""

    def __init__(self, slots: int, vectoriser: str, *, rounds: int | None = None) -> None:
        super().__init__()
        self.slots, self.vectoriser, self.rounds = slots, vectoriser, rounds
        self.seen: list[Step] = []

    def learn(self, worlds: WorldBatch, *, steps: int, seed: int) -> None:
        actions = np.zeros((worlds.size, 1), dtype=np.float32)
        mode = AutoresetMode.NEXT_STEP if self.vectoriser == "next step" else AutoresetMode.SAME_STEP
        vector: Any = BatchVectorEnv(worlds, autoreset_mode=mode)
        if self.vectoriser == "stable baselines":
            vector = SB3VecEnv(vector)
        vector.reset()
        while self.rounds is None or len(self.seen) < self.rounds:
            observations, _, over, *rest = vector.step(actions)
            over = over if self.vectoriser == "stable baselines" else over | rest[0]
            tasks = [worlds.task(slot).copy() for slot in range(worlds.size)]
            self.seen.append(Step(over.copy(), observations.copy(), rest[-1], tasks))

    def act(self, observations: NDArray[Any]) -> NDArray[Any]:
        return np.zeros((len(observations), 1), dtype=np.float32)

    def state_dict(self) -> None:
        return None

    def load_state_dict(self, state: Any, observation_space: Any, action_space: Any) -> None:
        raise ValueError("not stored")


def make_env(student: RLStudent, budget: int, *, times_out: bool = False) -> TaskTeachingEnv:
    return TaskTeachingEnv(
        lambda: Countdown(times_out=times_out),
        student=student,
        budget=budget,
        outcome_range=(-6.0, 6.0),
        mastered_above=MASTERED_ABOVE,
    )


def run(env: TaskTeachingEnv, tasks: NDArray[np.float64]) -> tuple[list[Feedback], list[int]]:
    """Teach the tasks, row by row, until the budget is spent; return all feedback, and the steps spent at each step."""
    env.reset(seed=0)
    answers, spent = [], []
    for task in tasks:
        _, _, terminated, _, info = env.step(task)
        spent.append(info["spent"])
        if info["feedback"] is not None:
            answers.append(info["feedback"])
        if terminated:
            return answers, spent
    raise AssertionError(f"{len(tasks)} tasks did not spend the budget of {env.budget}; spent {env.spent}")


def expected_answers(tasks: NDArray[np.float64], *, slots: int, budget: int, vectoriser: str) -> dict[int, float]:
    """By bookkeeping alone: which decisions are finished within the budget, with their outcome."""
    handed_out = slots
    finished: dict[int, float] = {}
    playing = list(range(slots))
    left = [int(np.ceil(tasks[decision, 0])) for decision in playing]
    waiting: list[int] = []
    while True:
        ended = []
        for slot in range(slots):
            if slot in waiting:
                continue
            if budget == 0:
                return finished
            budget -= 1
            left[slot] -= 1
            if left[slot] == 0:
                length, pay = np.ceil(tasks[playing[slot], 0]), tasks[playing[slot], 1]
                finished[playing[slot]] = float(length * pay)
                ended.append(slot)
        # All have stepped, before any gets its next task.
        for slot in waiting if vectoriser == "next step" else ended:
            playing[slot], left[slot], handed_out = handed_out, int(np.ceil(tasks[handed_out, 0])), handed_out + 1
        waiting = ended if vectoriser == "next step" else []


def draw_tasks(seed: int, count: int, longest: float) -> NDArray[np.float64]:
    return np.random.default_rng(seed).uniform([0.5, -1.0], [longest, 1.0], size=(count, 2))


@given(
    seed=st.integers(0, 2**32 - 1),
    slots=st.sampled_from([1, 3, 5]),
    budget=st.integers(1, 60),
    vectoriser=st.sampled_from(VECTORISERS),
    longest=st.sampled_from([1.0, 2.0, 6.0]),
    times_out=st.booleans(),
)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_every_finished_episode_is_answered_exactly_once_and_the_budget_is_spent_exactly(
    seed: int, slots: int, budget: int, vectoriser: str, longest: float, times_out: bool
) -> None:
    tasks = draw_tasks(seed, budget + 2 * slots + 2, longest)
    answers, spent = run(make_env(Marcher(slots, vectoriser), budget, times_out=times_out), tasks)
    expected = expected_answers(tasks, slots=slots, budget=budget, vectoriser=vectoriser)
    decisions = [answer.decision for answer in answers]
    assert len(set(decisions)) == len(decisions)
    assert {answer.decision: pytest.approx(answer.outcome) for answer in answers} == expected
    for answer in answers:
        assert np.array_equal(answer.task, tasks[answer.decision])
        assert answer.cost == np.ceil(tasks[answer.decision, 0])
        assert answer.success == (answer.outcome > MASTERED_ABOVE)
    assert spent == sorted(spent)
    assert spent[-1] == budget


@pytest.mark.parametrize("vectoriser", VECTORISERS)
@pytest.mark.parametrize("slots", [1, 3, 5])
@pytest.mark.parametrize("missing", [0, 1, 2])
def test_slots_that_finish_together_with_the_budget_are_all_answered(vectoriser: str, slots: int, missing: int) -> None:
    tasks = np.tile([2.0, 0.5], (4 * slots + 4, 1))
    budget = 2 * slots * 2 - min(missing, slots - 1)
    answers, _ = run(make_env(Marcher(slots, vectoriser), budget), tasks)
    assert len(answers) == 2 * slots - min(missing, slots - 1)
    assert all(answer.cost == 2 and answer.outcome == 1.0 for answer in answers)


@pytest.mark.parametrize("vectoriser", VECTORISERS)
def test_only_the_slot_that_finished_gets_a_new_task(vectoriser: str) -> None:
    student = Marcher(3, vectoriser)
    run(make_env(student, 60), draw_tasks(1, 80, 6.0))
    redrawn = 0
    renewed = [False] * 3
    for before, after in zip(student.seen, student.seen[1:], strict=False):
        # Same-step vectorisers have reset where the later step says that it is over, the other where the earlier does.
        renewed = list(before.over if vectoriser == "next step" else after.over)
        for slot in range(3):
            assert np.array_equal(before.tasks[slot], after.tasks[slot]) != renewed[slot]
        redrawn += sum(renewed)
    assert redrawn > 5


@pytest.mark.parametrize("times_out", [True, False])
def test_stable_baselines_sees_last_observations_and_tells_time_outs_from_terminations(times_out: bool) -> None:
    student = Marcher(2, "stable baselines")
    run(make_env(student, 30, times_out=times_out), draw_tasks(1, 40, 6.0))
    ended = 0
    for before, step in zip(student.seen, student.seen[1:], strict=False):
        for slot in range(2):
            assert ("terminal_observation" in step.infos[slot]) == step.over[slot]
            if step.over[slot]:
                assert step.infos[slot]["TimeLimit.truncated"] == times_out
                assert step.infos[slot]["terminal_observation"][0] == 0
                assert step.infos[slot]["terminal_observation"][1] == np.float32(before.tasks[slot][1])
                assert step.observations[slot][0] == np.ceil(step.tasks[slot][0])
                ended += 1
    assert ended > 4


def test_same_step_vectors_carry_the_last_observation_and_show_the_next_task() -> None:
    student = Marcher(3, "same step")
    run(make_env(student, 30), draw_tasks(1, 40, 6.0))
    ended = 0
    for before, step in zip(student.seen, student.seen[1:], strict=False):
        for slot in np.flatnonzero(step.over):
            assert step.infos["_final_obs"][slot]
            assert np.array_equal(step.infos["final_obs"][slot], np.array([0, before.tasks[slot][1]], dtype=np.float32))
            assert step.observations[slot][0] == np.ceil(step.tasks[slot][0])
            ended += 1
    assert ended > 4


@pytest.mark.parametrize("times_out", [True, False])
def test_truncation_and_termination_are_told_apart(times_out: bool) -> None:
    world, _, _ = make_slot(Countdown(times_out=times_out), [[1.0, 0.5]])
    world.reset()
    _, _, terminated, truncated, _ = world.step(np.zeros(1))
    assert (terminated, truncated) == (not times_out, times_out)


def make_slot(
    world: Any, tasks: Any, *, budget: int = 100
) -> tuple[SlotEnv, BudgetLedger, list[FinishedEpisode | None]]:
    """An environment of one slot that gets the tasks in turn; and the list of what it hands over."""
    ledger, handed_over = BudgetLedger(budget, mastered_above=MASTERED_ABOVE), []
    coming = iter(np.array(tasks))

    def ask(episode: FinishedEpisode | None) -> FloatArray:
        handed_over.append(episode)
        return np.asarray(next(coming))

    return SlotEnv(TaughtWorlds(SerialBatch([world]), ledger, ask, seed=3)), ledger, handed_over


def test_reset_in_mid_episode_restarts_the_same_task_and_the_steps_stay_spent() -> None:
    world, ledger, handed_over = make_slot(Countdown(), [[3.0, 0.5], [1.0, 1.0]])
    world.reset()
    world.step(np.zeros(1))
    world.step(np.zeros(1))
    observation, info = world.reset()
    assert observation.tolist() == [3.0, 0.5]
    assert info["task"].tolist() == [3.0, 0.5]
    assert handed_over == [None]
    for _ in range(3):
        world.step(np.zeros(1))
    assert ledger.spent == 5
    observation, _ = world.reset()
    assert observation.tolist() == [1.0, 1.0]
    assert handed_over[1] is not None
    answer = handed_over[1].feedback
    assert answer is not None
    assert (answer.outcome, answer.cost, answer.success, answer.decision) == (1.5, 3, True, 0)


def test_two_resets_in_a_row_ask_for_one_task() -> None:
    world, _, handed_over = make_slot(Countdown(), [[3.0, 0.5], [1.0, 1.0]])
    world.reset()
    world.reset()
    assert handed_over == [None]


def test_seeds_and_options_of_the_training_loop_are_ignored() -> None:
    world, _, _ = make_slot(Reach(), [[0.5]])
    first, _ = world.reset(seed=1, options={"task": [0.9]})
    other, _, _ = make_slot(Reach(), [[0.5]])
    second, _ = other.reset(seed=2)
    assert np.array_equal(first, second)
    assert first[1] == 0.5


def test_the_stream_of_a_slot_goes_on_from_episode_to_episode() -> None:
    world, _, _ = make_slot(Reach(length=1), [[0.5]] * 9)
    starts = set()
    for _ in range(9):
        observation, _ = world.reset()
        starts.add(float(observation[0]))
        world.step(np.zeros(1))
    assert len(starts) == 9


def test_slots_have_streams_of_their_own_that_do_not_depend_on_their_number() -> None:
    def starts(count: int) -> list[float]:
        batch, ledger = SerialBatch([Reach() for _ in range(count)]), BudgetLedger(9, mastered_above=0.0)
        worlds = TaughtWorlds(batch, ledger, lambda _: np.zeros(1), seed=5)
        observations = worlds.reset(np.arange(count), [None] * count)
        return [float(position) for position in observations[:, 0]]

    assert len(set(starts(4))) == 4
    assert starts(4)[:2] == starts(2)


def test_a_step_beyond_the_budget_is_refused_and_not_played() -> None:
    base = Countdown()
    world, ledger, _ = make_slot(base, [[6.0, 0.5]], budget=2)
    world.reset()
    exhausted = []
    for _ in range(2):
        world.step(np.zeros(1))
        exhausted.append(ledger.exhausted)
    assert exhausted == [False, True]
    with pytest.raises(BudgetSpent):
        world.step(np.zeros(1))
    assert ledger.spent == 2
    assert base._left == 4


def test_an_outcome_that_is_not_finite_is_an_error() -> None:
    class Diverging(Countdown):
        def step(self, action: Any) -> Any:
            observation, _, terminated, truncated, info = super().step(action)
            return observation, float("nan"), terminated, truncated, info

    world, _, _ = make_slot(Diverging(), [[1.0, 0.5]])
    world.reset()
    with pytest.raises(ValueError, match="outcome is nan; expected a finite number"):
        world.step(np.zeros(1))


@pytest.mark.parametrize("budget", [0, -5])
def test_a_budget_below_1_is_refused(budget: int) -> None:
    with pytest.raises(ValueError, match=f"budget is {budget}; expected (a whole number|at least 1)"):
        BudgetLedger(budget, mastered_above=0.0)


def test_slots_below_1_are_refused() -> None:
    with pytest.raises(ValueError, match="slots is 0; expected a whole number, at least 1"):
        make_env(Marcher(0, "same step"), 10).reset()


@pytest.mark.parametrize(("left", "counted"), [(0, 0), (1, 1), (2, 2)])
def test_where_fewer_steps_are_left_than_slots_only_the_first_of_them_play(left: int, counted: int) -> None:
    worlds = [Countdown() for _ in range(3)]
    ledger = BudgetLedger(3 + left, mastered_above=MASTERED_ABOVE)
    taught = TaughtWorlds(SerialBatch(worlds), ledger, lambda _: np.array([2.0, 0.5]), seed=0)
    slots, actions = np.arange(3), np.zeros((3, 1))
    taught.reset(slots, [None] * 3)
    taught.step(slots, actions)
    with pytest.raises(BudgetSpent):
        taught.step(slots, actions)
    assert ledger.exhausted
    assert ledger.spent == 3 + left
    assert [world._left for world in worlds] == [0] * counted + [1] * (3 - counted)
    assert [result.feedback.decision for result in ledger.results] == list(range(counted))


def test_a_step_of_some_slots_counts_those() -> None:
    ledger = BudgetLedger(10, mastered_above=MASTERED_ABOVE)
    taught = TaughtWorlds(SerialBatch([Countdown() for _ in range(3)]), ledger, lambda _: np.array([2.0, 0.5]), seed=0)
    taught.reset(np.arange(3), [None] * 3)
    for _ in range(2):
        taught.step(np.array([2, 0]), np.zeros((2, 1)))
    assert ledger.spent == 4
    answers = [result.feedback for result in ledger.results]
    assert [(answer.decision, answer.cost, answer.outcome) for answer in answers] == [(2, 2, 1.0), (0, 2, 1.0)]


def test_outcomes_are_the_sums_in_the_order_of_the_steps_bit_for_bit() -> None:
    rewards = np.random.default_rng(0).normal(size=40) * 10.0 ** np.arange(-20, 20)

    class Paying(Countdown):
        def step(self, action: Any) -> Any:
            observation, _, terminated, truncated, info = super().step(action)
            return observation, float(rewards[self._left]), terminated, truncated, info

    world, ledger, _ = make_slot(Paying(longest=50.0), [[40.0, 0.0]])
    world.reset()
    total = 0.0
    for left in range(39, -1, -1):
        world.step(np.zeros(1))
        total += float(rewards[left])
    assert ledger.results[0].feedback.outcome == total


def test_a_student_that_returns_early_ends_the_episode_with_all_its_answers() -> None:
    tasks = np.tile([2.0, 0.5], (20, 1))
    for vectoriser, finished, steps in (("stable baselines", 6, 12), ("same step", 6, 12), ("next step", 3, 9)):
        answers, spent = run(make_env(Marcher(3, vectoriser, rounds=4), 100), tasks)
        assert spent[-1] == steps
        assert sorted(answer.decision for answer in answers) == list(range(finished))
