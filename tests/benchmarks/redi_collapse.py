"""What REDI's loss does when nothing limits it: ``python -m tests.benchmarks.redi_collapse`` (a minute).

A small network reads a digit and writes a trace of three tokens, the last of which is the digit. For every image there
is a right trace and one of another digit. The loss rewards the right trace, and punishes the wrong one, ``alpha`` times
as much; it is unbounded below for any alpha above 0, so that with enough updates both probabilities fall, and what the
network writes is neither.
"""

from collections.abc import Sequence

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.nn import functional

from teachgym.envs.problems.digit_networks import split_digits
from teachgym.envs.problems.objectives import redi
from teachgym.students.lifetimes.global_state import seeded

TOKENS, LENGTH = 20, 3
ALPHAS = (0.0, 0.2, 0.5, 0.8, 1.0)
BATCH, HIDDEN, LABELLED = 64, 128, 300


def traces(labels: Tensor) -> Tensor:
    """``(m, 3)`` tokens: 10 plus the digit's half, whether it is odd, and the digit."""
    return torch.stack([10 + labels // 2, 15 + labels % 2, labels], dim=1)


def log_probabilities(network: nn.Module, images: Tensor, tokens: Tensor) -> Tensor:
    """``(m, 3)`` of each token, given the image and the tokens before it."""
    found = []
    for place in range(LENGTH):
        before = functional.one_hot(tokens[:, :place], TOKENS).sum(dim=1).float()
        at = functional.one_hot(torch.full((len(images),), place), LENGTH).float()
        logits = network(torch.cat([images, before, at], dim=1))
        found.append(functional.log_softmax(logits, dim=1).gather(1, tokens[:, place : place + 1]))
    return torch.cat(found, dim=1)


def written(network: nn.Module, images: Tensor) -> Tensor:
    """``(m,)`` the last token of the trace that is written greedily."""
    tokens = torch.zeros(len(images), 0, dtype=torch.int64)
    for place in range(LENGTH):
        before = functional.one_hot(tokens, TOKENS).sum(dim=1).float()
        at = functional.one_hot(torch.full((len(images),), place), LENGTH).float()
        following = network(torch.cat([images, before, at], dim=1)).argmax(dim=1, keepdim=True)
        tokens = torch.cat([tokens, following], dim=1)
    return tokens[:, -1]


def train(alpha: float, seed: int, *, updates: int = 400, rate: float = 1e-3) -> tuple[float, float, float]:
    """Accuracy on test images, and the mean log-probabilities of right and wrong traces there, after training."""
    torch.set_num_threads(1)
    parts, rng = split_digits(), np.random.default_rng(seed)
    images, labels = (one[:LABELLED] for one in parts.train)
    with seeded(seed):
        network = nn.Sequential(nn.Linear(64 + TOKENS + LENGTH, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, TOKENS))
    optimiser = torch.optim.Adam(network.parameters(), lr=rate)
    lengths = torch.full((BATCH,), float(LENGTH))
    for _ in range(updates):
        batch = torch.tensor(rng.integers(len(images), size=BATCH))
        wrong = (labels[batch] + torch.tensor(rng.integers(1, 10, size=BATCH))) % 10
        chosen = log_probabilities(network, images[batch], traces(labels[batch])).sum(dim=1)
        rejected = log_probabilities(network, images[batch], traces(wrong)).sum(dim=1)
        optimiser.zero_grad()
        redi(chosen, rejected, lengths, lengths, alpha=alpha).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    shown, known = parts.test
    with torch.no_grad():
        right = float((written(network, shown) == known).double().mean())
        wrong = (known + 1) % 10
        logs = [float(log_probabilities(network, shown, traces(one)).sum(dim=1).mean()) for one in (known, wrong)]
    return right, logs[0], logs[1]


def main(alphas: Sequence[float] = ALPHAS, *, seeds: int = 5) -> None:
    """Train with every alpha, and print."""
    table = Table(title=f"REDI after 400 and 1,200 updates, {seeds} seeds")
    for heading in ("alpha", "updates", "accuracy", "log p(right trace)", "log p(wrong trace)"):
        table.add_column(heading, justify="right")
    for updates in (400, 1200):
        for alpha in alphas:
            accuracy, chosen, rejected = np.mean([train(alpha, seed, updates=updates) for seed in range(seeds)], axis=0)
            table.add_row(f"{alpha}", f"{updates}", f"{accuracy:.3f}", f"{chosen:.1f}", f"{rejected:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
