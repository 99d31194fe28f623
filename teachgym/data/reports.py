"""What a teacher that reads is shown: one JSON object, as text. Without feedback, what it would show is absent."""

from typing import NotRequired, TypedDict


class ErrorReport(TypedDict):
    """An answer that was wrong; without feedback, or where there is no error, a validation prompt alone."""

    number: int
    """By which a plan refers to it."""
    prompt: str
    expected: NotRequired[str]
    given: NotRequired[str]


class SkillReport(TypedDict):
    """A skill of a skill-list environment."""

    name: str
    examples_so_far: int
    accuracy: NotRequired[float]
    errors: NotRequired[int]
    gain: NotRequired[float]


class SubskillReport(TypedDict):
    """A subskill of a skill-tree environment."""

    slot: int
    """By which a plan refers to it, from 1."""
    name: str
    """Its names from below the skill downwards, parted by ``" / "``."""
    allocation: int
    examples_so_far: int
    accuracy_on_generated: NotRequired[float | None]
    accuracy: NotRequired[float | None]
    """On the validation examples of this part of the skill; None without any."""


class TreeReport(TypedDict):
    """A skill of a skill-tree environment."""

    name: str
    allocation: int
    examples_so_far: int
    complete: bool
    """Whether there is nothing left to explore."""
    subskills: list[SubskillReport]
    history: list[dict[str, float | str]]
    """``{"action": "explore" | "exploit", "reward": ...}`` of every step so far; without feedback the action alone."""
    accuracy: NotRequired[float]
    reward: NotRequired[float]


class SubjectReport(TypedDict):
    """The whole of it."""

    subject: str
    """What the subject is about, in words."""
    progress: float
    """Share of the budget that is spent."""
    examples_left: int
    """In the whole episode."""
    examples_now: int
    """That this step is meant to make."""
    steps_left: int
    accuracy: NotRequired[float]
    """On the whole validation set."""
    errors: NotRequired[list[ErrorReport]]
    """Open-ended environments: some of the errors. Skill lists and trees: absent."""
    skills: NotRequired[list[SkillReport] | list[TreeReport]]
    """Skill lists and trees."""
