"""The environment: a walker that is taught to walk on tracks that a teacher chooses."""

import math
from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray

from teachgym.base.annotations import shown
from teachgym.base.registry import reset_options, unknown_name
from teachgym.base.settings import checked_arguments
from teachgym.core.task_space import Float32Array, FloatArray, TaskSpace
from teachgym.envs.worlds.bipedal_walker.bodies import BODIES, Body
from teachgym.envs.worlds.bipedal_walker.defects import Defects
from teachgym.envs.worlds.bipedal_walker.engines import FASTEST, choose_engine
from teachgym.envs.worlds.bipedal_walker.episode import Follower, Walker, WalkerEpisode, split_steps
from teachgym.envs.worlds.bipedal_walker.fast import FastWalker
from teachgym.envs.worlds.bipedal_walker.lidar import RAYS
from teachgym.envs.worlds.bipedal_walker.reference import ReferenceWalker
from teachgym.envs.worlds.bipedal_walker.rendering import Renderer
from teachgym.envs.worlds.bipedal_walker.simulation import STEPS_PER_SECOND
from teachgym.envs.worlds.bipedal_walker.terrain import TERRAINS, Terrain

EPISODE_STEPS = 2000
"""The time limit that ``gymnasium.make`` sets."""
_ROUNDING = 1.001
"""Box2D applies its limits in float32."""


