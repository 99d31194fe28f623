"""Everything that an algorithm of Stable-Baselines3 goes on from, between two rollouts, as arrays and plain values."""

from typing import Any

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.running_mean_std import RunningMeanStd
from stable_baselines3.common.save_util import recursive_getattr
from stable_baselines3.common.vec_env import VecNormalize

import teachgym.students.torch_state  # noqa: F401 - by which networks are kept
from teachgym.base.state import State, foreign_keeps, restored, stored
from teachgym.students.lifetimes.global_state import capture, from_plain, restore, to_plain

_PLAIN = (
    "num_timesteps",
    "_episode_num",
    "_n_updates",
    "_current_progress_remaining",
    "_last_obs",
    "_last_episode_starts",
    "_last_original_obs",
)
_REPLAYED = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")

foreign_keeps(RunningMeanStd, "mean", "var", "count")
foreign_keeps(VecNormalize, "returns", "old_obs", "old_reward", "obs_rms", "ret_rms")


def algorithm_state(algorithm: BaseAlgorithm) -> State:
    """Weights, optimisers, counters, last observations, replay buffer, running normalisation and generators, copied.

    To be called at the start of a rollout, where the rollout buffer of on-policy algorithms is empty.

    Raises:
        ValueError: If the algorithm has state beyond that: gSDE, action noise, or a replay buffer of another kind.
    """
    _check(algorithm)
    state: State = {name: stored(part) for name, part in _parts(algorithm).items()}
    state |= {name: stored(getattr(algorithm, name)) for name in _PLAIN if hasattr(algorithm, name)}
    state["global"] = to_plain(capture())
    buffer = algorithm.replay_buffer if isinstance(algorithm, OffPolicyAlgorithm) else None
    if buffer is not None:
        filled = buffer.buffer_size if buffer.full else buffer.pos
        arrays = {name: getattr(buffer, name)[:filled].copy() for name in _REPLAYED}
        state["replay"] = {"pos": buffer.pos, "full": buffer.full, **arrays}
    return state


def load_algorithm(algorithm: BaseAlgorithm, state: State) -> None:
    """Put an algorithm, freshly made with the same settings, where the other was; global generators included.

    Raises:
        ValueError: If the state does not fit the algorithm.
    """
    _check(algorithm)
    try:
        for name, part in _parts(algorithm).items():
            restored(part, state[name])
        for name in _PLAIN:
            if hasattr(algorithm, name):
                setattr(algorithm, name, restored(getattr(algorithm, name), state[name]))
        buffer = algorithm.replay_buffer if isinstance(algorithm, OffPolicyAlgorithm) else None
        if buffer is not None:
            replay = state["replay"]
            buffer.pos, buffer.full = int(replay["pos"]), bool(replay["full"])
            for name in _REPLAYED:
                getattr(buffer, name)[: len(replay[name])] = replay[name]
        restore(from_plain(state["global"]))
    except (KeyError, RuntimeError) as error:
        raise ValueError(f"the stored student does not fit these settings and spaces: {error!r}") from error


def _parts(algorithm: BaseAlgorithm) -> dict[str, Any]:
    """What an algorithm has that takes its state over where it is."""
    networks, variables = algorithm._get_torch_save_params()
    parts = {name: recursive_getattr(algorithm, name) for name in (*networks, *variables)}
    parts["exploring"] = algorithm.action_space.np_random
    normalise = algorithm.get_vec_normalize_env()
    return parts if normalise is None else {**parts, "normalise": normalise}


def _check(algorithm: BaseAlgorithm) -> None:
    noise, buffer = getattr(algorithm, "action_noise", None), getattr(algorithm, "replay_buffer", None)
    if algorithm.use_sde or noise is not None or not (buffer is None or all(hasattr(buffer, n) for n in _REPLAYED)):
        raise ValueError(f"{type(algorithm).__name__} with gSDE, action noise or such a buffer can't be stored whole")
