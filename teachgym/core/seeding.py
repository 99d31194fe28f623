"""One integer fans out to every stream of random numbers of a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from teachgym.base.annotations import shown
from teachgym.base.state import foreign


@dataclass(frozen=True)
class Seeds:
    """Independent 32-bit seeds, all made from one integer."""

    seed: int
    """The integer."""
    world: int
    """The student's training worlds: terrain noise, start forces."""
    student: int
    """The student: initial weights, exploration, minibatches."""
    teacher: int
    """The teacher's own generator."""
    evaluation: int
    """The worlds that the student is tested in."""


def fan_out(seed: int) -> Seeds:
    """Make the seeds of a run from one integer.

    ``env.reset(seed=s)`` and ``make_teacher(..., seed=s)`` both call this with the same ``s`` and take
    their own parts, so that one integer fixes a run and no two parts share a stream.

    Raises:
        ValueError: If the seed is not a non-negative integer.
    """
    check_seed(seed)
    world, student, teacher, evaluation = (int(word) for word in np.random.SeedSequence(seed).generate_state(4))
    return Seeds(seed=int(seed), world=world, student=student, teacher=teacher, evaluation=evaluation)


def check_seed(seed: int) -> None:
    """Raise ``ValueError`` unless the seed is a non-negative integer. 0 is a seed like any other."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ValueError(f"seed is {shown(seed)}; expected a non-negative integer")


def slot_seeds(seed: int | Sequence[int | None] | None, slots: int) -> list[int | None]:
    """The seeds of the slots of a vector environment: given one by one, or counted up from the first.

    Raises:
        ValueError: If one is not a non-negative integer, or there are more or fewer than slots.
    """
    if seed is None:
        return [None] * slots
    if not isinstance(seed, Sequence | np.ndarray):
        check_seed(seed)
        return [int(seed) + slot for slot in range(slots)]
    if len(seed) != slots:
        raise ValueError(f"there are {len(seed)} seeds; expected {slots}, one for each slot")
    for one in seed:
        if one is not None:
            check_seed(one)
    return [None if one is None else int(one) for one in seed]


def generator_state(rng: np.random.Generator) -> dict[str, Any]:
    """The state of a generator as plain values."""
    return dict(rng.bit_generator.state)


def generator_from_state(state: dict[str, Any]) -> np.random.Generator:
    """The generator that ``generator_state`` described.

    Raises:
        ValueError: If the state is not that of NumPy's default generator.
    """
    if state.get("bit_generator") != "PCG64":
        raise ValueError(f"generator state is of kind {state.get('bit_generator')!r}; expected 'PCG64'")
    bits = np.random.PCG64()
    bits.state = cast(Any, state)
    return np.random.Generator(bits)


def _restored_generator(there: np.random.Generator | None, state: dict[str, Any]) -> np.random.Generator:
    found = generator_from_state(state)
    if there is None:
        return found
    there.bit_generator.state = found.bit_generator.state
    return there


foreign(np.random.Generator, generator_state, _restored_generator)
