"""A small convolutional network that looks at an image, reads a question, and chooses an answer."""

import re
import zlib
from collections.abc import Sequence
from typing import Annotated, final

import numpy as np
import torch
from annotated_types import Ge
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import cross_entropy, relu

import teachgym.students.torch_state  # noqa: F401 - by which networks are kept
from teachgym.base.ranges import PositiveFloat, PositiveInt, Share
from teachgym.base.settings import checked_dataclass
from teachgym.data.example import Example
from teachgym.data.subject import Subject
from teachgym.students.devices import chosen_device
from teachgym.students.lifetimes.global_state import seeded
from teachgym.students.supervised.image_chooser import ImageChooser

_BUCKETS = 256
"""Rows of the table of words; row 0 is for the place after the last word."""
_GROUPS = 4
"""Of channels that are normalised together."""
_WORD = re.compile(r"\w+|[^\w\s]")


@checked_dataclass
class QuestionCNNSettings:
    """Settings of ``QuestionCNN``.

    Raises:
        ValueError: If a value is not allowed.
    """

    width: PositiveInt = 32
    """Channels of the last two convolutions, and size of the encoded question, a multiple of 8; other layers follow."""
    image_size: Annotated[int, Ge(8)] = 32
    """Pixels along each side that images are brought to, whatever size they have; a multiple of 8."""
    words: PositiveInt = 12
    """Most words and punctuation marks of a question; of longer ones the end is read."""
    learning_rate: PositiveFloat = 3e-3
    """Of AdamW."""
    weight_decay: Share = 0.01
    """Of AdamW."""
    batch_size: PositiveInt = 64
    """Examples of an update, drawn with replacement."""
    device: str = "cpu"
    """A device of torch; ``"auto"`` takes the GPU where there is one. Runs are equal bit for bit on the CPU."""

    def __post_init__(self) -> None:
        for name in ("width", "image_size"):
            if getattr(self, name) % 8:
                raise ValueError(f"{name} is {getattr(self, name)}; expected a multiple of 8")


@final
class QuestionCNN(ImageChooser):
    """A small convolutional network that answers questions about images, trained from nothing.

    The words of the question, each a row of a table that its hash picks, go through a recurrent layer, so that their
    order counts. What comes of them scales and shifts the normalised channels of the second and the third of three
    convolutions (as FiLM does, Perez et al. 2018, arXiv:1709.07871) and joins what they find, before two linear layers
    choose among the subject's answers. Two more channels of the image say where a pixel is. It has about 64,000 weights
    as it is, and an episode of 2,100 examples takes 14 seconds on one core.

    Args:
        subject: One with images and a closed list of answers.
        settings: A ``QuestionCNNSettings``; None takes the defaults.
        seed: Non-negative integer.

    Raises:
        ValueError: If the subject has no closed list of answers; when it is used, if an example has no image.
    """

    Settings = QuestionCNNSettings
    settings: QuestionCNNSettings
    updates_per_example = 2 / 3
    keeps = ("_network", "_optimiser", "_rng")

    def __init__(self, subject: Subject, settings: QuestionCNNSettings | None = None, *, seed: int) -> None:
        super().__init__(subject, settings, seed=seed)
        chosen = self.settings
        self._device = chosen_device(chosen.device)
        with seeded(seed):
            self._network = _Network(chosen, len(self.choices)).to(self._device)
        self._optimiser = torch.optim.AdamW(
            self._network.parameters(), lr=chosen.learning_rate, weight_decay=chosen.weight_decay
        )
        self._rng = np.random.default_rng([seed, 1])

    def train(self, examples: Sequence[Example], *, updates: int) -> None:
        """Minimise the cross entropy of the answers, over minibatches drawn with replacement."""
        images, questions, labels = self._images(examples), self._questions(examples), self.labels(examples)
        with torch.inference_mode(False), torch.enable_grad():
            for _ in range(updates):
                chosen = self._rng.integers(len(examples), size=self.settings.batch_size)
                logits = self._network(self._there(images[chosen]), self._there(questions[chosen]))
                loss = cross_entropy(logits, self._there(labels[chosen]))
                self._optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                self._optimiser.step()

    def answer(self, examples: Sequence[Example]) -> list[str]:
        """The likeliest answer to each."""
        given: list[str] = []
        with torch.no_grad():
            for start in range(0, len(examples), 256):
                part = examples[start : start + 256]
                logits = self._network(self._there(self._images(part)), self._there(self._questions(part)))
                given += [self.choices[number] for number in logits.argmax(dim=-1).tolist()]
        return given

    def _images(self, examples: Sequence[Example]) -> NDArray[np.uint8]:
        return self.images(examples, self.settings.image_size)

    def _questions(self, examples: Sequence[Example]) -> NDArray[np.int64]:
        """``(m, words)`` rows of the table of words, 0 after the last."""
        rows = np.zeros((len(examples), self.settings.words), dtype=np.int64)
        for row, example in zip(rows, examples, strict=True):
            words = _WORD.findall(example.prompt.lower())[-self.settings.words :]
            row[: len(words)] = [1 + zlib.crc32(word.encode()) % (_BUCKETS - 1) for word in words]
        return rows

    def _there(self, values: NDArray[np.generic]) -> torch.Tensor:
        return torch.from_numpy(values).to(self._device)


