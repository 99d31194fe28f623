"""Whether a world keeps the contract: a Gymnasium environment that takes its task at reset and says which it took."""

import copy
import warnings
from collections.abc import Callable
from contextlib import closing
from typing import Any

import gymnasium
import numpy as np
from gymnasium.utils.env_checker import check_env

from teachgym.core.task_space import FloatArray, TaskSpace
from teachgym.testing.equality import difference

_MakeWorld = Callable[[], gymnasium.Env[Any, Any]]

_STEPS = 100
_HARMLESS = (
    r".*This is probably too (low|high)",  # infinity is the honest bound where nothing bounds a value
    r".*Not able to test alternative render modes",
    r".*is different from the unwrapped version",
)


def check_world(make: _MakeWorld, *, seed: int = 0) -> None:
    """Check that an environment is a world; call it from a test of your own.

    A world has a ``task_space``, on itself or on ``env.unwrapped``. ``reset(options={"task": task})`` takes a
    task, and ``info["task"]`` gives a copy of it at reset and at every step. Tasks out of bounds, with NaN or of
    another shape raise ``ValueError``. Seed, task and actions determine everything, whatever happened before; without
    a seed, the state of ``np_random`` takes its place, from which interrupted studies go on.
    Gymnasium's own ``check_env`` passes as well; rendering is left out, since it may open a window.

    Args:
        make: Makes a new environment at each call.
        seed: Determines the tasks and actions that are tried.

    Raises:
        AssertionError: If the environment breaks the contract; the message says how.
    """
    with closing(make()) as env:
        space = _task_space(env)
        rng = np.random.default_rng(seed)
        tasks = [space.low.copy(), space.high.copy(), *space.uniform(rng, 2)]
        for task in tasks:
            _check_echo(env, task, seed)
        _check_refusals(env, space, seed)
    _check_determinism(make, tasks[-2:], seed)
    _check_generator(make, tasks[-2:], seed)
    with closing(make()) as env:
        _check_with_gymnasium(env)


def _task_space(env: gymnasium.Env[Any, Any]) -> TaskSpace:
    for owner in (env, env.unwrapped):
        space = getattr(owner, "task_space", None)
        if isinstance(space, TaskSpace):
            return space
        if space is not None:
            raise AssertionError(
                f"task_space is a {type(space).__name__}; expected a teachgym.core.task_space.TaskSpace"
            )
    raise AssertionError("the world has no task_space, neither on itself nor on env.unwrapped")


def _reset(env: gymnasium.Env[Any, Any], task: Any, seed: int | None) -> tuple[Any, dict[str, Any]]:
    try:
        observation, info = env.reset(seed=seed, options={"task": task})
    except Exception as error:
        raise AssertionError(
            f"reset(options={{'task': {task}}}) raises {error!r}, although the task is valid"
        ) from error
    return observation, info


def _check_echo(env: gymnasium.Env[Any, Any], task: FloatArray, seed: int) -> None:
    given = task.copy()
    _, info = _reset(env, given, seed)
    _expect_task(info, task, "reset")
    given[:] = info["task"][:] = np.nan
    env.action_space.seed(seed)
    for _ in range(2):
        _, _, terminated, truncated, info = env.step(env.action_space.sample())
        _expect_task(info, task, "step")
        info["task"][:] = np.nan
        if terminated or truncated:
            break


def _expect_task(info: dict[str, Any], task: FloatArray, where: str) -> None:
    if "task" not in info:
        raise AssertionError(f"info['task'] is missing after {where}")
    echoed = info["task"]
    if not isinstance(echoed, np.ndarray) or echoed.dtype != np.float64:
        raise AssertionError(f"info['task'] after {where} is {echoed!r}; expected a float64 array")
    if not np.array_equal(echoed, task):
        raise AssertionError(
            f"info['task'] after {where} is {echoed}; expected {task}: a copy of the task that was given, "
            "which changes neither with the caller's array nor with an info returned earlier"
        )


def _check_refusals(env: gymnasium.Env[Any, Any], space: TaskSpace, seed: int) -> None:
    centre = (space.low + space.high) / 2
    with_nan = centre.copy()
    with_nan[-1] = np.nan
    bad_tasks = {
        "above the bounds": space.high + space.range,
        "below the bounds": space.low - space.range,
        "with NaN": with_nan,
        "of a wrong shape": np.append(centre, centre[-1]),
    }
    for what, task in bad_tasks.items():
        try:
            env.reset(seed=seed, options={"task": task})
        except ValueError:
            continue
        except Exception as error:
            raise AssertionError(f"a task {what} raises {error!r}; expected a ValueError") from error
        raise AssertionError(f"a task {what}, {task}, is accepted; expected a ValueError")


def _check_determinism(make: _MakeWorld, tasks: list[FloatArray], seed: int) -> None:
    task, other_task = tasks
    with closing(make()) as env, closing(make()) as twin:
        first = _roll_out(env, task, seed)
        found = difference(first, _roll_out(twin, task, seed), "the roll-out")
        if found is not None:
            raise AssertionError(f"two environments with equal seed, task and actions differ: {found}")
        _roll_out(env, other_task, seed + 1)
        found = difference(first, _roll_out(env, task, seed), "the roll-out")
        if found is not None:
            raise AssertionError(f"with equal seed, task and actions, an episode depends on the one before it: {found}")


def _check_generator(make: _MakeWorld, tasks: list[FloatArray], seed: int) -> None:
    """A world that is given the generator of another goes on as that one does."""
    task, other_task = tasks
    with closing(make()) as env, closing(make()) as twin:
        _roll_out(env, other_task, seed)
        _roll_out(twin, task, seed + 1)
        twin.unwrapped.np_random.bit_generator.state = env.unwrapped.np_random.bit_generator.state
        first, second = (_roll_out(one, task, None) for one in (env, twin))
    found = difference(first, second, "the roll-out")
    if found is not None:
        raise AssertionError(f"with equal np_random, task and actions, an episode depends on something else: {found}")


def _roll_out(env: gymnasium.Env[Any, Any], task: FloatArray, seed: int | None) -> list[Any]:
    observation, info = _reset(env, task, seed)
    seen: list[Any] = [copy.deepcopy((observation, info))]
    env.action_space.seed(0 if seed is None else seed)
    for _ in range(_STEPS):
        observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
        seen.append(copy.deepcopy((observation, float(reward), bool(terminated), bool(truncated), info)))
        if terminated or truncated:
            break
    return seen


def _check_with_gymnasium(env: gymnasium.Env[Any, Any]) -> None:
    with warnings.catch_warnings():
        for message in _HARMLESS:
            warnings.filterwarnings("ignore", message=message)
        try:
            check_env(env.unwrapped, skip_render_check=True)
        except AssertionError:
            raise
        except Exception as error:
            raise AssertionError(f"gymnasium's check_env fails: {error!r}") from error