class ParametricBipedalWalker(gymnasium.Env[Float32Array, Float32Array]):
    """A two- or four-legged walker on a track that a task vector describes.

    ## Description
    The parametric BipedalWalker of Portelas, Colas, Hofmann and Oudeyer, "Teacher algorithms for curriculum
    learning of Deep RL in continuously parameterized environments" (CoRL 2019, arXiv:1910.07224), which extends
    the walker of Gymnasium (by Oleg Klimov) with obstacles and bodies. It is a *world*: ``task_space`` names the
    parameters of a track, ``reset(options={"task": task})`` builds one, and ``info["task"]`` says which one it
    was. On the terrain ``"grass"`` at roughness 1, it equals a new ``BipedalWalker-v3`` step for step, and on
    ``"hardcore"`` a new ``BipedalWalkerHardcore-v3``. (One that is used again can differ, since Gymnasium keeps its
    Box2D world. Ours is new in every episode.) The ``"obstacle-course"`` is that of Parker-Holder et al. (2022,
    arXiv:2203.01302).

    With ``defects="faithful"``, observations, rewards and ends of episodes equal those of the authors' simulator
    bit for bit on the same track. **By default the authors' defects are repaired**, so that a student sees other lidar
    rays than theirs did: with random actions in 9 to 28 % of the steps, in front of an obstacle in most. On Stump
    Tracks the default equals, in all of 60 episodes that were compared, the body ``old_classic_bipedal`` of
    TeachMyAgent (Romac et al. 2021, arXiv:2103.09815).

    Differences from the authors' code under either: noise of the terrain comes from the environment's own generator
    (theirs for hexagons is NumPy's global one) and no number is drawn in vain.

    ## Action Space
    ``Box(-1, 1)`` of 4 numbers, or 8 for the quadruped: hip and knee of each leg, back pair first. The sign sets
    the direction in which the motor turns, the size its share of the greatest torque. Beyond 1 it counts as 1.

    ## Observation Space
    ``Box`` of 24 numbers (34 for the quadruped), float32:

    | index | value |
    |---|---|
    | 0, 1 | angle of the hull, in radians; its angular velocity times 2/50 |
    | 2, 3 | horizontal velocity of the hull times 0.12; vertical velocity times 0.08 |
    | 4 + 5 k, 5 + 5 k | hip angle of leg k; its speed divided by 4 |
    | 6 + 5 k, 7 + 5 k | knee angle of leg k plus 1; its speed divided by 6 |
    | 8 + 5 k | 1 if leg k has contact with the ground, else 0 |
    | last 10 | lidar: hit distance of each ray as a share of its length of 5.33 units, 1 for none |

    Contacts and lidar lie in [0, 1]. The other bounds are what Box2D's limits on motion allow within 2000 steps,
    far beyond what occurs.

    ## Rewards
    Per step the gain in ``130 x / 30 - 5 |hull angle|``, so that the whole way is worth a bit more than 300,
    minus 0.00035 times the torque of every joint (a quadruped's counts one eighth). Falling costs 100, in place
    of that step's reward.

    ## Starting State
    The walker stands in the middle of the start pad, on legs that are slightly spread, is pushed by a random
    horizontal force of at most 5, and has taken one step with zero action.

    The numbers drawn at a reset are, one after the other, all from ``np_random``: the task, uniformly, if
    ``options`` give none; the terrain (each class of terrain says what); ten clouds; the push.

    ## Episode Termination
    The episode ends when the hull touches anything or its ``x`` is below 0 (both with the reward of -100), and
    when ``x`` exceeds the finish at 88.67. ``gymnasium.make`` adds a limit of 2000 steps.

    ## Arguments
    - ``body``: ``"default"``, ``"short"`` or ``"quadruped"``.
    - ``terrain``: ``"stump-tracks"``, ``"hexagon-tracks"``, ``"stump-sequence"``, ``"grass"``, ``"hardcore"``,
      ``"obstacle-course"``, or an instance of ``Terrain``, such as ``StumpTracks(max_height=5.0)``.
    - ``defects``: what the authors' simulator gets wrong and what to do about it: ``"fixed"``, ``"faithful"`` or
      a mapping from these names to either, for instance ``{"lidar": "faithful"}``:
        - ``lidar``: their rays measure the first ground fixture that Box2D reports, not always the nearest.
        - ``leg_contacts``: their quadruped never feels the contacts of its second pair of legs.
        - ``ground_end``: their ground stops where the track's last piece begins, at stump spacings above 4.67
          possibly before the finish. A walker that jumps off falls until the time limit.
        - ``ground_seam``: an edge of length zero ends their start pad, and disturbs the contacts (and so the
          motion) of what touches it.
        - ``effort_price``: their quadruped's price of torque is divided by 8 each time that the body is set up.
          Fixed and faithful both mean once, for an environment that is set up once; an integer n means n times.
      Where each of them matters:

      | defect | on | to | what differs |
      |---|---|---|---|
      | ``lidar`` | all terrains but ``"grass"`` | every body | some rays that meet an obstacle are too long |
      | ``leg_contacts`` | all terrains | the quadruped | observations 18 and 23 are always 0 |
      | ``ground_end`` | the three obstacle tracks | every body | a walker falls that goes beyond the last piece |
      | ``ground_seam`` | the three obstacle tracks | every body | motion of a leg at the foot of the first obstacle |
      | ``effort_price`` | all terrains | the quadruped | rewards, where the integer is above 1 |

      Hexagon tracks and stump sequences, whose spacing is 8, may end before the finish as well. What each defect does
      not name stays the same to the last bit.
    - ``engine``: ``"fast"`` (compiled), ``"reference"`` (Python) or ``"auto"`` (fast where it is built). The
      results are equal bit for bit. ``gymnasium.make_vec`` makes many walkers that the fast engine steps at once.
    - ``render_mode``: ``None``, ``"rgb_array"`` (400 x 600 x 3, uint8) or ``"human"``.

    An environment can be pickled and copied in the middle of an episode. Box2D's state can't be stored, so the
    copy repeats the episode's actions, and then continues bit for bit. In the same way, pictures of the fast
    engine's walker are drawn of a reference walker that follows it.

    ## Version History
    - v0: initial version.
    """

    metadata = {"render_modes": ["human", "rgb_array"], "render_fps": STEPS_PER_SECOND}

    @checked_arguments
    def __init__(
        self,
        *,
        body: str = "default",
        terrain: str | Terrain = "stump-tracks",
        defects: str | Mapping[str, Any] = "fixed",
        engine: str = FASTEST,
        render_mode: str | None = None,
    ) -> None:
        self.body = body_named(body)
        self.terrain = terrain_named(terrain)
        self.defects = Defects.parse(defects)
        self.engine = engine
        choose_engine(engine)
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise unknown_name("render mode", str(render_mode), self.metadata["render_modes"])
        self.render_mode = render_mode
        self.observation_space, self.action_space = spaces_of(self.body)
        self._walker: Walker | None = None
        self._episode: WalkerEpisode | None = None
        self._follower: Follower | None = None
        self._renderer: Renderer | None = None
        self._closed = False

    @property
    def task_space(self) -> TaskSpace:
        """The parameters of a track."""
        return self.terrain.task_space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Float32Array, dict[str, Any]]:
        """Build a track and put the walker on it.

        Args:
            seed: Of the environment's generator.
            options: ``{"task": task}``, with a vector or a mapping from the names of the parameters. Without
                one, the task is drawn uniformly.

        Raises:
            TypeError: If the options are not a mapping.
            ValueError: If the task is not valid, or there is another option.
            ClosedEnvironmentError: If the environment was closed.
        """
        if self._closed:
            raise gymnasium.error.ClosedEnvironmentError("a closed walker can't be reset; make a new one")
        task = self._chosen_task(options)
        super().reset(seed=seed)
        task = self.task_space.uniform(self.np_random) if task is None else task
        episode = WalkerEpisode.about_to_begin(task, self.np_random)
        if self._walker is None:
            self._walker = self._make_walker()
        observation = self._walker.begin(task, self.np_random)
        self._episode = episode
        if self.render_mode == "human":
            self.render()
        return observation, {"task": task.copy()}

    def step(self, action: ArrayLike) -> tuple[Float32Array, float, bool, bool, dict[str, Any]]:
        """Simulate 1/50 s.

        Args:
            action: One number per joint, see Action Space.

        Raises:
            ValueError: If the action has another shape or a number that is not finite.
            ResetNeeded: If there was no ``reset``.
            ClosedEnvironmentError: If the environment was closed.
        """
        walker, episode = self._running("stepped")
        observation, reward, terminated = walker.step(self._checked(action))
        if self.render_mode == "human":
            self.render()
        return observation, reward, terminated, False, {"task": episode.task.copy()}

    def render(self) -> NDArray[np.uint8] | None:
        """Draw the walker: returns the picture in mode ``"rgb_array"``, shows it in mode ``"human"``."""
        walker, episode = self._running("rendered")
        if self.render_mode is None:
            gymnasium.logger.warn(
                "render was called without a render mode; make the walker with render_mode='rgb_array'"
            )
            return None
        if self._renderer is None:
            self._renderer = Renderer(window=self.render_mode == "human")
        if not isinstance(walker, ReferenceWalker):
            if self._follower is None:
                self._follower = Follower(self._reference_walker(), self.body.joints)
            walker = self._follower.catch_up(episode, walker.actions())
        return self._renderer.draw(walker.simulation, walker.clouds)

    def close(self) -> None:
        """Close the window, if there is one. The environment can't be used any more."""
        if self._renderer is not None:
            self._renderer.close()
        self._walker = self._renderer = self._follower = None
        self._closed = True

    def __getstate__(self) -> dict[str, Any]:
        played = None if self._walker is None else self._walker.actions()
        return {**self.__dict__, "_walker": played, "_follower": None, "_renderer": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if state["_walker"] is None:
            return
        assert self._episode is not None
        self._walker = self._make_walker()
        self._walker.begin(self._episode.task, self._episode.rng())
        for action in split_steps(state["_walker"], self.body.joints):
            self._walker.step(action)

    def _make_walker(self) -> Walker:
        if choose_engine(self.engine) == "fast":
            return FastWalker(self.body, self.terrain, self.defects)
        return self._reference_walker()

    def _reference_walker(self) -> ReferenceWalker:
        return ReferenceWalker(self.body, self.terrain, self.defects)

    def _chosen_task(self, options: dict[str, Any] | None) -> FloatArray | None:
        given = reset_options(options, ["task"])
        return self.task_space.validate(given["task"]) if given else None

    def _checked(self, action: ArrayLike) -> FloatArray:
        expected = f"expected {self.body.joints} finite numbers"
        try:
            vector = np.asarray(action, dtype=np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"action {shown(action)} is not numeric; {expected}") from error
        if vector.shape != self.action_space.shape:
            raise ValueError(f"action has shape {vector.shape}; {expected}, shape {self.action_space.shape}")
        return np.ascontiguousarray(vector)

    def _running(self, what: str) -> tuple[Walker, WalkerEpisode]:
        if self._walker is None or self._episode is None:
            if self._closed:
                raise gymnasium.error.ClosedEnvironmentError(
                    f"the walker was closed and can't be {what}; make a new one"
                )
            raise gymnasium.error.ResetNeeded(f"the walker can't be {what} before reset()")
        return self._walker, self._episode


def body_named(name: str) -> Body:
    """Find a body.

    Raises:
        ValueError: If there is none of that name; suggests the nearest.
    """
    if name not in BODIES:
        raise unknown_name("body", str(name), BODIES)
    return BODIES[name]


def terrain_named(terrain: str | Terrain) -> Terrain:
    """Find a terrain, or take one that is made already.

    Raises:
        ValueError: If there is none of that name; suggests the nearest.
    """
    if isinstance(terrain, Terrain):
        return terrain
    if not isinstance(terrain, str) or terrain not in TERRAINS:
        raise unknown_name("terrain", str(terrain), TERRAINS)
    return TERRAINS[terrain]()


def spaces_of(body: Body) -> tuple["spaces.Box[np.float32]", "spaces.Box[np.float32]"]:
    """Observation and action space of a walker.

    The bounds hold: Box2D moves nothing further than 2 units, nor turns it more than pi / 2, in one step.
    """
    speed, spin, turned = 2.0 * STEPS_PER_SECOND, math.pi / 2 * STEPS_PER_SECOND, math.pi / 2 * EPISODE_STEPS
    hull = [turned, 2 * spin / STEPS_PER_SECOND, 0.12 * speed, 0.08 * speed]
    leg = [2 * turned, 2 * spin / 4, 2 * turned + 1, 2 * spin / 6]
    hull, leg = [[_ROUNDING * bound for bound in bounds] for bounds in (hull, leg)]
    high = [*hull, *[*leg, 1.0] * body.legs, *[1.0] * RAYS]
    low = [*(-bound for bound in hull), *[*(-bound for bound in leg), 0.0] * body.legs, *[0.0] * RAYS]
    observations = spaces.Box(np.array(low, np.float32), np.array(high, np.float32), dtype=np.float32)
    return observations, spaces.Box(-1.0, 1.0, (body.joints,), np.float32)
