"""Skills found by clustering agree with the subject's own where these look different, and drive a skill list."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from teachgym.data.example import Answer, Example
from teachgym.envs.data.discovery.clustering import Clustering, ClusteringSettings
from tests.data.toy import Numbers, settings

TASK = Numbers()


def answers(known: str = "same") -> list[Answer]:
    return TASK.mark(TASK.validation, [one.target if one.skill == known else "?" for one in TASK.validation])


def test_clusters_agree_with_skills_that_are_asked_for_in_different_words() -> None:
    names, labels = Clustering().discover(answers(), 3, np.random.default_rng(0))
    assert adjusted_rand_score([one.skill for one in TASK.validation], labels) == 1.0
    assert len(set(names)) == 3
    for name, label in zip(names, dict.fromkeys(labels), strict=True):
        (word,) = {one.skill for one, place in zip(TASK.validation, labels, strict=True) if place == label}
        assert any(part in word for part in name.split()[1:])


def test_errors_part_what_is_asked_for_in_the_same_words() -> None:
    prompts = [f"solve {number}" for number in range(40)]
    marked = [
        Answer(Example(prompt, "a"), "a" if place % 2 else "zzz", float(place % 2), bool(place % 2))
        for place, prompt in enumerate(prompts)
    ]
    _, labels = Clustering(ClusteringSettings(error_weight=3.0)).discover(marked, 2, np.random.default_rng(0))
    assert adjusted_rand_score([place % 2 for place in range(40)], labels) == 1.0


def test_the_same_seed_finds_the_same_skills_and_few_examples_few_skills() -> None:
    first, second = (Clustering().discover(answers(), 5, np.random.default_rng(7)) for _ in range(2))
    assert first == second
    few = [Answer(Example("a b c", "d"), "x", 0.0, False), Answer(Example("q r s", "t"), "y", 0.0, False)]
    assert len(Clustering().discover(few, 8, np.random.default_rng(0)).names) == 2
    one = Clustering().discover(few[:1], 8, np.random.default_rng(0))
    assert (len(one.names), one.labels) == (1, [0])


def test_a_teacher_of_discovered_skills_reaches_what_they_stand_for() -> None:
    arguments: dict[str, Any] = {"action": "discrete", "rounds": 3, "discovery": "clustering", "discovered": 5}
    env: Any = gymnasium.make("teachgym/SkillList-v0", disable_env_checker=True, **arguments, **settings()).unwrapped
    _, info = env.reset(seed=0)
    assert len(info["skill_accuracy"]) == 5
    assert env.teaching_spec.skills == tuple(f"skill {k}" for k in range(5))
    lifetime = env.lifetime
    for skill in range(5):
        members = {one.example.skill for one, at in zip(lifetime.answers, lifetime.labels, strict=True) if at == skill}
        env.reset(seed=0)
        env.step(skill)
        if members:
            assert {one.skill for one in lifetime.latest} <= members
        assert env.spent == 40


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="dimensions is 1"):
        ClusteringSettings(dimensions=1)
    with pytest.raises(ValueError, match="error_weight is 0"):
        ClusteringSettings(error_weight=0)
