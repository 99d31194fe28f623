"""The fast engine as a batch of worlds, and as Gymnasium's vector environment."""

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import TimeLimit
from numpy.typing import NDArray

from teachgym.base.ranges import PositiveInt
from teachgym.base.registry import unknown_name
from teachgym.base.setting_checks import check_whole
from teachgym.base.settings import checked_arguments
from teachgym.core.task_space import FloatArray
from teachgym.envs.worlds.bipedal_walker.bodies import Body
from teachgym.envs.worlds.bipedal_walker.defects import Defects
from teachgym.envs.worlds.bipedal_walker.engines import FASTEST, choose_engine
from teachgym.envs.worlds.bipedal_walker.episode import Follower, WalkerEpisode, split_steps
from teachgym.envs.worlds.bipedal_walker.fast import FastWalkers
from teachgym.envs.worlds.bipedal_walker.reference import ReferenceWalker
from teachgym.envs.worlds.bipedal_walker.rendering import Renderer
from teachgym.envs.worlds.bipedal_walker.terrain import Terrain
from teachgym.envs.worlds.bipedal_walker.world import (
    EPISODE_STEPS,
    ParametricBipedalWalker,
    body_named,
    spaces_of,
    terrain_named,
)
from teachgym.worlds.vector_env import BatchVectorEnv
from teachgym.worlds.world_batch import Played, SerialBatch, Slots, WorldBatch, numeric


@checked_arguments
def make_walkers(
    num_envs: PositiveInt = 1,
    *,
    body: str | Sequence[str] = "default",
    terrain: str | Terrain | Sequence[str | Terrain] = "stump-tracks",
    defects: str | Mapping[str, Any] = "fixed",
    engine: str = FASTEST,
    render_mode: str | None = None,
    max_episode_steps: int | None = None,
    autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
    threads: PositiveInt = 1,
) -> BatchVectorEnv:
    """Many walkers as one vector environment: what ``gymnasium.make_vec`` calls.

    Args:
        num_envs: How many, at least 1.
        body: As for ``ParametricBipedalWalker``; or one for each, all with the same number of legs.
        terrain: As for ``ParametricBipedalWalker``; or one for each.
        defects: As for ``ParametricBipedalWalker``.
        engine: ``"fast"``, ``"reference"`` or ``"auto"``. The results are the same.
        render_mode: None or ``"rgb_array"``.
        max_episode_steps: Episodes are truncated after so many steps, at least 1; as for ``gymnasium.make``, None
            stands for the registered 2,000, and -1 for never.
        autoreset_mode: See ``BatchVectorEnv``.
        threads: Threads that the fast engine works with. One, so that runs in parallel don't get in each
            other's way; more where one run has several cores to itself. The results are the same.

    Raises:
        ValueError: If an argument is not allowed; the message says what is.
    """
    step_limit = _step_limit(max_episode_steps)
    if render_mode not in (None, "rgb_array"):
        raise unknown_name("render mode", str(render_mode), ["rgb_array"])
    bodies = _one_each("body", body, num_envs)
    terrains = [terrain_named(one) for one in _one_each("terrain", terrain, num_envs)]
    legs = {name: body_named(name).legs for name in bodies}
    if len(set(legs.values())) > 1:
        raise ValueError(f"body is {body!r}; expected bodies with the same number of legs, not {legs}")
    batch: WorldBatch
    if choose_engine(engine) == "fast":
        batch = WalkerBatch(
            [body_named(name) for name in bodies],
            terrains,
            Defects.parse(defects),
            step_limit=step_limit,
            threads=threads,
            render_mode=render_mode,
        )
    else:
        worlds: list[gymnasium.Env[Any, Any]] = [
            ParametricBipedalWalker(
                body=name, terrain=one, defects=defects, engine="reference", render_mode=render_mode
            )
            for name, one in zip(bodies, terrains, strict=True)
        ]
        batch = SerialBatch([TimeLimit(world, step_limit) for world in worlds] if step_limit else worlds)
    return BatchVectorEnv(batch, autoreset_mode=autoreset_mode)


