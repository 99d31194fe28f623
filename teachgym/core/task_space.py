"""Task spaces: the named parameters, with bounds and units, that a teacher chooses."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray

from teachgym.base.annotations import read_numbers, shown
from teachgym.base.registry import unknown_name
from teachgym.base.settings import checked_arguments, checked_dataclass

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]


@checked_dataclass
class Parameter:
    """One dimension of a task space."""

    name: str
    """Identifier, for instance ``"stump_height"``."""
    low: float
    """Least allowed value."""
    high: float
    """Greatest allowed value, above ``low``."""
    unit: str = ""
    """Unit of the value, for instance ``"terrain steps"``."""
    harder: float | None = None
    """Signed step towards harder tasks, in the parameter's own unit; None where no direction is known.

    The ``oracle`` teacher reads it."""
    random_step: bool = False
    """Whether ``accel`` edits the parameter by a uniform draw from 0 to one step, instead of by the whole step."""

    def __post_init__(self) -> None:
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low < self.high):
            raise ValueError(
                f"parameter {self.name!r} has bounds [{self.low}, {self.high}]; expected finite low < high"
            )
        if self.harder is not None and not np.isfinite(self.harder):
            raise ValueError(f"parameter {self.name!r} has harder={self.harder}; expected a finite step or None")


class TaskSpace(spaces.Box):
    """A box of named parameters. It is an ordinary ``gymnasium.spaces.Box`` of shape ``(n,)``, float64.

    Args:
        parameters: The dimensions, in order. At least one, names unique.
        seed: Seed of ``sample``, as for every Gymnasium space.

    Raises:
        ValueError: If there is no parameter, or two have the same name.
    """

    @checked_arguments
    def __init__(self, parameters: Sequence[Parameter], *, seed: int | np.random.Generator | None = None) -> None:
        self.parameters: tuple[Parameter, ...] = tuple(parameters)
        if not self.parameters:
            raise ValueError("a task space needs at least one parameter")
        if len(set(self.names)) != len(self.names):
            raise ValueError(f"parameter names {self.names} are not unique")
        low = np.array([parameter.low for parameter in self.parameters], dtype=np.float64)
        high = np.array([parameter.high for parameter in self.parameters], dtype=np.float64)
        super().__init__(low, high, dtype=np.float64, seed=seed)

    @classmethod
    def from_box(cls, box: spaces.Box) -> "TaskSpace":
        """Name the dimensions of a plain box ``parameter_0``, ``parameter_1``, ... (flattened).

        Raises:
            ValueError: If a bound is infinite.
            TypeError: If it is not a box.
        """
        if isinstance(box, cls):
            return box
        if not isinstance(box, spaces.Box):
            raise TypeError(f"the space is {shown(box)}; expected a gymnasium.spaces.Box")
        bounds = zip(box.low.ravel(), box.high.ravel(), strict=True)
        return cls([Parameter(f"parameter_{i}", float(low), float(high)) for i, (low, high) in enumerate(bounds)])

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in order."""
        return tuple(parameter.name for parameter in self.parameters)

    @property
    def dimensions(self) -> int:
        """Number of parameters."""
        return len(self.parameters)

    @property
    def range(self) -> FloatArray:
        """``(n,)`` high minus low."""
        return np.asarray(self.high - self.low, dtype=np.float64)

    def validate(self, task: ArrayLike | Mapping[str, float]) -> FloatArray:
        """Turn what a user or teacher gave into a task vector.

        Args:
            task: ``(n,)`` numbers, a mapping from every parameter name to its value, or, where the space
                has one dimension, a bare number. Values that lie out of bounds by no more than the rounding
                of float32 are moved onto the bound.

        Returns:
            ``(n,)`` float64, within bounds; a copy.

        Raises:
            ValueError: If the shape is wrong, a name is unknown or missing, or a value is NaN or out of bounds.
        """
        vector = self._vector(task)
        slack = np.finfo(np.float32).eps * np.maximum(np.abs(self.low), np.abs(self.high))
        for parameter, value, allowed in zip(self.parameters, vector, slack, strict=True):
            if not parameter.low - allowed <= value <= parameter.high + allowed:
                unit = f" {parameter.unit}" if parameter.unit else ""
                raise ValueError(
                    f"task parameter {parameter.name!r} is {value}; expected a number "
                    f"in [{parameter.low:g}, {parameter.high:g}]{unit}"
                )
        return np.clip(vector, self.low, self.high)

    def validate_all(self, tasks: ArrayLike, *, name: str = "tasks") -> FloatArray:
        """Turn a list of tasks that a user gave into an array, each checked as ``validate`` does.

        Args:
            tasks: ``(m, n)`` numbers, at least one task.
            name: What they are called, for the error message.

        Returns:
            ``(m, n)`` float64, within bounds; a copy.

        Raises:
            ValueError: If it is not a list of tasks, or one of them is not allowed.
        """
        numbers = read_numbers(name, tasks)
        if numbers.ndim != 2 or numbers.shape[0] == 0 or numbers.shape[1:] != self.shape:
            raise ValueError(
                f"{name} has shape {numbers.shape}; expected (m, {self.dimensions}), at least one task of "
                f"{', '.join(self.names)}; a single one is a list of one"
            )
        return np.array([self.validate(task) for task in numbers])

    def _vector(self, task: ArrayLike | Mapping[str, float]) -> FloatArray:
        if isinstance(task, Mapping):
            for name in task:
                if name not in self.names:
                    raise unknown_name("task parameter", str(name), self.names)
            missing = [name for name in self.names if name not in task]
            if missing:
                raise ValueError(f"the task lacks {', '.join(missing)}; expected {', '.join(self.names)}")
            task = [task[name] for name in self.names]
        vector = read_numbers("task", task)
        if vector.ndim == 0 and self.dimensions == 1:
            vector = vector.reshape(1)
        if vector.shape != self.shape:
            raise ValueError(
                f"task has shape {vector.shape}; expected {self.shape}: {', '.join(self.names)}",
            )
        return vector

    def normalise(self, tasks: ArrayLike) -> FloatArray:
        """Map tasks ``(..., n)`` from their bounds to ``[0, 1]``."""
        return (read_numbers("tasks", tasks) - self.low) / self.range

    def denormalise(self, units: ArrayLike) -> FloatArray:
        """Map points ``(..., n)`` of ``[0, 1]`` to tasks; the inverse of ``normalise``."""
        return np.clip(self.low + read_numbers("units", units) * self.range, self.low, self.high)

    def uniform(self, rng: np.random.Generator, count: int | None = None) -> FloatArray:
        """Draw tasks uniformly: ``(n,)``, or ``(count, n)``, from the generator passed in."""
        size = None if count is None else (count, self.dimensions)
        return np.asarray(rng.uniform(self.low, self.high, size=size), dtype=np.float64)

    def describe(self) -> str:
        """One line: every parameter with its bounds and unit."""
        return ", ".join(f"{p.name} [{p.low:g}, {p.high:g}] {p.unit}".rstrip() for p in self.parameters)

    def describe_task(self, task: ArrayLike) -> str:
        """One line: every parameter with the task's value."""
        values = self._vector(task)
        return ", ".join(f"{name} {value:.2f}" for name, value in zip(self.names, values, strict=True))

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, TaskSpace) and self.parameters == other.parameters

    __hash__ = None  # type: ignore[assignment]  # mutable, as every Gymnasium space

    def __repr__(self) -> str:
        return f"TaskSpace({self.describe()})"
