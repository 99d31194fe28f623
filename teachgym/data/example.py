"""One example to learn from or to be tested on, and one answer of a student."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teachgym.base.annotations import shown
from teachgym.base.control_characters import control_character

Path = tuple[str, ...]
"""Where an example belongs in a tree of skills: its skill, then subskills downwards, as far as that is known."""
Image = NDArray[np.uint8]
"""``(height, width, 3)`` RGB."""


@dataclass(frozen=True, eq=False)
class Example:
    """A prompt and the answer to it.

    Raises:
        ValueError: If the prompt is blank, the prompt or the target holds a control character other than tabs and ends
            of lines, or the image is not an RGB image.
        TypeError: If prompt or target is not text, or the image not an array.
    """

    prompt: str
    """What the student is asked; beside an image, the question about it."""
    target: str
    """What it is to answer."""
    path: Path = ()
    """The skill and its parts, downwards; empty where nobody knows."""
    image: Image | None = None
    """What the prompt is about, if it is about an image."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What the subject's scorer needs beyond the target (tests of a program, other right answers): plain JSON."""

    def __post_init__(self) -> None:
        if not (isinstance(self.prompt, str) and isinstance(self.target, str)):
            raise TypeError(f"prompt and target are {shown((self.prompt, self.target))}; expected texts")
        if self.image is not None and not isinstance(self.image, np.ndarray):
            raise TypeError(f"the image is {shown(self.image)}; expected an array, or None")
        if not self.prompt.strip():
            raise ValueError(f"the prompt is {self.prompt!r}; expected some text")
        for name, text in (("prompt", self.prompt), ("target", self.target)):
            strange = control_character(text)
            if strange is not None:
                raise ValueError(f"the {name} holds the {strange}")
        if self.image is not None and (self.image.dtype != np.uint8 or self.image.shape[2:] != (3,)):
            raise ValueError(
                f"the image has shape {self.image.shape} and dtype {self.image.dtype}; expected (height, width, 3) "
                "and uint8"
            )

    @property
    def skill(self) -> str:
        """The skill, or the empty string where nobody knows."""
        return self.path[0] if self.path else ""

    @cached_property
    def key(self) -> str:
        """What makes two examples the same: the prompt, but for case and white space, and the image."""
        found = hashlib.sha256(" ".join(self.prompt.lower().split()).encode())
        if self.image is not None:
            found.update(repr(self.image.shape).encode())
            found.update(np.ascontiguousarray(self.image).tobytes())
        return found.hexdigest()[:32]


@dataclass(frozen=True, eq=False)
class Answer:
    """What a student answered."""

    example: Example
    given: str
    """The student's words."""
    score: float
    """From 0 to 1, by the subject."""
    correct: bool
    """Whether the score reaches the subject's pass mark."""