class WalkerBatch(WorldBatch):
    """Walkers in the fast engine.

    A batch can be pickled and copied at any time: the state of Box2D can't be stored, so the copy repeats the
    actions of each slot's episode, and then continues bit for bit.

    Args:
        bodies: One a slot, all with the same number of legs.
        terrains: One a slot.
        defects: What of the authors' simulator to keep.
        step_limit: Episodes are truncated after so many steps; None for never.
        threads: Threads that work together.
        render_mode: None or ``"rgb_array"``.
    """

    metadata = ParametricBipedalWalker.metadata

    def __init__(
        self,
        bodies: Sequence[Body],
        terrains: Sequence[Terrain],
        defects: Defects,
        *,
        step_limit: int | None,
        threads: int = 1,
        render_mode: str | None = None,
    ) -> None:
        self.size = len(bodies)
        self.render_mode = render_mode
        self.observation_space, self.action_space = spaces_of(bodies[0])
        self.task_spaces = [terrain.task_space for terrain in terrains]
        self._bodies, self._terrains, self._defects = bodies, terrains, defects
        self.step_limit, self._threads = step_limit, threads
        self._generators: list[np.random.Generator | None] = [None] * self.size
        self._episodes: list[WalkerEpisode | None] = [None] * self.size
        self._walkers: FastWalkers | None = self._make_walkers()
        self._followers: dict[int, Follower] = {}
        self._renderer: Renderer | None = None

    @property
    def generators(self) -> Sequence[np.random.Generator]:
        """The generator of each slot; one that was never seeded is seeded by the system."""
        return [self._generator(slot) for slot in range(self.size)]

    def reset(
        self, slots: Slots, tasks: Sequence[FloatArray | None], seeds: Sequence[int | None] | None = None
    ) -> NDArray[Any]:
        """Begin an episode in some slots."""
        walkers = self._open("reset")
        generators, episodes = [], []
        for slot, task, seed in zip(slots.tolist(), tasks, seeds or [None] * len(slots), strict=True):
            if seed is not None:
                self._generators[slot], _ = seeding.np_random(seed)
            rng = self._generator(slot)
            task = self.task_spaces[slot].uniform(rng) if task is None else task
            generators.append(rng)
            episodes.append(WalkerEpisode.about_to_begin(task, rng))
        observations = walkers.begin(slots, [episode.task for episode in episodes], generators)
        for slot, episode in zip(slots.tolist(), episodes, strict=True):
            self._episodes[slot] = episode
        return observations

    def step(self, slots: Slots, actions: NDArray[Any]) -> Played:
        """Play one step in some slots.

        Raises:
            ValueError: If an action is not numeric or not finite; no walker has moved then.
        """
        return self._open("stepped").step(slots, numeric(actions))

    def task(self, slot: int) -> FloatArray:
        """The task that a slot plays."""
        return self._episode(slot).task

    def render(self, slot: int) -> NDArray[np.uint8] | None:
        """Draw a slot ``(400, 600, 3)``; None without a render mode."""
        walkers, episode = self._open("rendered"), self._episode(slot)
        if self.render_mode is None:
            gymnasium.logger.warn("render was called without a render mode; make the walkers with 'rgb_array'")
            return None
        if slot not in self._followers:
            body = self._bodies[slot]
            reference = ReferenceWalker(body, self._terrains[slot], self._defects)
            self._followers[slot] = Follower(reference, body.joints)
        if self._renderer is None:
            self._renderer = Renderer(window=False)
        walker = self._followers[slot].catch_up(episode, walkers.actions(slot))
        return self._renderer.draw(walker.simulation, walker.clouds)

    def close(self) -> None:
        """Let go of the walkers."""
        self._walkers = self._renderer = None
        self._followers = {}

    def __getstate__(self) -> dict[str, Any]:
        played = None
        if self._walkers is not None:
            played = [self._walkers.actions(slot) for slot in range(self.size)]
        return {**self.__dict__, "_walkers": played, "_followers": {}, "_renderer": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if state["_walkers"] is None:
            return
        self._walkers = walkers = self._make_walkers()
        for slot, actions in enumerate(state["_walkers"]):
            episode, place = self._episodes[slot], np.array([slot])
            if episode is None:
                continue
            walkers.begin(place, [episode.task], [episode.rng()])
            for action in split_steps(actions, self._bodies[slot].joints):
                walkers.step(place, action[np.newaxis])

    def _make_walkers(self) -> FastWalkers:
        return FastWalkers(
            self._bodies, self._terrains, self._defects, step_limit=self.step_limit, threads=self._threads
        )

    def _generator(self, slot: int) -> np.random.Generator:
        rng = self._generators[slot]
        if rng is None:
            rng, _ = seeding.np_random()
            self._generators[slot] = rng
        return rng

    def _episode(self, slot: int) -> WalkerEpisode:
        episode = self._episodes[slot]
        if episode is None:
            raise gymnasium.error.ResetNeeded(f"slot {slot} has no track before its first reset")
        return episode

    def _open(self, what: str) -> FastWalkers:
        if self._walkers is None:
            raise gymnasium.error.ClosedEnvironmentError(f"the walkers were closed and can't be {what}; make new ones")
        return self._walkers


def _step_limit(max_episode_steps: int | None) -> int | None:
    """What ``gymnasium.make`` takes it for; None for no limit."""
    if max_episode_steps is None:
        return EPISODE_STEPS
    if max_episode_steps == -1:
        return None
    check_whole("max_episode_steps", max_episode_steps, 1)
    return max_episode_steps


def _one_each(name: str, given: Any, count: int) -> list[Any]:
    if isinstance(given, str) or not isinstance(given, Sequence):
        return [given] * count
    if len(given) != count:
        raise ValueError(f"{name} names {len(given)}; expected {count}, one for each walker, or one for all")
    return list(given)
