"""Items of the package reasoning-gym, by seed: which datasets can be used, and how each is kept reproducible."""

import contextlib
import io
import warnings
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType, ModuleType
from typing import Any, NamedTuple

from teachgym.base.exclusive import exclusive
from teachgym.base.registry import unknown_name
from teachgym.students.lifetimes.global_state import preserved

HELD_OUT_SEEDS = range(2**30)
"""Seeds of items of validation and test sets."""
TRAINING_SEEDS = range(2**30, 2**32)
"""Seeds of all other items."""
_LONGEST_ANSWER = 4_000
"""Characters above which an answer is wrong unread: a scorer could take very long over it."""

_REJECTED = "its scorer rejects some of its own answers"
_CODE = "its scorer runs the answer as Python code"
_NO_ANSWER = "its items have no answer to learn from, only a verifier"
_NOT_BY_SEED = "its items depend on more than their own seed"
_HASHES = "its items depend on Python's hash seed, so they differ from process to process"
EXCLUDED: Mapping[str, str] = MappingProxyType(
    {
        "composite": "it is a mixture of other datasets; name those instead",
        "game_of_life_halting": "its scorer gives every answer the full score",
        "family_relationships": "some of its answers are wrong: in-laws are swapped",
        "codeio": "it runs code from a file, prints, and needs packages that it does not declare",
        "pool_matrix": "it reseeds NumPy's global generator",
        **dict.fromkeys(("boxnet", "graph_color", "propositional_logic", "rubiks_cube", "rush_hour"), _NO_ANSWER),
        **dict.fromkeys(("palindrome_partitioning", "tower_of_hanoi"), _REJECTED),
        **dict.fromkeys(("acre", "gsm_symbolic", "list_functions", "survo"), _NOT_BY_SEED),
        **dict.fromkeys(
            ("isomorphic_strings", "knight_swap", "polynomial_multiplication", "ransom_note", "word_ladder"), _HASHES
        ),
        **dict.fromkeys(
            (
                "binary_matrix",
                "countdown",
                "intermediate_integration",
                "n_queens",
                "puzzle24",
                "simple_integration",
                "spiral_matrix",
                "string_insertion",
            ),
            _CODE,
        ),
    }
)
"""Dataset -> why it can't be used."""


class Item(NamedTuple):
    """One puzzle of a dataset."""

    question: str
    answer: str
    metadata: Mapping[str, Any]
    """What it was made from."""


@cache
def reasoning_gym() -> ModuleType:
    """The package, imported when it is first needed; its import draws from global generators, which is undone.

    Raises:
        ImportError: If it is not installed; says how to get it.
    """
    with preserved(), _quiet():
        try:
            import reasoning_gym
        except ImportError as error:
            raise ImportError(
                "the package reasoning-gym is missing; install it with: pip install 'teachgym[math]'"
            ) from error
    found: ModuleType = reasoning_gym
    return found


def usable_datasets() -> list[str]:
    """Names of all datasets that can be used, sorted."""
    return sorted(set(reasoning_gym().factory.DATASETS) - set(EXCLUDED))


def check_dataset(name: str) -> None:
    """Raise ``ValueError`` unless a dataset can be used: says why not, or suggests the nearest name."""
    if name in EXCLUDED:
        raise ValueError(f"dataset {name!r} of reasoning-gym can't be used: {EXCLUDED[name]}")
    if name not in (known := usable_datasets()):
        raise unknown_name("dataset of reasoning-gym:", name, known)


class Source:
    """A dataset at fixed levels. An item hangs on its seed alone.

    A dataset of the package makes item i from seed + i, so that those of two seeds that are near are mostly the same;
    here every item is the first of a seed of its own, and seeds are drawn at random from blocks that are far apart.

    Args:
        name: Of a dataset that can be used.
        config: Fields of its configuration; the rest keeps its defaults.

    Raises:
        ValueError: If the dataset rejects the configuration.
    """

    def __init__(self, name: str, config: Mapping[str, Any]) -> None:
        with _quiet():
            try:
                self._dataset = reasoning_gym().create_dataset(name, **{**config, "seed": 0, "size": 2})
            except (AssertionError, ValueError, TypeError) as error:
                raise ValueError(f"dataset {name!r} of reasoning-gym rejects {dict(config)}: {error}") from error

    def item(self, seed: int) -> Item:
        """The item of a non-negative seed."""
        entry = self._entry(seed)
        return Item(entry["question"], str(entry["answer"]), entry["metadata"])

    def accepts(self, answer: str, seed: int) -> bool:
        """Whether the dataset's own scorer gives an answer the full score; never raises.

        Partial credit does not count: datasets give some for any answer at all, or for an answer among other words.
        """
        if len(answer) > _LONGEST_ANSWER:
            return False
        entry = self._entry(seed)
        with _quiet():
            try:
                score = float(self._dataset.score_answer(answer, entry))
            except Exception:  # noqa: BLE001  # scorers raise whatever their parsing meets, of which there is no list
                return False
        return score >= 1.0 - 1e-9

    def _entry(self, seed: int) -> Any:
        with exclusive(), contextlib.redirect_stdout(io.StringIO()):
            self._dataset.seed = seed
            return self._dataset[0]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Swallow what the package prints and warns about."""
    with exclusive(), warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
