"""Where examples come from: an engine that is asked until checks and counts are met, within its limit."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from teachgym.data.engine import Batch, DataEngine, EngineError, Order
from teachgym.data.example import Example
from teachgym.data.quality import QualityControl
from teachgym.envs.data.expenses import Expenses

_ATTEMPTS = 5
"""Times that an engine is asked for what checks have rejected."""


def make_examples(
    engine: DataEngine,
    quality: QualityControl,
    orders: Sequence[Order],
    rng: np.random.Generator,
    *,
    known: set[str],
    expenses: Expenses,
    spending_limit: float,
) -> tuple[list[list[Example]], list[str]]:
    """Have an engine make what is ordered.

    Args:
        engine: Makes it.
        quality: Checks it.
        orders: What, and how many.
        rng: Of this round.
        known: Keys of the examples that the student has.
        expenses: Charged with what the engine spends.
        spending_limit: What the engine may have spent in all.

    Returns:
        For each order the examples that passed, and what the engine could not do.

    Raises:
        EngineError: If nothing could be made.
    """
    given: list[list[Example]] = [[] for _ in orders]
    failures: list[str] = []
    keys = set(known)
    for attempt in range(_ATTEMPTS):
        missing = [order.count - len(made) for order, made in zip(orders, given, strict=True)]
        if not any(missing):
            break
        wanted = [replace(order, count=count) for order, count in zip(orders, missing, strict=True)]
        try:
            batch = _ask(engine, wanted, rng, spending_limit - expenses.engine)
        except EngineError as error:
            expenses.engine += error.cost
            if attempt == 0:
                raise
            failures.append(str(error))
            break
        expenses.engine += batch.cost
        failures += batch.failures
        for made, examples, count in zip(given, batch.examples, missing, strict=True):
            passed = quality.passed(examples[:count], keys)
            keys.update(example.key for example in passed)
            made += passed
        if not any(batch.examples):
            break
    return given, failures


def _ask(engine: DataEngine, orders: list[Order], rng: np.random.Generator, allowance: float) -> Batch:
    """Ask for the orders that are not empty."""
    wanted = [place for place, order in enumerate(orders) if order.count]
    batch = engine.make([orders[place] for place in wanted], rng, allowance=allowance)
    examples: list[list[Example]] = [[] for _ in orders]
    for place, made in zip(wanted, batch.examples, strict=True):
        examples[place] = made
    return Batch(examples, batch.cost, batch.failures)
