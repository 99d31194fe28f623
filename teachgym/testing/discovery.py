"""Whether a way to discover skills keeps the contract of ``teachgym.data.discovery.SkillDiscovery``."""

from collections.abc import Callable, Sequence

import numpy as np

from teachgym.core.seeding import check_seed
from teachgym.data.discovery import DiscoveredSkills, SkillDiscovery
from teachgym.data.example import Answer
from teachgym.testing.equality import difference
from teachgym.testing.surroundings import check_settings, untouched_generators


def check_discovery(make: Callable[[], SkillDiscovery], answers: Sequence[Answer], *, seed: int = 0) -> None:
    """Check that a discovery keeps the contract; call it from a test of your own.

    It is asked for one skill, for a few and for more than there are answers, in all answers and in a single one. It
    must: find at least one skill and no more than it is asked for, with names that are all different, and give every
    answer the number of one of them; find the same from the same generator, in a fresh discovery and in one that was
    used before; and leave the answers and global generators as they are.

    Args:
        make: The class, or anything that is called as ``make()``: ``partial(Class, settings)``.
        answers: What a student answered, to at least two different prompts; ``subject.mark`` makes them.
        seed: Non-negative integer.

    Raises:
        AssertionError: If the discovery breaks the contract; the message says how.
        ValueError: If an argument is not allowed.
    """
    check_seed(seed)
    if len({answer.example.key for answer in answers}) < 2:
        raise ValueError(f"answers has length {len(answers)}; expected answers to at least 2 different prompts")
    given = [_contents(answer) for answer in answers]
    used = make()  # whatever is imported on the way has been
    with untouched_generators("the discovery"):
        _check_described(used)
        for asked, count in ((answers, 1), (answers, 3), (answers[:1], 3), (answers[:2], len(answers) + 1)):
            found = used.discover(asked, count, np.random.default_rng(seed))
            _check_found(found, asked, count)
            for name, other in (("a fresh discovery", make()), ("one that was used before", used)):
                again = other.discover(asked, count, np.random.default_rng(seed))
                apart = difference(tuple(found), tuple(again), "what it found")
                assert apart is None, f"the same answers and generator gave other skills in {name}: {apart}"
    changed = difference(given, [_contents(answer) for answer in answers], "the answers")
    assert changed is None, f"the discovery modified the answers: {changed}"


def _check_described(discovery: SkillDiscovery) -> None:
    """Its class says what it is, and refuses settings of another."""
    kind = type(discovery)
    assert isinstance(discovery, SkillDiscovery), (
        f"make() gave {discovery!r}; expected a teachgym.data.discovery.SkillDiscovery"
    )
    check_settings(kind)
    try:
        kind(object())
    except TypeError:
        return
    raise AssertionError("the discovery took settings of another class; it must raise TypeError")


def _check_found(found: DiscoveredSkills, answers: Sequence[Answer], count: int) -> None:
    """Every answer has a skill, and there are no more than were asked for."""
    assert isinstance(found, DiscoveredSkills), f"discover() gave {found!r}; expected DiscoveredSkills"
    names, labels = found
    assert 1 <= len(names) <= count, f"{len(names)} skills were found; expected at least 1 and at most {count}"
    assert all(isinstance(name, str) and name for name in names), f"names is {names!r}; expected some text for each"
    assert len(set(names)) == len(names), f"two skills have the same name: {names}"
    assert len(labels) == len(answers), f"{len(answers)} answers have {len(labels)} labels"
    strange = [label for label in labels if not (isinstance(label, int) and 0 <= label < len(names))]
    assert not strange, f"a label is {strange[0]!r}; expected the number of one of {len(names)} skills"


def _contents(answer: Answer) -> tuple[str, str, str, float, bool]:
    """An answer, as plain values."""
    return answer.example.key, answer.example.target, answer.given, float(answer.score), bool(answer.correct)
