"""Playing schedules by rules."""

from teachgym.envs.problems.control_env import ControlEnv


def play_rule(env: ControlEnv, rule: str, *, seed: int = 0) -> list[float]:
    """The scores at the beginning and after every segment, under a reference policy."""
    observation, _ = env.reset(seed=seed)
    scores, over = [env.lifetime.student.score()], False
    while not over:
        observation, _, over, _, _ = env.step(env.teaching_spec.rules[rule](observation))
        scores.append(env.lifetime.student.score())
    return scores


def final_score(env: ControlEnv, rule: str, *, seed: int = 0) -> float:
    """The last of them."""
    return play_rule(env, rule, seed=seed)[-1]
