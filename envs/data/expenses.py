"""What an episode of data generation has cost."""

from dataclasses import dataclass


@dataclass
class Expenses:
    """What an episode has cost so far."""

    examples: int = 0
    """Examples given to the student, those of probes included."""
    updates: int = 0
    """Training updates, those of students that were retrained and of probes included."""
    engine: float = 0.0
    """What the engine spent, in its own unit."""
    validation_answers: int = 0
    """Answers to validation examples."""
    test_answers: int = 0
    """Answers to test examples."""
    other_answers: int = 0
    """Answers to other examples: candidates, and data that it was trained on."""
