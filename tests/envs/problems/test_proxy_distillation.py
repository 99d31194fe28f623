"""Distillation from an imperfect teacher: exact distances, hacking, and when to stop."""

from functools import cache

import numpy as np
import pytest
import torch
from torch.nn import functional

from teachgym.envs.problems.proxy_distillation.bigram_models import (
    PROMPT,
    SYMBOLS,
    OracleModel,
    divergence,
    draw_prompts,
    generate,
    make_model,
)
from teachgym.envs.problems.proxy_distillation.env import SPLITS, Controls, HackingStudent, ProxyDistillationEnv
from tests.envs.problems.problems import final_score, play_rule

pytestmark = pytest.mark.xdist_group("proxy-distillation")  # one process, for its cache

SEEDS = range(3)


def student(env: ProxyDistillationEnv) -> HackingStudent:
    found = env.lifetime.student
    assert isinstance(found, HackingStudent)
    return found


@cache
def curves(rule: str, seed: int, *, steps: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Golden and proxy distances at the beginning and after every epoch."""
    env = ProxyDistillationEnv(budget=steps)
    golden = -np.array(play_rule(env, rule, seed=seed))
    return golden, np.array(student(env).proxies)


def test_sequences_have_the_frequencies_that_the_model_says() -> None:
    rng = np.random.default_rng(0)
    oracle, prompt = OracleModel(rng), draw_prompts(1, rng)
    drawn = generate(oracle, prompt.repeat(4000, 1), rng)
    first = drawn.symbols[:4000]
    wanted = functional.softmax(oracle(drawn.contexts[:1]), dim=1)[0]
    found = torch.bincount(first, minlength=SYMBOLS) / 4000
    torch.testing.assert_close(found, wanted, atol=0.03, rtol=0)
    # after a symbol, the context of the next one is that symbol
    assert bool((drawn.contexts[4000:8000, PROMPT:].argmax(dim=1) == first).all())


def test_a_divergence_is_the_mean_of_log_ratios_of_what_the_reference_draws() -> None:
    rng = np.random.default_rng(1)
    reference, model = OracleModel(rng), make_model(16, 0)
    contexts = generate(reference, draw_prompts(4000, rng), rng)
    with torch.no_grad():
        places = torch.arange(len(contexts.symbols)), contexts.symbols
        ratio = (
            functional.log_softmax(reference(contexts.contexts), dim=1)[places]
            - functional.log_softmax(model(contexts.contexts), dim=1)[places]
        )
    assert divergence(reference, model, contexts.contexts) == pytest.approx(float(ratio.mean()), abs=0.02)
    assert divergence(model, model, contexts.contexts) == 0


def test_a_student_that_is_the_teacher_has_no_proxy_and_the_golden_distance_of_the_teacher() -> None:
    env = ProxyDistillationEnv()
    env.reset(seed=0)
    one = student(env)
    one._student = one._models.teacher
    one._measure()
    assert one.proxies[-1] == 0
    assert one.truth()["golden"] == one.truth()["teacher"]


def test_knobs_are_read_as_they_were_written() -> None:
    for source in ("offline", "teacher", "student"):
        for split in SPLITS:
            chosen = Controls(source, True, split, False)
            assert Controls.read(np.array(chosen.written())) == chosen
    assert Controls.read(np.ones(4)) == Controls("student", True, 60, True)


def test_to_stop_ends_the_episode_and_leaves_the_student_as_it_was() -> None:
    env = ProxyDistillationEnv()
    env.reset(seed=0)
    env.step(np.array([0.0, 0.0, 1.0, 0.0]))
    before = student(env).truth()
    _, reward, over, _, _ = env.step(np.array([0.5, 1.0, 1.0, 1.0]))
    assert over
    assert student(env).truth() == before
    assert reward != 0  # all of it is paid at the end


def test_only_new_answers_cost() -> None:
    env = ProxyDistillationEnv(budget=4, price=1.0)
    env.reset(seed=0)
    paid = [env.step(np.array([source, 0.0, 1.0, 0.0]))[4]["paid"] for source in (0.0, 0.5, 1.0)]
    assert paid == [0.0, 0.25, 0.5]


def test_neither_observations_nor_rewards_on_the_way_show_the_golden_distance() -> None:
    env = ProxyDistillationEnv(budget=5)
    env.reset(seed=0)
    for _ in range(4):
        observation, reward, _, _, info = env.step(np.array([0.5, 1.0, 1.0, 0.0]))
        assert reward == 0
        assert info["feedback"].outcome == -student(env).proxies[-1]
        assert np.float32(info["truth"]["golden"]) not in observation


def test_the_truth_is_no_worse_than_any_kind_of_data_stopped_at_any_epoch() -> None:
    best = final_score(ProxyDistillationEnv(budget=25, truth=True), "truth", seed=3)
    for rule in ("offline", "online-teacher", "online-student", "fresh"):
        golden, _ = curves(rule, 3, steps=25)
        assert -best <= golden.min() + 1e-12


@pytest.mark.learned
def test_the_slope_is_that_of_a_power_law() -> None:
    env = ProxyDistillationEnv()
    env.reset(seed=0)
    one = student(env)
    one.proxies = [1.0, *(0.7 * np.arange(1, 20.0) ** -0.8).tolist()]
    assert one._slopes() == pytest.approx([-0.8] * 14)


@pytest.mark.slow
def test_golden_falls_and_rises_while_the_proxy_falls() -> None:
    rises, falls = [], []
    for seed in SEEDS:
        golden, proxy = curves("fresh", seed)
        place = int(golden.argmin())
        rises.append(golden[-1] / golden[place])
        falls.append(proxy[-1] / proxy[place])
    assert np.mean(np.array(rises) > 1.03) >= 0.75
    assert np.mean(rises) > 1.05
    assert np.mean(falls) < 0.6


@pytest.mark.slow
def test_fresh_prompts_reach_less_than_the_offline_set_and_few_prompts_are_worst() -> None:
    least = {
        rule: np.mean([curves(rule, seed)[0].min() for seed in SEEDS]) for rule in ("fresh", "offline", "low-diversity")
    }
    assert least["fresh"] < least["offline"] - 0.004
    assert least["low-diversity"] > least["offline"] + 0.02


@pytest.mark.slow
def test_to_stop_when_the_power_law_ends_beats_every_kind_of_data_to_the_end() -> None:
    stopped = -np.mean([curves("paper", seed)[0][-1] for seed in SEEDS])
    for rule in ("fresh", "offline", "online-teacher", "none"):
        ended = -np.mean([curves(rule, seed)[0][-1] for seed in SEEDS])
        assert stopped > ended + 0.01
