"""Math and logic from the generators of the package reasoning-gym."""

from functools import cached_property
from typing import Any, ClassVar, Literal, final

import numpy as np

from teachgym.base.settings import checked_dataclass
from teachgym.data.example import Example, Path
from teachgym.data.skills import Skill, find_skill
from teachgym.data.subject import HeldOut, Subject
from teachgym.envs.data.subjects.reasoning_recipes import RECIPES, Recipe, curriculum_recipe
from teachgym.envs.data.subjects.reasoning_source import HELD_OUT_SEEDS, TRAINING_SEEDS, Source, check_dataset


@checked_dataclass
class ReasoningSettings(HeldOut):
    """Settings of ``Math`` and ``Logic``.

    Raises:
        ValueError: If a value is not allowed.
    """

    skills: tuple[str, ...] | None = None
    """Datasets of reasoning-gym to take for skills; None takes the subject's own."""
    style: Literal["compact", "words"] = "compact"
    """Prompts of a few characters, for small students, or the package's own in whole sentences, for language models."""


class Reasoning(Subject):
    """Datasets of reasoning-gym as skills, and their levels of difficulty as parts.

    The generators are those of Stojanovski et al. 2025 (arXiv:2505.24760). Every example hangs on a seed of its own,
    drawn at random, where the package makes item i of a dataset from its seed plus i, so that those of neighbouring
    seeds are mostly the same. Seeds of held-out examples come from a block of their own, and what is held out is
    recognised by its prompt besides. An answer is right if it is the target or the dataset's own scorer gives it the
    full score: the partial credit that many give for any answer, or for one among other words, does not count.

    Args:
        settings: A ``ReasoningSettings``; None takes the defaults.

    Raises:
        ValueError: If a dataset is unknown or can't be used, or has no compact form; the message says why.
        ImportError: If the package is not installed.
    """

    Settings = ReasoningSettings
    own: ClassVar[tuple[str, ...]] = ()
    """Datasets that are taken unless the settings name others."""
    settings: ReasoningSettings

    def __init__(self, settings: Any = None) -> None:
        super().__init__(settings)
        names = self.own if self.settings.skills is None else tuple(self.settings.skills)
        self._recipes: dict[str, Recipe] = {}
        for name in names:
            check_dataset(name)
            self._recipes[name] = RECIPES[name] if name in RECIPES else curriculum_recipe(name)
        if self.settings.style == "compact":
            long = [name for name, recipe in self._recipes.items() if recipe.brief is None]
            if long:
                known = ", ".join(sorted(name for name, recipe in RECIPES.items() if recipe.brief))
                raise ValueError(
                    f"skills {', '.join(long)} have no compact form; give style='words', or take of {known}"
                )
        self._sources = {
            path: Source(name, config)
            for name, recipe in self._recipes.items()
            for path, config in recipe.configs(name).items()
        }

    @cached_property
    def skills(self) -> tuple[Skill, ...]:
        """One for each dataset."""
        return tuple(recipe.skill(name) for name, recipe in self._recipes.items())

    def make(self, path: Path, count: int, rng: np.random.Generator) -> list[Example]:
        """Draw items by seeds of their own."""
        return self._drawn(path, count, rng, TRAINING_SEEDS)

    def _make_held_out(self, path: Path, rng: np.random.Generator) -> Example:
        return self._drawn(path, 1, rng, HELD_OUT_SEEDS)[0]

    def _drawn(self, path: Path, count: int, rng: np.random.Generator, block: range) -> list[Example]:
        leaves = [(*path[:-1], *leaf) for leaf in find_skill(self.skills, path).leaves()]
        chosen = rng.integers(len(leaves), size=count).tolist()
        seeds = rng.integers(block.start, block.stop, size=count).tolist()
        return [self._example(leaves[leaf], seed) for leaf, seed in zip(chosen, seeds, strict=True)]

    def score(self, example: Example, given: str) -> float:
        """1 for the target, and in words for any other answer that the dataset's scorer accepts in full."""
        if given.strip() == example.target.strip():
            return 1.0
        seed = example.facts.get("seed")
        if self.settings.style == "compact" or seed is None or example.path not in self._sources:
            return 0.0
        return float(self._sources[example.path].accepts(given, int(seed)))

    def _example(self, path: Path, seed: int) -> Example:
        item = self._sources[path].item(seed)
        brief = self._recipes[path[0]].brief
        if self.settings.style == "words" or brief is None:
            return Example(item.question, item.answer, path, facts={"seed": seed})
        prompt, target = brief(item)
        return Example(prompt, target, path, facts={"seed": seed})


@final
class Math(Reasoning):
    """Arithmetic, and puzzles on numbers and letters, from the generators of reasoning-gym.

    Six skills of unequal difficulty, each with parts: with ``style=compact`` a small transformer learns four of them
    from a few hundred examples each, and needs many more for products and sums. See ``Reasoning``.
    """

    own = ("spell_backward", "count_bits", "number_sorting", "rotate_matrix", "products", "chain_sum")


@final
class Logic(Reasoning):
    """Syllogisms, knights and knaves, circuits and other puzzles of logic, from the generators of reasoning-gym.

    Six skills of unequal difficulty, each with parts; see ``Reasoning``.
    """

    own = ("syllogism", "knights_knaves", "circuit_logic", "self_reference", "aiw", "ab")
