"""Small language models of a prompt and the last symbol, whose distances are exact expectations."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from teachgym.envs.problems.controlled_student import Fixed
from teachgym.students.lifetimes.global_state import seeded

SYMBOLS, LENGTH, PROMPT = 16, 8, 8
"""Size of the vocabulary; symbols of a sequence; numbers of a prompt."""
RATE = 3e-3
_ORACLE_HIDDEN = 32


class Model(Protocol):
    """A network, or anything like one."""

    def __call__(self, contexts: Tensor) -> Tensor:
        """Logits ``(m, SYMBOLS)`` from ``(m, PROMPT + SYMBOLS)``: a prompt, and the last symbol as one of many."""


class OracleModel(Fixed):
    """The truth: random logits, a sum of what the last symbol says and of two functions of the prompt.

    Args:
        rng: Draws it.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        def drawn(rows: int, columns: int, scale: float) -> Tensor:
            return torch.tensor(scale * rng.standard_normal((rows, columns)), dtype=torch.float32)

        self._of_symbol = drawn(SYMBOLS, SYMBOLS, 1.0)
        self._of_prompt = drawn(PROMPT, SYMBOLS, 0.5)
        self._inner, self._outer = drawn(PROMPT, _ORACLE_HIDDEN, 1.0), drawn(_ORACLE_HIDDEN, SYMBOLS, 0.4)

    def __call__(self, contexts: Tensor) -> Tensor:
        """Logits."""
        prompts, symbols = contexts[:, :PROMPT], contexts[:, PROMPT:]
        return torch.tanh(prompts @ self._inner) @ self._outer + prompts @ self._of_prompt + symbols @ self._of_symbol


def make_model(hidden: int, seed: int) -> nn.Sequential:
    """A perceptron with one hidden layer."""
    with seeded(seed):
        return nn.Sequential(nn.Linear(PROMPT + SYMBOLS, hidden), nn.Tanh(), nn.Linear(hidden, SYMBOLS))


@dataclass(frozen=True)
class Sequences(Fixed):
    """Contexts ``(m * LENGTH, ...)`` of m sequences, and the symbols that followed."""

    contexts: Tensor
    symbols: Tensor


def draw_prompts(count: int, rng: np.random.Generator) -> Tensor:
    """``(count, PROMPT)`` standard normal prompts."""
    return torch.tensor(rng.standard_normal((count, PROMPT)), dtype=torch.float32)


@torch.no_grad()
def generate(model: Model, prompts: Tensor, rng: np.random.Generator) -> Sequences:
    """One sequence for each prompt, symbol by symbol; symbol 0 stands before the first."""
    last = torch.zeros(len(prompts), dtype=torch.int64)
    contexts, symbols = [], []
    for _ in range(LENGTH):
        context = torch.cat([prompts, functional.one_hot(last, SYMBOLS).float()], dim=1)
        probabilities = functional.softmax(model(context), dim=1).double().numpy()
        passed = probabilities.cumsum(axis=1) < rng.random((len(prompts), 1))
        last = torch.tensor(np.minimum(passed.sum(axis=1), SYMBOLS - 1))
        contexts.append(context)
        symbols.append(last)
    return Sequences(torch.cat(contexts), torch.cat(symbols))


@torch.no_grad()
def divergence(reference: Model, model: Model, contexts: Tensor) -> float:
    """Mean over contexts of ``KL(reference || model)`` of the next symbol, in nats: an exact sum over all symbols."""
    wanted, found = (functional.log_softmax(one(contexts).double(), dim=1) for one in (reference, model))
    return float((wanted.exp() * (wanted - found)).sum(dim=1).mean())


def fit(model: nn.Module, data: Sequences, *, epochs: int) -> None:
    """Fit the symbols that followed: Adam on all the data at once."""
    optimiser = torch.optim.Adam(model.parameters(), lr=RATE)
    for _ in range(epochs):
        optimiser.zero_grad()
        functional.cross_entropy(model(data.contexts), data.symbols).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
