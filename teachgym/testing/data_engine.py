"""Whether an engine keeps the contract of ``teachgym.data.engine.DataEngine``."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from teachgym.core.seeding import check_seed
from teachgym.data.engine import Batch, DataEngine, EngineError, Order
from teachgym.data.example import Example
from teachgym.data.quality import CHECKS
from teachgym.data.subject import Subject
from teachgym.testing.equality import difference
from teachgym.testing.surroundings import check_settings, untouched_generators

MakeEngine = Callable[[Subject], DataEngine]


def check_data_engine(make: MakeEngine, subject: Subject, *, seed: int = 0) -> None:
    """Check that an engine keeps the contract; call it from a test of your own.

    It carries out small plans, which name skills, show examples and mistakes, or say nothing, and must: make no more
    than is ordered, of the skill that is named, and say so where it makes less; tell what it spent, and stay within its
    allowance; make the same examples from the same generator, in a fresh engine and in one that begins a new episode;
    go on from the examples that it has made as if it had never stopped; and leave the subject, the plan and global
    generators as they are.

    Args:
        make: The class, or anything that is called as ``make(subject)``: ``partial(Class, settings=...)``.
        subject: What it makes examples for.
        seed: Non-negative integer.

    Raises:
        AssertionError: If the engine breaks the contract; the message says how.
        ValueError: If the seed is not allowed.
    """
    check_seed(seed)
    plans = [_plan(subject), _plan(subject)[:1]]
    held_out = [example.key for example in (*subject.validation, *subject.test)]
    shown = [example.key for order in plans[0] for example in order.like]
    engine = make(subject)  # whatever is imported on the way has been
    with untouched_generators("the engine"):
        _check_described(engine, subject)
        batches = _episode(engine, plans, seed)
        for plan, batch in zip(plans, batches, strict=True):
            _check_batch(plan, batch)
        _check_repeats(make, subject, plans, batches, seed)
        _check_allowance(make, subject, plans[0], batches[0].cost, seed)
    assert [example.key for example in (*subject.validation, *subject.test)] == held_out, (
        "the engine changed the subject"
    )
    assert [example.key for order in plans[0] for example in order.like] == shown, "the engine changed its plan"


def _plan(subject: Subject) -> list[Order]:
    """Orders of every kind."""
    first, last = subject.skill_names[0], subject.skill_names[-1]
    like = tuple(subject.validation[:3])
    wrong = tuple(subject.mark(subject.validation[:2], ["?", "?"]))
    return [
        Order(4, (first,)),
        Order(0, (last,)),
        Order(3),
        Order(3, like=like),
        Order(2, (last,), mistakes=wrong, note="harder ones"),
    ]


def _check_described(engine: DataEngine, subject: Subject) -> None:
    """Its class says what it is, and refuses settings of another."""
    kind = type(engine)
    assert isinstance(engine, DataEngine), f"make() gave {engine!r}; expected a teachgym.data.engine.DataEngine"
    check_settings(kind)
    assert isinstance(kind.unit, str), f"unit is {kind.unit!r}; expected what costs are counted in"
    unknown = set(kind.checks).difference(CHECKS)
    assert not unknown, f"checks names {sorted(unknown)}; expected some of {', '.join(CHECKS)}"
    try:
        kind(subject, object())
    except TypeError:
        return
    raise AssertionError("the engine took settings of another class; it must raise TypeError")


def _episode(engine: DataEngine, plans: Sequence[Sequence[Order]], seed: int) -> list[Batch]:
    """Carry out one plan after the other, each from a generator of its own."""
    engine.begin()
    return [_made(engine, plan, seed + place) for place, plan in enumerate(plans)]


def _made(engine: DataEngine, plan: Sequence[Order], seed: int) -> Batch:
    try:
        batch = engine.make(plan, np.random.default_rng(seed))
    except EngineError as error:
        raise AssertionError(f"the engine could make nothing: {error}") from error
    assert isinstance(batch, Batch), f"make() gave {batch!r}; expected a teachgym.data.engine.Batch"
    return batch


def _check_batch(plan: Sequence[Order], batch: Batch) -> None:
    """What was made is what was ordered."""
    assert len(batch.examples) == len(plan), f"{len(plan)} orders have {len(batch.examples)} lists of examples"
    for place, (order, made) in enumerate(zip(plan, batch.examples, strict=True)):
        assert all(isinstance(example, Example) for example in made), f"order {place} has {made!r}; expected examples"
        assert len(made) <= order.count, f"order {place} has {len(made)} examples; {order.count} were ordered"
        assert len(made) == order.count or batch.failures, (
            f"order {place} has {len(made)} of {order.count} examples, and failures does not say why"
        )
        strange = [example.path for example in made if example.path[: len(order.path)] != order.path]
        assert not strange, f"order {place} is for {order.path}, and has an example of {strange[:1]}"
    assert all(isinstance(failure, str) for failure in batch.failures), f"failures is {batch.failures!r}; expected text"
    assert 0 <= batch.cost < np.inf, f"the cost is {batch.cost!r}; expected a finite number, not negative"


def _check_repeats(
    make: MakeEngine, subject: Subject, plans: Sequence[Sequence[Order]], batches: Sequence[Batch], seed: int
) -> None:
    """The same generators give the same examples, from the start and from the middle of an episode."""
    used = make(subject)
    for name in ("in a fresh engine", "after begin() in one that was used before"):
        again = [_contents(batch) for batch in _episode(used, plans, seed)]
        found = difference([_contents(batch) for batch in batches], again, "the batches")
        assert found is None, f"the same plan and generator gave other examples {name}: {found}"
    resumed = make(subject)
    resumed.begin([example for made in batches[0].examples for example in made])
    found = difference(_contents(batches[1]), _contents(_made(resumed, plans[1], seed + 1)), "the batch")
    assert found is None, f"after begin() with what had been made, the engine went on otherwise: {found}"


def _check_allowance(make: MakeEngine, subject: Subject, plan: Sequence[Order], cost: float, seed: int) -> None:
    """No more is spent than is allowed."""
    for allowance in (0.0, cost / 2):
        engine = make(subject)
        engine.begin()
        try:
            spent = engine.make(plan, np.random.default_rng(seed), allowance=allowance).cost
        except EngineError as error:
            spent = error.cost
        assert spent <= allowance, f"the engine spent {spent:g} {type(engine).unit}, of an allowance of {allowance:g}"


def _contents(batch: Batch) -> list[Any]:
    """Everything in a batch, as nested plain values."""
    examples = [
        [(example.key, example.prompt, example.target, example.path, dict(example.facts)) for example in made]
        for made in batch.examples
    ]
    return [examples, float(batch.cost), list(batch.failures)]
