"""A small transformer that reads and writes characters, trained from scratch."""

import copy
from collections.abc import Sequence
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import cross_entropy, linear, pad, relu

import teachgym.students.torch_state  # noqa: F401 - by which networks are kept
from teachgym.base.ranges import NonNegativeInt, PositiveFloat, PositiveInt, Share
from teachgym.base.settings import checked_dataclass
from teachgym.data.example import Example
from teachgym.data.subject import Subject
from teachgym.students.devices import chosen_device
from teachgym.students.lifetimes.global_state import seeded
from teachgym.students.supervised.student import SupervisedStudent

PAD, SEPARATOR, END, UNKNOWN = range(4)
_FIRST = 4
"""Token of the first printable character."""
VOCABULARY = _FIRST + 95
_HIDDEN = -1e9
"""Added to the score of what must not be seen; finite, so that padding, which sees nothing else, is not NaN."""
Tokens = NDArray[np.int64]


@checked_dataclass
class CharTransformerSettings:
    """Settings of ``CharTransformer``.

    Raises:
        ValueError: If a value is not allowed.
    """

    width: PositiveInt = 48
    """Size of the embedding; a multiple of ``heads``."""
    layers: PositiveInt = 2
    """Blocks of attention and two linear layers."""
    heads: PositiveInt = 3
    """Of attention."""
    prompt_length: PositiveInt = 48
    """Most characters of a prompt; of longer ones the end is read."""
    answer_length: PositiveInt = 32
    """Most characters of an answer; longer targets are cut off, and do not teach to end."""
    learning_rate: PositiveFloat = 3e-3
    """Of AdamW, after the warm-up."""
    warmup: NonNegativeInt = 50
    """Updates in which the learning rate rises from 0."""
    weight_decay: Share = 0.01
    """Of AdamW."""
    batch_size: PositiveInt = 64
    """Examples of an update."""
    averaging: Share = 0.97
    """Answers are given with a moving average of the weights, of which this share is kept at every update."""
    device: str = "auto"
    """A device of torch; ``"auto"`` takes the GPU where there is one. Runs are equal bit for bit on the CPU."""

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise ValueError(f"width is {self.width}; expected a multiple of heads, {self.heads}")


@final
class CharTransformer(SupervisedStudent):
    """A small transformer that learns to answer prompts, character by character, from nothing.

    It is a decoder: pre-normalised blocks, learned positions, the output layer's weights those of the embedding; about
    65,000 parameters as it is. The loss is on the answer alone, and answers are greedy. Positions are counted from the
    end of the prompt, so that the answer's first character is always in the same place. Characters beyond printable
    ASCII are all read as one unknown character. An episode of 3,600 examples takes 10 to 50 seconds on one core,
    by the length of prompts and answers.

    Args:
        subject: What it is to learn: text to text.
        settings: A ``CharTransformerSettings``; None takes the defaults.
        seed: Non-negative integer.
    """

    Settings = CharTransformerSettings
    updates_per_example = 2 / 3
    settings: CharTransformerSettings
    keeps = ("_network", "_average", "_optimiser", "_rng", "_updates")

    def __init__(self, subject: Subject, settings: CharTransformerSettings | None = None, *, seed: int) -> None:
        super().__init__(subject, settings, seed=seed)
        chosen = self.settings
        self._device = chosen_device(chosen.device)
        with seeded(seed):
            self._network = _Network(chosen).to(self._device)
            self._average = copy.deepcopy(self._network).requires_grad_(False)
        self._optimiser = torch.optim.AdamW(
            self._network.parameters(),
            lr=chosen.learning_rate,
            betas=(0.9, 0.99),
            weight_decay=chosen.weight_decay,
            fused=True,
        )
        self._rng = np.random.default_rng([seed, 1])
        self._updates = 0

    def train(self, examples: Sequence[Example], *, updates: int) -> None:
        """Minimise the cross entropy of the answers' characters, over minibatches drawn with replacement."""
        rows, chosen = self._rows(examples), self.settings
        start = chosen.prompt_length + 1  # the column of the answer's first character
        with torch.inference_mode(False), torch.enable_grad():
            for _ in range(updates):
                self._updates += 1
                rate = chosen.learning_rate * min(1.0, self._updates / max(chosen.warmup, 1))
                self._optimiser.param_groups[0]["lr"] = rate
                batch = rows[self._rng.integers(len(rows), size=chosen.batch_size)]
                used = np.flatnonzero(batch.any(axis=0))
                first, last = int(used[0]), int(used[-1])
                tokens = torch.from_numpy(batch[:, first : last + 1]).to(self._device)
                wanted = tokens[:, start - first :]
                predicted = self._network(tokens[:, :-1], first, wanted.shape[1])
                loss = cross_entropy(predicted.reshape(-1, VOCABULARY), wanted.reshape(-1), ignore_index=PAD)
                self._optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                nn.utils.clip_grad_norm_(self._network.parameters(), 1.0)
                self._optimiser.step()
                self._take_into_average()

    @torch.no_grad()
    def _take_into_average(self) -> None:
        """Move the average towards the weights; at first by more, so that the initial ones are soon forgotten."""
        kept = min(self.settings.averaging, self._updates / (self._updates + 10))
        torch._foreach_lerp_(list(self._average.parameters()), list(self._network.parameters()), 1 - kept)

    def answer(self, examples: Sequence[Example]) -> list[str]:
        """Write the likeliest character, one after the other."""
        if not examples:
            return []
        prompts = self._prompts(examples)
        first = int(np.flatnonzero(prompts.any(axis=0))[0])
        tokens = torch.from_numpy(prompts[:, first:]).to(self._device)
        with torch.no_grad():
            written = self._average.continued(tokens, first, self.settings.answer_length)
        return [_decoded(row) for row in written.tolist()]

    def _prompts(self, examples: Sequence[Example]) -> Tokens:
        """``(m, prompt_length + 1)``: prompts that all end in the column before the last, and the separator there."""
        length = self.settings.prompt_length
        rows = np.zeros((len(examples), length + 1), dtype=np.int64)
        rows[:, length] = SEPARATOR
        for row, example in zip(rows, examples, strict=True):
            tokens = _encoded(example.prompt)[-length:]
            row[length - len(tokens) : length] = tokens
        return rows

    def _rows(self, examples: Sequence[Example]) -> Tokens:
        """``(m, prompt_length + 1 + answer_length)``: prompt, separator, answer and its end, and padding."""
        length = self.settings.answer_length
        answers = np.zeros((len(examples), length), dtype=np.int64)
        for row, example in zip(answers, examples, strict=True):
            tokens = [*_encoded(example.target), END][:length]
            row[: len(tokens)] = tokens
        return np.hstack([self._prompts(examples), answers])


