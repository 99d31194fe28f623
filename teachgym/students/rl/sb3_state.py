"""Everything that an algorithm of Stable-Baselines3 goes on from, between two rollouts, as arrays and plain values."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.running_mean_std import RunningMeanStd
from stable_baselines3.common.vec_env import VecNormalize

from teachgym.base.state import State
from teachgym.core.seeding import generator_from_state, generator_state
from teachgym.students.lifetimes.global_state import capture, from_plain, restore, to_plain

_COUNTERS = ("num_timesteps", "_episode_num", "_n_updates", "_current_progress_remaining")
_OBSERVED = ("_last_obs", "_last_episode_starts", "_last_original_obs")
_REPLAYED = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")
_NORMALISED = ("returns", "old_obs", "old_reward")


def algorithm_state(algorithm: BaseAlgorithm) -> State:
    """Weights, optimisers, counters, last observations, replay buffer, running normalisation and generators, copied.

    To be called at the start of a rollout, where the rollout buffer of on-policy algorithms is empty.

    Raises:
        ValueError: If the algorithm has state beyond that: gSDE, action noise, or a replay buffer of another kind.
    """
    _check(algorithm)
    _, variables = algorithm._get_torch_save_params()
    state: State = {
        "parameters": _to_arrays(algorithm.get_parameters()),
        "variables": {name: _to_arrays(getattr(algorithm, name)) for name in variables},
        "counters": {name: getattr(algorithm, name) for name in _COUNTERS if hasattr(algorithm, name)},
        "observed": {name: _copied(getattr(algorithm, name, None)) for name in _OBSERVED},
        "exploring": generator_state(algorithm.action_space.np_random),
        "global": to_plain(capture()),
    }
    normalise = algorithm.get_vec_normalize_env()
    if normalise is not None:
        state["normalise"] = {name: _copied(getattr(normalise, name)) for name in _NORMALISED} | {
            name: _statistics(getattr(normalise, name)) for name in ("obs_rms", "ret_rms")
        }
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
        algorithm.set_parameters(_from_arrays(state["parameters"]), exact_match=True, device=algorithm.device)
        for name, value in state["variables"].items():
            getattr(algorithm, name).data.copy_(_from_arrays(value))
        for name, value in state["counters"].items():
            setattr(algorithm, name, value)
        for name, value in state["observed"].items():
            setattr(algorithm, name, value)
        algorithm.action_space._np_random = generator_from_state(state["exploring"])
        normalise = algorithm.get_vec_normalize_env()
        if normalise is not None:
            _load_normaliser(normalise, state["normalise"])
        buffer = algorithm.replay_buffer if isinstance(algorithm, OffPolicyAlgorithm) else None
        if buffer is not None:
            replay = state["replay"]
            buffer.pos, buffer.full = int(replay["pos"]), bool(replay["full"])
            for name in _REPLAYED:
                getattr(buffer, name)[: len(replay[name])] = replay[name]
        restore(from_plain(state["global"]))
    except (KeyError, RuntimeError) as error:
        raise ValueError(f"the stored student does not fit these settings and spaces: {error!r}") from error


def _check(algorithm: BaseAlgorithm) -> None:
    noise, buffer = getattr(algorithm, "action_noise", None), getattr(algorithm, "replay_buffer", None)
    if algorithm.use_sde or noise is not None or not (buffer is None or all(hasattr(buffer, n) for n in _REPLAYED)):
        raise ValueError(f"{type(algorithm).__name__} with gSDE, action noise or such a buffer can't be stored whole")


def _load_normaliser(normalise: VecNormalize, state: State) -> None:
    for name in _NORMALISED:
        setattr(normalise, name, state[name])
    for name in ("obs_rms", "ret_rms"):
        statistics: RunningMeanStd = getattr(normalise, name)
        statistics.mean, statistics.var = np.array(state[name]["mean"]), np.array(state[name]["var"])
        statistics.count = float(state[name]["count"])


def _statistics(statistics: RunningMeanStd) -> State:
    return {"mean": np.array(statistics.mean), "var": np.array(statistics.var), "count": float(statistics.count)}


def _copied(value: Any) -> Any:
    return None if value is None else np.array(value)


def _to_arrays(value: Any) -> Any:
    """Tensors as arrays of their own; dicts with whole numbers for keys, which JSON lacks, as lists of pairs."""
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().numpy().copy()
    if isinstance(value, Mapping):
        if all(isinstance(key, str) for key in value):
            return {key: _to_arrays(entry) for key, entry in value.items()}
        return {"__pairs__": [[key, _to_arrays(entry)] for key, entry in value.items()]}
    if isinstance(value, list | tuple):
        return [_to_arrays(entry) for entry in value]
    return value


def _from_arrays(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return torch.tensor(value)
    if isinstance(value, Mapping):
        if set(value) == {"__pairs__"}:
            return {key: _from_arrays(entry) for key, entry in value["__pairs__"]}
        return {key: _from_arrays(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_from_arrays(entry) for entry in value]
    return value
