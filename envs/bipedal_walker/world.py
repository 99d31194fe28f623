"""The environment: a walker that is taught to walk on tracks that a teacher chooses."""

import copy
import math
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray

from teachgym.envs.bipedal_walker.bodies import BODIES, SCALE, Body
from teachgym.envs.bipedal_walker.defects import Defects
from teachgym.envs.bipedal_walker.engines import ENGINES
from teachgym.envs.bipedal_walker.lidar import RAYS
from teachgym.envs.bipedal_walker.rendering import Renderer
from teachgym.envs.bipedal_walker.simulation import STEPS_PER_SECOND, Simulation
from teachgym.envs.bipedal_walker.terrain import FINISH, TERRAINS, Terrain, draw_clouds
from teachgym.names import unknown_name
from teachgym.task_space import FloatArray, TaskSpace

Float32Array = NDArray[np.float32]

_STRONGEST_PUSH = 5.0
_FALL = -100.0
_PROGRESS, _TILT = 130, 5.0

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
    was. On the terrain ``"grass"`` at roughness 1, it equals a new ``BipedalWalker-v3`` step for step. (One that
    is used again can differ, since Gymnasium keeps its Box2D world. Ours is new in every episode.)

    Differences from the authors' code: noise of the terrain comes from the environment's own generator (theirs
    for hexagons is NumPy's global one) and no number is drawn in vain; their defects are repaired unless asked
    for, see Arguments.

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
    ``options`` give none; the terrain (each class in ``terrain.py`` says what); ten clouds; the push.

    ## Episode Termination
    The episode ends when the hull touches anything or its ``x`` is below 0 (both with the reward of -100), and
    when ``x`` exceeds the finish at 88.67. ``gymnasium.make`` adds a limit of 2000 steps.

    ## Arguments
    - ``body``: ``"default"``, ``"short"`` or ``"quadruped"``.
    - ``terrain``: ``"stump-tracks"``, ``"hexagon-tracks"``, ``"stump-sequence"``, ``"grass"``, or an instance of
      ``Terrain``, such as ``StumpTracks(max_height=5.0)``.
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
    - ``engine``: ``"reference"``, see ``ENGINES``.
    - ``render_mode``: ``None``, ``"rgb_array"`` (400 x 600 x 3, uint8) or ``"human"``.

    An environment can be pickled and copied in the middle of an episode. Box2D's state can't be stored, so the
    copy repeats the episode's actions, and then continues bit for bit.

    ## Version History
    - v0: initial version.
    """

    metadata = {"render_modes": ["human", "rgb_array"], "render_fps": STEPS_PER_SECOND}

    def __init__(
        self,
        *,
        body: str = "default",
        terrain: str | Terrain = "stump-tracks",
        defects: str | Mapping[str, str | int] = "fixed",
        engine: str = "reference",
        render_mode: str | None = None,
    ) -> None:
        if body not in BODIES:
            raise unknown_name("body", str(body), BODIES)
        if engine not in ENGINES:
            raise unknown_name("engine", str(engine), ENGINES)
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise unknown_name("render mode", str(render_mode), self.metadata["render_modes"])
        self.body = BODIES[body]
        self.terrain = _terrain(terrain)
        self.defects = Defects.parse(defects)
        self.render_mode = render_mode
        self.action_space = spaces.Box(-1.0, 1.0, (self.body.joints,), np.float32)
        self.observation_space = _observation_space(self.body)
        self._effort_price = (
            self.body.effort_price / self.body.original_price_divisor**self.defects.effort_price * self.body.torque
        )
        self._simulation: Simulation | None = None
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
            ValueError: If the task is not valid, or there is another option.
            ClosedEnvironmentError: If the environment was closed.
        """
        if self._closed:
            raise gymnasium.error.ClosedEnvironmentError("a closed walker can't be reset; make a new one")
        task = self._chosen_task(options)
        super().reset(seed=seed)
        self._task = self.task_space.uniform(self.np_random) if task is None else task
        self._episode_rng = copy.deepcopy(self.np_random)
        self._actions = array("d")
        observation = self._begin(self.np_random)
        if self.render_mode == "human":
            self.render()
        return observation, {"task": self._task.copy()}

    def step(self, action: ArrayLike) -> tuple[Float32Array, float, bool, bool, dict[str, Any]]:
        """Simulate 1/50 s.

        Args:
            action: One number per joint, see Action Space.

        Raises:
            ValueError: If the action has another shape or a number that is not finite.
            ResetNeeded: If there was no ``reset``.
            ClosedEnvironmentError: If the environment was closed.
        """
        simulation = self._running("stepped")
        values = self._checked(action)
        self._actions.extend(values)
        state, reward, terminated = self._advance(simulation, values)
        if self.render_mode == "human":
            self.render()
        return np.array(state, dtype=np.float32), reward, terminated, False, {"task": self._task.copy()}

    def render(self) -> NDArray[np.uint8] | None:
        """Draw the walker: returns the picture in mode ``"rgb_array"``, shows it in mode ``"human"``."""
        simulation = self._running("rendered")
        if self.render_mode is None:
            gymnasium.logger.warn(
                "render was called without a render mode; make the walker with render_mode='rgb_array'"
            )
            return None
        if self._renderer is None:
            self._renderer = Renderer(window=self.render_mode == "human")
        return self._renderer.draw(simulation, self._clouds)

    def close(self) -> None:
        """Close the window, if there is one. The environment can't be used any more."""
        if self._renderer is not None:
            self._renderer.close()
        self._simulation = self._renderer = None
        self._closed = True

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_simulation": self._simulation is not None, "_renderer": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        running = state["_simulation"]
        self._simulation = None
        if not running:
            return
        self._begin(copy.deepcopy(self._episode_rng))
        simulation, joints = self._running("restored"), self.body.joints
        for start in range(0, len(self._actions), joints):
            self._advance(simulation, self._actions[start : start + joints])

    def _begin(self, rng: np.random.Generator) -> Float32Array:
        track = self.terrain.generate(self._task, rng)
        self._clouds = draw_clouds(rng)
        push = rng.uniform(-_STRONGEST_PUSH, _STRONGEST_PUSH)
        self._simulation = Simulation(self.body, track, push=push, defects=self.defects)
        self._potential = 0.0
        state, _, _ = self._advance(self._simulation, [0.0] * self.body.joints)
        return np.array(state, dtype=np.float32)

    def _advance(self, simulation: Simulation, action: Sequence[float]) -> tuple[list[float], float, bool]:
        simulation.drive(action)
        state = simulation.observe()
        x = simulation.hull_x
        potential = _PROGRESS * x / SCALE - _TILT * abs(state[0])
        reward = potential - self._potential
        self._potential = potential
        price = self._effort_price
        for value in action:
            reward -= price * min(abs(value), 1.0)
        if simulation.hull_touched or x < 0:
            return state, _FALL, True
        return state, reward, x > FINISH

    def _chosen_task(self, options: dict[str, Any] | None) -> FloatArray | None:
        for name in options or ():
            if name != "task":
                raise unknown_name("reset option", str(name), ["task"])
        return self.task_space.validate(options["task"]) if options else None

    def _checked(self, action: ArrayLike) -> list[float]:
        expected = f"expected {self.body.joints} finite numbers"
        try:
            vector = np.asarray(action, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(f"action {action!r} is not numeric; {expected}") from error
        if vector.shape != self.action_space.shape:
            raise ValueError(f"action has shape {vector.shape}; {expected}, shape {self.action_space.shape}")
        values: list[float] = vector.tolist()
        if not all(map(math.isfinite, values)):
            raise ValueError(f"action is {values}; {expected}")
        return values

    def _running(self, what: str) -> Simulation:
        if self._simulation is None:
            if self._closed:
                raise gymnasium.error.ClosedEnvironmentError(
                    f"the walker was closed and can't be {what}; make a new one"
                )
            raise gymnasium.error.ResetNeeded(f"the walker can't be {what} before reset()")
        return self._simulation


def _terrain(terrain: str | Terrain) -> Terrain:
    if isinstance(terrain, Terrain):
        return terrain
    if not isinstance(terrain, str) or terrain not in TERRAINS:
        raise unknown_name("terrain", str(terrain), TERRAINS)
    return TERRAINS[terrain]()


def _observation_space(body: Body) -> "spaces.Box[np.float32]":
    """Bounds that hold: Box2D moves nothing further than 2 units, nor turns it more than pi / 2, in one step."""
    speed, spin, turned = 2.0 * STEPS_PER_SECOND, math.pi / 2 * STEPS_PER_SECOND, math.pi / 2 * EPISODE_STEPS
    hull = [turned, 2 * spin / STEPS_PER_SECOND, 0.12 * speed, 0.08 * speed]
    leg = [2 * turned, 2 * spin / 4, 2 * turned + 1, 2 * spin / 6]
    hull, leg = [[_ROUNDING * bound for bound in bounds] for bounds in (hull, leg)]
    high = [*hull, *[*leg, 1.0] * body.legs, *[1.0] * RAYS]
    low = [*(-bound for bound in hull), *[*(-bound for bound in leg), 0.0] * body.legs, *[0.0] * RAYS]
    return spaces.Box(np.array(low, np.float32), np.array(high, np.float32), dtype=np.float32)