class _Network(nn.Module):
    """Tokens in, logits of the next ones out."""

    def __init__(self, settings: CharTransformerSettings) -> None:
        super().__init__()
        positions = settings.prompt_length + 1 + settings.answer_length
        self.embedding = nn.Embedding(VOCABULARY, settings.width)
        self.positions = nn.Embedding(positions, settings.width)
        self.blocks = nn.ModuleList([_Block(settings.width, settings.heads) for _ in range(settings.layers)])
        self.norm = nn.LayerNorm(settings.width)
        for table in (self.embedding, self.positions):
            nn.init.normal_(table.weight, std=0.05)

    def forward(self, tokens: torch.Tensor, first: int, last: int) -> torch.Tensor:
        """Logits ``(m, last, VOCABULARY)`` of what follows the last of tokens ``(m, t)``, from column ``first`` on."""
        hidden, unseen = self._begun(tokens, first)
        for block in self.blocks:
            hidden = block(hidden, unseen, last if block is self.blocks[-1] else tokens.shape[1], [])
        logits: torch.Tensor = linear(self.norm(hidden), self.embedding.weight)
        return logits

    def continued(self, tokens: torch.Tensor, first: int, most: int) -> torch.Tensor:
        """The likeliest tokens ``(m, up to most)`` after ``(m, t)``; those that follow an END are void."""
        hidden, unseen = self._begun(tokens, first)
        memory: list[list[torch.Tensor]] = [[] for _ in self.blocks]
        for block, past in zip(self.blocks, memory, strict=True):
            hidden = block(hidden, unseen, 1 if block is self.blocks[-1] else tokens.shape[1], past)
        unseen = unseen[:, :, -1:]
        over = torch.zeros((len(tokens), 1), dtype=torch.bool, device=tokens.device)
        written: list[torch.Tensor] = []
        while True:
            following = linear(self.norm(hidden), self.embedding.weight).argmax(dim=-1)
            written.append(following)
            over |= following == END
            if len(written) == most or bool(over.all()):
                return torch.cat(written, dim=1)
            place = first + tokens.shape[1] + len(written) - 1
            hidden = self.embedding(following) + self.positions.weight[place]
            unseen = pad(unseen, (0, 1))
            for block, past in zip(self.blocks, memory, strict=True):
                hidden = block(hidden, unseen, 1, past)

    def _begun(self, tokens: torch.Tensor, first: int) -> tuple[torch.Tensor, torch.Tensor]:
        """What goes into the first block; and ``(m, 1, t, t)`` what hides padding and what comes later."""
        length = tokens.shape[1]
        hidden = self.embedding(tokens) + self.positions.weight[first : first + length]
        later = torch.full((length, length), _HIDDEN, device=tokens.device).triu(1)
        return hidden, later + _HIDDEN * (tokens == PAD)[:, None, None, :]


class _Block(nn.Module):
    """Attention, then two linear layers, each added to what it was given."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, hidden: torch.Tensor, unseen: torch.Tensor, last: int, past: list[torch.Tensor]) -> torch.Tensor:
        """``(m, last, width)``, of the last places of ``(m, t, width)``; what is in them is remembered in ``past``."""
        m, t, width = hidden.shape
        parts: Any = self.attention(self.before(hidden)).view(m, t, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        if past:
            key, value = torch.cat([past[0], key], dim=2), torch.cat([past[1], value], dim=2)
        past[:] = [key, value]
        query, hidden, unseen = query[:, :, -last:], hidden[:, -last:], unseen[:, :, -last:]
        # written out, as torch's fused attention is slower for so few numbers
        scores = torch.matmul(query, key.transpose(2, 3)) * (width // self.heads) ** -0.5 + unseen
        attended = torch.matmul(scores.softmax(dim=-1), value)
        hidden = hidden + self.out(attended.transpose(1, 2).reshape(m, last, width))
        changed: torch.Tensor = hidden + self.narrow(relu(self.wide(self.between(hidden))))
        return changed


def _encoded(text: str) -> list[int]:
    codes = (ord(character) - 32 for character in text)
    return [_FIRST + code if 0 <= code < 95 else UNKNOWN for code in codes]


def _decoded(tokens: list[int]) -> str:
    tokens = tokens[: tokens.index(END)] if END in tokens else tokens
    return "".join(chr(token - _FIRST + 32) for token in tokens if token >= _FIRST)
