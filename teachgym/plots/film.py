"""Films of a student on tasks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from teachgym.envs.curriculum import CurriculumEnv
from teachgym.files import replacing
from teachgym.task_space import FloatArray
from teachgym.teacher_env import TeacherEnv

Frame = NDArray[np.uint8]
GIF_EVERY = 2
"""GIF players show at most 50 pictures a second, and most fewer: every second frame, for twice as long."""


@dataclass(frozen=True, eq=False)
class Clip:
    """One episode of a student, filmed."""

    task: FloatArray
    frames: list[Frame]
    """``(height, width, 3)`` pictures."""
    outcome: float
    """Return over the steps that were filmed."""


def film(env: TeacherEnv[Any, Any], tasks: Iterable[ArrayLike] | None, *, seed: int, max_steps: int) -> list[Clip]:
    """Film the environment's student on tasks.

    Args:
        env: A curriculum, with a student that can act.
        tasks: Tasks of its task space; None takes four of the test set, from easy to hard.
        seed: Seeds the worlds.
        max_steps: World steps to film of each task, from 1 up.

    Raises:
        ValueError: If a task or ``max_steps`` is out of range, or there is no world that can be rendered.
    """
    if not isinstance(env, CurriculumEnv):
        raise ValueError(f"{type(env).__name__} has no world to film; film a student of StumpTracks, for instance")
    if max_steps < 1:
        raise ValueError(f"max_steps is {max_steps}; expected at least 1")
    chosen = _easy_to_hard(env) if tasks is None else [env.task_space.validate(task) for task in tasks]
    try:
        world = env.make_world(render_mode="rgb_array")
    except TypeError as error:
        raise ValueError(f"the world takes no render_mode, so it can't be filmed: {error}") from error
    clips = []
    for task in chosen:
        observation, _ = world.reset(seed=seed, options={"task": task})
        frames, outcome, over = [_picture(world.render())], 0.0, False
        while not over and len(frames) <= max_steps:
            action = env.student.act(np.asarray(observation)[None])[0]
            observation, reward, terminated, truncated, _ = world.step(action)
            frames.append(_picture(world.render()))
            outcome += float(reward)
            over = terminated or truncated
        clips.append(Clip(task, frames, outcome))
    world.close()
    return clips


def write_film(path: Path, frames: Sequence[Frame], *, fps: int) -> None:
    """Write frames to a ``.gif`` or ``.mp4`` file, atomically.

    Raises:
        ValueError: If the suffix is another.
        ImportError: If ``.mp4`` is asked for and imageio is missing; says what to install.
    """
    if path.suffix == ".gif":
        pictures = [Image.fromarray(frame).quantize(64) for frame in frames[::GIF_EVERY]]
        duration = GIF_EVERY * 1000 // fps
        with replacing(path) as file:
            pictures[0].save(file, format="GIF", save_all=True, append_images=pictures[1:], duration=duration, loop=0)
    elif path.suffix == ".mp4":
        try:
            import imageio.v3 as imageio
        except ImportError as error:
            raise ImportError("MP4 films need imageio: pip install 'teachgym[video]'") from error
        data = imageio.imwrite("<bytes>", np.stack(frames), extension=".mp4", fps=fps, macro_block_size=8)
        with replacing(path) as file:
            file.write(data)
    else:
        raise ValueError(f"{path} ends in {path.suffix!r}; expected .gif or .mp4")


def _easy_to_hard(env: CurriculumEnv) -> list[FloatArray]:
    """Four test tasks by difficulty, as far as the parameters' ``harder`` directions tell."""
    directions = np.sign([parameter.harder or 0.0 for parameter in env.task_space.parameters])
    order = np.argsort(env.task_space.normalise(env.test_tasks) @ directions, kind="stable")
    return [env.test_tasks[order[i]] for i in np.linspace(0, len(order) - 1, 4).astype(int)]


def _picture(rendered: object) -> Frame:
    if not isinstance(rendered, np.ndarray):
        raise ValueError("the world renders no rgb_array; it can't be filmed")
    return rendered
