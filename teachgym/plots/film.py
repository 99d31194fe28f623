"""Films of a student on tasks."""

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont

from teachgym.base.files import replacing
from teachgym.core.task_space import FloatArray
from teachgym.core.teacher_env import TeacherEnv
from teachgym.envs.tasks.task_teaching_env import TaskTeachingEnv

Frame = NDArray[np.uint8]
_ALONE, _BESIDE = 600, 440
"""Width in pixels of a pane, of a student alone and of one beside others."""
_BLOCK = 8
"""Video encoders ask for a size that is a multiple of it."""
_BAND = 26
"""Height in pixels of a line of text."""
STEPS_A_SECOND = 50
"""Of the walker's worlds."""


@dataclass(frozen=True, eq=False)
class Clip:
    """One episode of a student, filmed."""

    task: FloatArray
    frames: list[Frame]
    """``(height, width, 3)`` pictures."""
    returns: list[float]
    """The return so far, at each of them."""
    over: bool
    """Whether the episode has ended, not the film alone."""

    @property
    def outcome(self) -> float:
        """Return over the steps that were filmed."""
        return self.returns[-1]


def film(
    env: TeacherEnv, tasks: Iterable[ArrayLike] | None, *, seed: int, max_steps: int, every: int = 1
) -> list[Clip]:
    """Film the environment's student on tasks.

    Args:
        env: A curriculum, with a student that can act.
        tasks: Tasks of its task space; None takes four of the test set, from easy to hard.
        seed: Seeds the worlds.
        max_steps: World steps to film of each task, at least 1.
        every: World steps between two pictures, at least 1; the last step has one in any case.

    Raises:
        ValueError: If a task or ``max_steps`` is out of range, or there is no world that can be rendered.
    """
    if not isinstance(env, TaskTeachingEnv):
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
        frames, returns = [_picture(world.render())], [0.0]
        total, over, step = 0.0, False, 0
        while not over and step < max_steps:
            action = env.lifetime.student.act(np.asarray(observation)[None])[0]
            observation, reward, terminated, truncated, _ = world.step(action)
            total, over, step = total + float(reward), terminated or truncated, step + 1
            if over or step % every == 0 or step == max_steps:
                frames.append(_picture(world.render()))
                returns.append(total)
        clips.append(Clip(task, frames, returns, over))
    world.close()
    return clips


def side_by_side(students: Mapping[str, Sequence[Clip]], describe: Callable[[FloatArray], str]) -> list[Frame]:
    """The clips of one or several students on the same tasks, in step, with what is seen written beside.

    A student whose episode ends before another's stays as it ended.

    Args:
        students: By what each is called, its clips: as many, of the same tasks in the same order.
        describe: Says in words what a task is.
    """
    frames: list[Frame] = []
    width = _ALONE if len(students) == 1 else _BESIDE
    for clips in zip(*students.values(), strict=True):
        task = describe(clips[0].task)
        for step in range(max(len(clip.frames) for clip in clips)):
            panes = [_pane(name, clip, step, width) for name, clip in zip(students, clips, strict=True)]
            frames.append(_captioned(np.concatenate(panes, axis=1), task))
    return frames


def _pane(name: str, clip: Clip, step: int, width: int) -> Frame:
    place = min(step, len(clip.frames) - 1)
    picture = Image.fromarray(clip.frames[place])
    picture = picture.resize((width, round(picture.height * width / picture.width)), Image.Resampling.BILINEAR)
    ended = clip.over and place == len(clip.frames) - 1
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=15)
    text = f"{name}   {'return' if ended else 'return so far'} {clip.returns[place]:.0f}"
    draw.rectangle((0, 0, width, _BAND), fill="#1b1f24")
    draw.text((8, _BAND // 2), text, fill="#ffd866" if ended else "#ffffff", font=font, anchor="lm")
    draw.line((width - 1, 0, width - 1, picture.height), fill="#1b1f24", width=2)
    return np.asarray(picture)


def _captioned(frame: Frame, text: str) -> Frame:
    height, width, _ = frame.shape
    picture = Image.new("RGB", (width, -(-(height + _BAND) // _BLOCK) * _BLOCK), "#ffffff")
    picture.paste(Image.fromarray(frame), (0, 0))
    font = ImageFont.load_default(size=15)
    ImageDraw.Draw(picture).text((8, height + _BAND // 2), text, fill="#1b1f24", font=font, anchor="lm")
    return np.asarray(picture)


def steps_a_picture(path: Path) -> int:
    """World steps between two pictures of a film to this file, before anything is filmed.

    GIF players show at most 50 pictures a second, and most fewer: there it is every second step.

    Raises:
        ValueError: If the suffix is neither ``.gif`` nor ``.mp4``.
        ImportError: If ``.mp4`` is asked for and imageio is missing; says what to install.
    """
    if path.suffix not in (".gif", ".mp4"):
        raise ValueError(f"{path} ends in {path.suffix!r}; expected .gif or .mp4")
    if path.suffix == ".mp4":
        try:
            importlib.import_module("imageio.v3")
        except ImportError as error:
            raise ImportError("MP4 films need imageio: pip install 'teachgym[video]'") from error
        return 1
    return 2


def write_film(path: Path, frames: Sequence[Frame]) -> None:
    """Write frames, ``steps_a_picture`` apart, to a ``.gif`` or ``.mp4`` file, atomically.

    Raises:
        ValueError: If the suffix is another.
        ImportError: If ``.mp4`` is asked for and imageio is missing; says what to install.
    """
    fps = STEPS_A_SECOND // steps_a_picture(path)
    if path.suffix == ".gif":
        pictures = [Image.fromarray(frame).quantize(64, Image.Quantize.FASTOCTREE) for frame in frames]
        duration = 1000 // fps
        with replacing(path) as file:
            pictures[0].save(file, format="GIF", save_all=True, append_images=pictures[1:], duration=duration, loop=0)
    else:
        imageio = importlib.import_module("imageio.v3")
        data = imageio.imwrite("<bytes>", np.stack(frames), extension=".mp4", fps=fps, macro_block_size=_BLOCK)
        with replacing(path) as file:
            file.write(data)


def _easy_to_hard(env: TaskTeachingEnv) -> list[FloatArray]:
    """Four test tasks by difficulty, as far as the parameters' ``harder`` directions tell."""
    directions = np.sign([parameter.harder or 0.0 for parameter in env.task_space.parameters])
    order = np.argsort(env.task_space.normalise(env.lifetime.test_tasks) @ directions, kind="stable")
    return [env.lifetime.test_tasks[order[i]] for i in np.linspace(0, len(order) - 1, 4).astype(int)]


def _picture(rendered: object) -> Frame:
    if not isinstance(rendered, np.ndarray):
        raise ValueError("the world renders no rgb_array; it can't be filmed")
    return rendered
