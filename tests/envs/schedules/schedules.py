"""Playing schedules by rules."""

from teachgym.envs.schedules.schedule_env import ScheduleEnv


def play_rule(env: ScheduleEnv, rule: str, *, seed: int = 0) -> list[float]:
    """The scores at the beginning and after every quantum, under a reference policy."""
    observation, info = env.reset(seed=seed)
    scores, over = [float(info["score"])], False
    while not over:
        observation, _, over, _, info = env.step(env.problem.rules[rule](observation))
        scores.append(float(info["score"]))
    return scores


def final_score(env: ScheduleEnv, rule: str, *, seed: int = 0) -> float:
    """The last of them."""
    return play_rule(env, rule, seed=seed)[-1]
