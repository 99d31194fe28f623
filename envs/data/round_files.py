"""What a round leaves on disk: the examples that were given, the answers to the validation set, and a report."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from teachgym.base.files import write_json
from teachgym.data.example import Example
from teachgym.data.files import example_entry, example_of, read_lines, write_lines

if TYPE_CHECKING:
    from teachgym.envs.data.data_lifetime import DataLifetime

_EXAMPLES = "examples.jsonl"


def write_round(folder: Path, lifetime: "DataLifetime[Any]", failures: Sequence[str]) -> None:
    """Write the round that has just ended; round 0 is the test before any data."""
    place = _round_folder(folder, lifetime.rounds)
    write_lines(place / _EXAMPLES, [example_entry(example) for example in lifetime.latest])
    answers = [
        {
            "prompt": answer.example.prompt,
            "expected": answer.example.target,
            "given": answer.given,
            "score": answer.score,
            "skill": lifetime.skill_names[label],
        }
        for answer, label in zip(lifetime.answers, lifetime.labels.tolist(), strict=True)
    ]
    write_lines(place / "answers.jsonl", answers)
    report = {
        "accuracy": lifetime.accuracy,
        "skill_accuracy": dict(zip(lifetime.skill_names, lifetime.skill_accuracy.tolist(), strict=True)),
        "expenses": asdict(lifetime.expenses),
        "engine_unit": type(lifetime.engine).unit,
        "rejected": dict(lifetime.quality.rejected),
        "failures": list(failures),
    }
    write_json(place / "report.json", report)


def read_given(folder: Path, number: int) -> list[Example]:
    """The examples that were given in a round.

    Raises:
        ValueError: If its file is missing or damaged; the message names file and line.
    """
    examples = []
    for place, entry in read_lines(_round_folder(folder, number) / _EXAMPLES):
        try:
            examples.append(example_of(entry))
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from error
    return examples


def _round_folder(folder: Path, number: int) -> Path:
    return folder / f"round-{number:04d}"