class _Network(nn.Module):
    """Images and questions in, logits of the answers out."""

    def __init__(self, settings: QuestionCNNSettings, answers: int) -> None:
        super().__init__()
        width, side = settings.width, settings.image_size
        self.words = nn.Embedding(_BUCKETS, width // 2)
        self.reading = nn.GRU(width // 2, width, batch_first=True)
        self.first = nn.Conv2d(5, width // 2, 3, stride=2, padding=1)
        self.second = nn.Conv2d(width // 2, width, 3, stride=2, padding=1)
        self.third = nn.Conv2d(width, width, 3, stride=2, padding=1)
        self.first_norm = nn.GroupNorm(_GROUPS, width // 2)
        self.norm = nn.GroupNorm(_GROUPS, width, affine=False)  # the question gives scale and shift
        self.second_modulation, self.third_modulation = nn.Linear(width, 2 * width), nn.Linear(width, 2 * width)
        self.joining = nn.Linear(width * (side // 8) ** 2 + width, 2 * width)
        self.choosing = nn.Linear(2 * width, answers)
        down, across = torch.meshgrid(torch.linspace(-1, 1, side), torch.linspace(-1, 1, side), indexing="ij")
        self.register_buffer("places", torch.stack([down, across]), persistent=False)
        self.places: torch.Tensor

    def forward(self, images: torch.Tensor, questions: torch.Tensor) -> torch.Tensor:
        """Logits ``(m, answers)`` for images ``(m, side, side, 3)`` of bytes and questions ``(m, words)``."""
        question = self._read(questions)
        seen = images.permute(0, 3, 1, 2).float() / 127.5 - 1
        found = self.first(torch.cat([seen, self.places.expand(len(images), -1, -1, -1)], dim=1))
        found = relu(self.first_norm(found))
        found = self._modulated(self.second(found), self.second_modulation(question))
        found = self._modulated(self.third(found), self.third_modulation(question)).flatten(1)
        logits: torch.Tensor = self.choosing(relu(self.joining(torch.cat([found, question], dim=1))))
        return logits

    def _modulated(self, found: torch.Tensor, by: torch.Tensor) -> torch.Tensor:
        """Channels ``(m, width, ...)``, normalised, then scaled and shifted as ``(m, 2 width)`` says."""
        scale, shift = by[..., None, None].chunk(2, dim=1)
        return relu(self.norm(found) * (1 + scale) + shift)

    def _read(self, questions: torch.Tensor) -> torch.Tensor:
        """``(m, width)`` what the recurrent layer holds after the last word."""
        states, _ = self.reading(self.words(questions))
        last = (questions != 0).sum(dim=1).clamp(min=1) - 1
        ends: torch.Tensor = states[torch.arange(len(questions), device=questions.device), last]
        return ends
