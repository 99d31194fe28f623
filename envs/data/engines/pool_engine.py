"""Examples selected from a pool that exists already."""

from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import final

import numpy as np
from sklearn.feature_extraction.text import HashingVectorizer

from teachgym.base.settings import checked_dataclass
from teachgym.data.engine import Batch, DataEngine, Order
from teachgym.data.example import Example
from teachgym.data.files import read_examples
from teachgym.data.subject import Subject


@checked_dataclass
class PoolSettings:
    """Settings of ``PoolEngine``."""

    path: str = ""
    """File of examples, one JSON object a line (``teachgym.data.files``); empty takes the subject's own pool."""


@final
class PoolEngine(DataEngine):
    """Selects from a pool of real examples, each at most once in an episode.

    An order that names a skill takes random examples of it. One that shows examples takes those whose prompts are most
    like a random one of them (cosine of character trigrams), each time; and any other takes random ones. Where too
    few are left the order is filled as far as it goes, and a failure says so. Every example costs 1.

    Args:
        subject: What the examples are for.
        settings: A ``PoolSettings``; None takes the defaults.

    Raises:
        ValueError: If there is no pool, or its file can't be read; the message names file and line.
    """

    Settings = PoolSettings
    checks = ("not-duplicate",)
    settings: PoolSettings

    def __init__(self, subject: Subject, settings: PoolSettings | None = None) -> None:
        super().__init__(subject, settings)
        file = self.settings.path
        self._pool = list(read_examples(FilePath(file)) if file else subject.pool())
        if not self._pool:
            where = f"{file} holds no example" if file else f"subject {type(subject).__name__} has no pool of its own"
            raise ValueError(f"{where}; give the engine setting path, a file with one example a line")
        vectorizer = HashingVectorizer(analyzer="char_wb", ngram_range=(3, 3), n_features=2**14, alternate_sign=False)
        self._vectorizer = vectorizer
        self._prompts = vectorizer.transform([example.prompt for example in self._pool])
        self.begin()

    def begin(self, made: Sequence[Example] = ()) -> None:
        """Make all available again, but for these."""
        keys = {example.key for example in made}
        self._free = np.array([example.key not in keys for example in self._pool])

    def make(self, orders: Sequence[Order], rng: np.random.Generator, *, allowance: float = np.inf) -> Batch:
        """Select what is ordered."""
        made, failures, left = [], [], allowance
        for order in orders:
            chosen = self._select(order, int(min(order.count, left)), rng)
            if len(chosen) < order.count:
                wanted = " / ".join(order.path) or ("examples like those shown" if order.like else "any skill")
                failures.append(f"{len(chosen)} of {order.count} examples of {wanted} were left")
            left -= len(chosen)
            made.append([self._pool[place] for place in chosen])
        return Batch(made, float(sum(map(len, made))), failures)

    def _select(self, order: Order, count: int, rng: np.random.Generator) -> list[int]:
        depth = len(order.path)
        fits = self._free & np.array([example.path[:depth] == order.path for example in self._pool])
        if order.path or not order.like:
            places = np.flatnonzero(fits)
            chosen: list[int] = rng.permutation(places)[:count].tolist()
            self._free[chosen] = False
            return chosen
        shown = self._vectorizer.transform([example.prompt for example in order.like])
        nearness = np.asarray((self._prompts @ shown.T).todense())
        chosen = []
        for column in rng.integers(len(order.like), size=min(count, int(self._free.sum()))).tolist():
            place = int(np.argmax(np.where(self._free, nearness[:, column], -1.0)))
            self._free[place] = False
            chosen.append(place)
        return chosen
