"""One task for ever: what a curriculum is when nothing is chosen."""

from typing import Any, final

from teachgym.agents.base.task_actions import TASKS_AND_ARMS, TaskActions
from teachgym.base.setting_checks import check_numbers
from teachgym.base.settings import checked_dataclass
from teachgym.core.feedback import Transition
from teachgym.core.sampling import Window
from teachgym.core.spec import TeachingSpec
from teachgym.core.teacher import Choice, Note, Teacher


@checked_dataclass
class ConstantSettings:
    """Settings of ``Constant``.

    Raises:
        ValueError: If a value is not allowed.
    """

    task: tuple[float, ...] | float | None = None
    """The task, in task units, or the number of an arm; a bare number where there is one parameter. None takes the
    middle of the task space, or the first arm."""

    def __post_init__(self) -> None:
        if self.task is not None:
            check_numbers("task", (self.task,) if isinstance(self.task, (int, float)) else self.task)


@final
class Constant(Teacher):
    """Gives the student the same task every time, and learns nothing.

    It tells what a student learns from that task alone, and how what it learns carries over to others. It draws
    nothing at random. ``origin`` is ``"constant"``.

    Args:
        spec: The environment's fixed facts. Tasks are a floating box of any shape, or arms.
        settings: A ``ConstantSettings``; None takes the defaults.
        seed: Non-negative integer; it makes no difference.

    Raises:
        ValueError: If the task is not in the task space.
    """

    Settings = ConstantSettings
    settings: ConstantSettings
    acts_on = TASKS_AND_ARMS

    def __init__(self, spec: TeachingSpec, settings: ConstantSettings | None = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        self._actions = actions = TaskActions(spec)
        middle = actions.low if actions.numbered else (actions.low + actions.high) / 2
        self._task = actions.validate(middle if self.settings.task is None else self.settings.task)
        self._described = Window(self._task.copy(), self._task.copy())

    def sampling(self) -> Window:
        """A window of a single point."""
        return self._described

    def _act(self, observation: Any) -> Choice:
        """The task."""
        return Choice(self._actions.action(self._task), "constant")

    def _update(self, transition: Transition, note: Note | None) -> None:
        """Do nothing."""
