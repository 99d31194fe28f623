from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from teachgym import Feedback, Teacher, Transition, teach
from teachgym.core.loop import Progress
from teachgym.core.record import Record
from teachgym.core.sampling import Window
from teachgym.core.spec import TeachingSpec
from teachgym.core.teacher import Choice, Note
from teachgym.envs.tasks.task_teaching_env import TaskTeachingEnv
from teachgym.students import CallableStudent
from tests.toy import Reach, noisy_walk

EPISODE = 5


class Watcher(Teacher):
    """Draws targets uniformly, remembers what it was told, and narrows its window every third decision."""

    def __init__(self, spec: TeachingSpec, *, seed: int = 0) -> None:
        super().__init__(spec, seed=seed)
        self.seen: list[Transition] = []
        self.acted_on: list[Any] = []
        self.window = Window(np.array([-1.0]), np.array([1.0]))

    def _act(self, observation: Any) -> Choice:
        self.acted_on.append(observation)
        return Choice(self.rng.uniform(self.window.low, self.window.high), f"window {len(self.acted_on)}")

    def _update(self, transition: Transition, note: Note | None) -> None:
        self.seen.append(transition)
        if len(self.seen) % 3 == 0:
            self.window = Window(self.window.low / 2, self.window.high / 2)

    def sampling(self) -> Window:
        return self.window


def make_env(*, episodes: int = 7, **settings: Any) -> TaskTeachingEnv:
    return TaskTeachingEnv(
        Reach,
        student=CallableStudent(noisy_walk),
        budget=episodes * EPISODE,
        outcome_range=(-5.0, 0.0),
        mastered_above=-1.0,
        **settings,
    )


def test_the_record_tells_what_the_teacher_did_and_what_came_of_it() -> None:
    env = make_env()
    teacher = Watcher(env.teaching_spec)
    record = teach(env, teacher, seed=0)
    assert record.origins == [f"window {i}" for i in range(1, 8)]
    assert [feedback.decision for feedback in record.feedback] == list(range(7))
    assert np.array_equal(record.tasks, [transition.action for transition in teacher.seen])
    assert record.finished_at == [EPISODE * (i + 1) for i in range(7)]
    assert record.evaluations == []


def test_sampling_is_recorded_when_it_changes_with_the_steps_at_which_it_did() -> None:
    env = make_env()
    record = teach(env, Watcher(env.teaching_spec), seed=0)
    assert [steps for steps, _ in record.sampling] == [0, 3 * EPISODE, 6 * EPISODE]
    widths = [float(window.high[0]) for _, window in record.sampling if isinstance(window, Window)]
    assert widths == [1.0, 0.5, 0.25]


def test_the_teacher_sees_whole_transitions_in_a_chain() -> None:
    env = make_env()
    teacher = Watcher(env.teaching_spec)
    record = teach(env, teacher, seed=0)
    first, _ = make_env().reset(seed=0)
    assert np.array_equal(teacher.acted_on[0], first)
    for transition, acted_on in zip(teacher.seen, teacher.acted_on, strict=True):
        assert transition.observation is acted_on
    for earlier, later in zip(teacher.seen, teacher.seen[1:], strict=False):
        assert earlier.next_observation is later.observation
    assert [transition.terminated for transition in teacher.seen] == [False] * 6 + [True]
    assert [transition.feedback for transition in teacher.seen] == record.feedback
    assert [transition.reward for transition in teacher.seen] == record.outcomes.tolist()


def test_one_seed_makes_one_run() -> None:
    def run(seed: int) -> list[Feedback]:
        env = make_env()
        return teach(env, Watcher(env.teaching_spec, seed=seed), seed=seed).feedback

    assert run(0) == run(0)
    assert run(0) != run(1)


def test_progress_is_told_after_every_decision() -> None:
    told: list[tuple[int, int, int, bool]] = []

    def on_step(progress: Progress) -> None:
        assert len(progress.record.origins) == len(told) + 1
        told.append((progress.spent, progress.budget, progress.episodes, progress.over))

    env = make_env(episodes=3)
    teach(env, Watcher(env.teaching_spec), seed=0, on_step=on_step)
    assert told == [(5, 15, 1, False), (10, 15, 2, False), (15, 15, 3, True)]


def test_whatever_on_step_raises_stops_the_run() -> None:
    class EnoughError(Exception):
        pass

    def stop(progress: Progress) -> None:
        if progress.episodes == 2:
            raise EnoughError

    env = make_env()
    teacher = Watcher(env.teaching_spec)
    with pytest.raises(EnoughError):
        teach(env, teacher, seed=0, on_step=stop)
    assert len(teacher.seen) == 2


def test_a_run_with_several_slots_is_recorded_without_the_steps_that_finished_nothing(tmp_path: Path) -> None:
    def march(world: Any, *, steps: int, seed: int, publish: Any) -> None:
        world.reset()
        while True:
            world.step(np.zeros((3, 1), dtype=np.float32))

    env = TaskTeachingEnv(
        Reach,
        student=CallableStudent(march, slots=3),
        budget=30,
        outcome_range=(-5.0, 0.0),
        mastered_above=-1.0,
    )
    record = teach(env, Watcher(env.teaching_spec), seed=0)
    assert len(record.feedback) == len(record.finished_at) == 6
    assert len(record.origins) >= 8
    record.save(tmp_path)
    assert Record.load(tmp_path).feedback == record.feedback


def test_a_wrapped_environment_is_taught_too() -> None:
    env = gymnasium.wrappers.TimeLimit(make_env(), 4)
    assert len(teach(env, Watcher(env.unwrapped.teaching_spec), seed=0).feedback) == 4  # type: ignore[attr-defined]


def test_an_ordinary_environment_is_refused() -> None:
    env = make_env()
    with pytest.raises(TypeError, match="no teacher environment"):
        teach(Reach(), Watcher(env.teaching_spec))
