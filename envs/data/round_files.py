"""What a round leaves on disk: the examples that were given, the answers to the validation set, and a report."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from teachgym.base.files import write_json
from teachgym.data.example import Example
from teachgym.data.files import example_entry, example_of, read_lines, write_lines

if TYPE_CHECKING:
    from teachgym.envs.data.classroom import Classroom

_EXAMPLES = "examples.jsonl"


def write_round(folder: Path, classroom: "Classroom", failures: Sequence[str]) -> None:
    """Write the round that has just ended; round 0 is the test before any data."""
    place = _round_folder(folder, classroom.rounds)
    write_lines(place / _EXAMPLES, [example_entry(example) for example in classroom.latest])
    answers = [
        {
            "prompt": answer.example.prompt,
            "expected": answer.example.target,
            "given": answer.given,
            "score": answer.score,
            "skill": classroom.skill_names[label],
        }
        for answer, label in zip(classroom.answers, classroom.labels.tolist(), strict=True)
    ]
    write_lines(place / "answers.jsonl", answers)
    report = {
        "accuracy": classroom.accuracy,
        "skill_accuracy": dict(zip(classroom.skill_names, classroom.skill_accuracy.tolist(), strict=True)),
        "expenses": asdict(classroom.expenses),
        "engine_unit": type(classroom.engine).unit,
        "rejected": dict(classroom.quality.rejected),
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
