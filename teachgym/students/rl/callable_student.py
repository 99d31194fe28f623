"""A student made of a user's own training function."""

from collections.abc import Callable
from typing import Any, Protocol

from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from teachgym.base.ranges import PositiveInt
from teachgym.base.settings import checked_arguments
from teachgym.students.rl.student import RLStudent
from teachgym.worlds.evaluate import Policy
from teachgym.worlds.slot_env import SlotEnv
from teachgym.worlds.vector_env import BatchVectorEnv
from teachgym.worlds.world_batch import WorldBatch


class TrainingLoop(Protocol):
    """A training loop."""

    def __call__(self, world: Any, *, steps: int, seed: int, publish: Callable[[Policy], None]) -> None:
        """Train for ``steps`` steps, and ``publish`` the policy that shall be tested."""


class CallableStudent(RLStudent):
    """Teaches whatever ``train(world, *, steps, seed, publish)`` trains.

    ``world`` is an ordinary environment: a ``gymnasium.Env`` with one slot, a
    ``gymnasium.vector.VectorEnv`` with more. Each ``reset`` of it plays the task that the teacher
    chose. The function makes its learner from the seed, and calls ``publish(policy)`` once with a function
    from observations ``(n, ...)`` to actions ``(n, ...)`` that always uses the learner's present weights.
    It may return early, or go on until the world ends it: at the end of the budget ``world.step`` raises a
    ``BaseException`` that the function lets pass. A function has no state that could be stored.

    Args:
        train: The training function.
        slots: Number of worlds to play at once, at least 1.
        autoreset_mode: How the vector world starts the next episode (``slots`` above 1 only).
    """

    @checked_arguments
    def __init__(
        self, train: TrainingLoop, *, slots: PositiveInt = 1, autoreset_mode: AutoresetMode = AutoresetMode.NEXT_STEP
    ) -> None:
        if not callable(train):
            raise TypeError(f"train is {train!r}; expected a function (world, *, steps, seed, publish)")
        super().__init__()
        self.slots = slots
        self._train = train
        self._autoreset_mode = autoreset_mode
        self._policy: Policy | None = None

    def learn(self, worlds: WorldBatch, *, steps: int, seed: int) -> None:
        """Call the training function."""
        self._policy = None
        world = SlotEnv(worlds) if worlds.size == 1 else BatchVectorEnv(worlds, autoreset_mode=self._autoreset_mode)
        self._train(world, steps=steps, seed=seed, publish=self._publish)

    def act(self, observations: NDArray[Any]) -> NDArray[Any]:
        """Ask the published policy."""
        if self._policy is None:
            raise RuntimeError("the student has no policy yet; call publish(policy) at the start of train()")
        return self._policy(observations)

    def _publish(self, policy: Policy) -> None:
        if not callable(policy):
            raise TypeError(f"publish() got {policy!r}; expected a function from observations to actions")
        self._policy = policy
