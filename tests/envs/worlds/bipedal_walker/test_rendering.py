"""Pictures of the walker."""

import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from numpy.typing import NDArray

from teachgym.envs.worlds.bipedal_walker.world import ParametricBipedalWalker
from tests.envs.worlds.bipedal_walker.walker_moves import BODIES_ON_TERRAINS, move, reference_walker


def picture(env: ParametricBipedalWalker) -> NDArray[np.uint8]:
    frame = env.render()
    assert frame is not None
    return frame


@pytest.mark.parametrize(("body", "terrain"), BODIES_ON_TERRAINS)
def test_a_frame_is_a_picture_of_600_by_400(body: str, terrain: str) -> None:
    env = reference_walker(body=body, terrain=terrain, render_mode="rgb_array")
    env.reset(seed=0)
    frame = picture(env)
    assert frame.shape == (400, 600, 3)
    assert frame.dtype == np.uint8
    assert len(np.unique(frame @ [1 << 16, 1 << 8, 1])) > 50  # colours
    env.close()


def test_the_ground_is_drawn_along_one_long_edge() -> None:
    env = reference_walker(terrain="hexagon-tracks", render_mode="rgb_array")
    env.reset(seed=0)
    move(env, 14.5)
    env.step(np.zeros(4))
    frame = picture(env)
    bottom = frame[380:]
    assert (bottom == bottom[0, 0]).all()


def test_a_frame_follows_the_walker_and_does_not_change_the_episode() -> None:
    drawn = reference_walker(render_mode="rgb_array")
    plain = reference_walker()
    drawn.reset(seed=0)
    plain.reset(seed=0)
    rng = np.random.default_rng(0)
    frames = []
    for _ in range(10):
        action = rng.uniform(-1, 1, 4)
        np.testing.assert_array_equal(drawn.step(action)[0], plain.step(action)[0])
        frames.append(picture(drawn))
    assert not np.array_equal(frames[0], frames[-1])


def test_the_same_moment_gives_the_same_frame() -> None:
    frames = []
    for _ in range(2):
        env = reference_walker(render_mode="rgb_array")
        env.reset(seed=1)
        frames.append(picture(env))
    np.testing.assert_array_equal(frames[0], frames[1])


@pytest.mark.parametrize(("body", "terrain"), BODIES_ON_TERRAINS)
def test_gymnasiums_checker_has_nothing_to_say(body: str, terrain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    made = gymnasium.make("teachgym/ParametricBipedalWalker-v0", body=body, terrain=terrain, render_mode="rgb_array")
    check_env(made.unwrapped)


def test_human_mode_shows_a_window_at_reset_and_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    env = reference_walker(render_mode="human")
    env.reset(seed=0)
    import pygame

    shown = pygame.surfarray.array3d(pygame.display.get_surface())
    env.step(np.ones(4))
    assert shown.shape == (600, 400, 3)
    assert not np.array_equal(shown, pygame.surfarray.array3d(pygame.display.get_surface()))
    assert env.render() is None
    env.close()
    assert not pygame.display.get_init()


def test_without_a_render_mode_render_warns_what_to_do() -> None:
    env = reference_walker()
    env.reset(seed=0)
    with pytest.warns(UserWarning, match="render_mode='rgb_array'"):
        assert env.render() is None


def test_without_pygame_the_error_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygame", None)
    env = reference_walker(render_mode="rgb_array")
    env.reset(seed=0)
    with pytest.raises(gymnasium.error.DependencyNotInstalled, match="pip install pygame"):
        env.render()


def test_nothing_is_imported_from_pygame_before_the_first_picture() -> None:
    code = (
        "import sys, gymnasium, teachgym\n"
        "env = gymnasium.make('teachgym/ParametricBipedalWalker-v0')\n"
        "env.reset(seed=0)\n"
        "assert 'pygame' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
