from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from teachgym.data.example import Example
from teachgym.students.supervised import make_supervised_student
from teachgym.students.supervised.char_transformer import (
    END,
    PAD,
    SEPARATOR,
    VOCABULARY,
    CharTransformer,
    CharTransformerSettings,
)
from tests.data.toy import Numbers

SMALL = CharTransformerSettings(width=24, layers=2, heads=2, batch_size=32, device="cpu")


def taught(updates: int = 150, settings: CharTransformerSettings = SMALL) -> tuple[CharTransformer, list[Example]]:
    subject = Numbers()
    student = CharTransformer(subject, settings, seed=0)
    examples = subject.make(("same", "small"), 200, np.random.default_rng(0))
    student.train(examples, updates=updates)
    return student, examples


@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad])
def test_modes_of_the_caller_do_not_reach_it(mode: type[torch.no_grad]) -> None:
    student, examples = taught(3)
    with mode():
        other, _ = taught(3)
        answers = other.answer(examples)
    assert answers == student.answer(examples)
    assert all(
        torch.equal(a, b) for a, b in zip(student._network.parameters(), other._network.parameters(), strict=True)
    )


@pytest.mark.learned
def test_it_learns_to_copy_numbers_that_it_has_not_seen() -> None:
    student, examples = taught(400)
    known = {example.prompt for example in examples}
    fresh = [Example(f"same {n}", str(n)) for n in range(100) if f"same {n}" not in known]
    assert len(fresh) > 8
    right = [answer == example.target for answer, example in zip(student.answer(fresh), fresh, strict=True)]
    assert np.mean(right) > 0.7


def test_it_has_as_many_weights_as_its_settings_imply() -> None:
    chosen = CharTransformerSettings()
    width, positions = chosen.width, chosen.prompt_length + 1 + chosen.answer_length
    block = 12 * width**2 + 13 * width  # matrices; their biases, and two norms
    expected = (VOCABULARY + positions) * width + chosen.layers * block + 2 * width
    network = CharTransformer(Numbers(), seed=0)._network
    assert sum(weights.numel() for weights in network.parameters()) == expected
    assert 55_000 < expected < 70_000


def written_anew(student: CharTransformer, prompt: str) -> str:
    """The greedy answer, with everything worked out again for every character, and nothing padded."""
    tokens = [4 + ord(letter) - 32 for letter in prompt] + [SEPARATOR]
    first = student.settings.prompt_length - len(prompt)
    answer: list[int] = []
    while len(answer) < student.settings.answer_length:
        logits = student._network(torch.tensor([tokens + answer]), first, 1)
        following = int(logits[0, -1].argmax())
        if following == END:
            break
        answer.append(following)
    return "".join(chr(token - 4 + 32) for token in answer if token >= 4)


def test_answers_are_the_likeliest_characters_one_by_one() -> None:
    student, examples = taught()
    asked = [*examples[:10], Example("a longer prompt of other words", "?"), Example("x", "?")]
    assert student.answer(asked) == [written_anew(student, example.prompt) for example in asked]


def test_an_answer_does_not_depend_on_what_else_is_asked() -> None:
    student, examples = taught(40)
    others = [Example("q" * length, "?") for length in (1, 20, 48)]
    assert student.answer([*examples[:20], *others])[:20] == [student.answer([one])[0] for one in examples[:20]]


def test_padding_changes_nothing() -> None:
    student, _ = taught(5)
    tokens = torch.tensor([[20, 21, 22, SEPARATOR, 30]])
    padded = torch.nn.functional.pad(tokens, (6, 0), value=PAD)
    with torch.no_grad():
        alone, beside = student._network(tokens, 10, 2), student._network(padded, 4, 2)
    assert alone.isfinite().all()
    assert torch.allclose(alone, beside, atol=1e-5)


def test_what_follows_does_not_change_what_is_expected_before_it() -> None:
    student, _ = taught(5)
    with torch.no_grad():
        one = student._network(torch.tensor([[20, 21, SEPARATOR, 30, 31]]), 0, 3)
        other = student._network(torch.tensor([[20, 21, SEPARATOR, 30, 99 - 4]]), 0, 3)
    assert torch.allclose(one[:, :2], other[:, :2], atol=1e-6)
    assert not torch.allclose(one[:, 2], other[:, 2], atol=1e-2)


def answers_to(student: CharTransformer, prompts: Sequence[str]) -> list[str]:
    return student.answer([Example(prompt, "") for prompt in prompts])


def test_of_a_long_prompt_the_end_is_read() -> None:
    student, _ = taught(20)
    student.train([Example("a" * 47 + "1", "one"), Example("b" * 47 + "2", "two")], updates=60)
    assert answers_to(student, ["b" * 90 + "a" * 47 + "1", "a" * 90 + "b" * 47 + "2"]) == ["one", "two"]


def test_long_targets_are_cut_and_do_not_teach_to_end() -> None:
    student = CharTransformer(Numbers(), replace(SMALL, answer_length=6, learning_rate=1e-2), seed=0)
    student.train([Example("alphabet", "abcdefghijkl"), Example("short", "abc")], updates=120)
    assert answers_to(student, ["alphabet", "short"]) == ["abcdef", "abc"]


def test_characters_beyond_ascii_are_read_as_one_and_never_written() -> None:
    student = CharTransformer(Numbers(), replace(SMALL, learning_rate=1e-2), seed=0)
    student.train([Example("say ü", "ä1"), Example("say u", "2")], updates=120)
    assert answers_to(student, ["say ü", "say 中", "say \n", "say u"]) == ["1", "1", "1", "2"]


def test_settings_by_name_reach_the_student() -> None:
    student = make_supervised_student("transformer", Numbers(), seed=3, width=24, heads=2)
    assert isinstance(student, CharTransformer)
    assert student.settings.width == 24


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("layers", 0, "layers is 0"),
        ("heads", 5, "width is 48; expected a multiple of heads, 5"),
        ("learning_rate", 0.0, r"learning_rate is 0\.0; expected a number above 0"),
        ("batch_size", 1.5, r"batch_size is 1\.5"),
        ("prompt_length", -1, "prompt_length is -1"),
        ("answer_length", 0, "answer_length is 0"),
    ],
)
def test_settings_that_are_not_allowed(name: str, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_supervised_student("transformer", Numbers(), seed=0, **{name: value})


def test_a_device_that_is_not_there() -> None:
    missing = "xpu" if torch.cuda.is_available() else "cuda"
    with pytest.raises(ValueError, match=f"device is '{missing}', which torch can't use here"):
        CharTransformer(Numbers(), CharTransformerSettings(device=missing), seed=0)


def test_the_state_of_another_network_is_refused() -> None:
    state = CharTransformer(Numbers(), SMALL, seed=0).state_dict()
    with pytest.raises(ValueError, match="another network"):
        CharTransformer(Numbers(), replace(SMALL, width=48), seed=0).load_state_dict(state)


def test_answers_are_given_with_the_moving_average_of_the_weights() -> None:
    subject = Numbers()
    examples = subject.make(("same",), 40, np.random.default_rng(0))
    student = CharTransformer(subject, CharTransformerSettings(width=12, layers=1, heads=2, averaging=0.5), seed=0)
    expected = student.state_dict()["average"]
    for update in range(1, 30):
        student.train(examples, updates=1)
        kept = min(0.5, update / (update + 10))
        weights = student.state_dict()["network"]
        expected = {name: kept * value + (1 - kept) * weights[name] for name, value in expected.items()}
    average = student.state_dict()["average"]
    for name, value in expected.items():
        assert np.allclose(average[name], value, atol=1e-5)
    assert any(not np.allclose(average[name], weights[name], atol=1e-5) for name in weights)
    plain = CharTransformer(subject, CharTransformerSettings(width=12, layers=1, heads=2, averaging=0.0), seed=0)
    plain.train(examples, updates=20)
    state = plain.state_dict()
    assert all(np.array_equal(state["average"][name], state["network"][name]) for name in state["network"])


def test_training_keeps_no_history_of_the_averages() -> None:
    subject = Numbers()
    student = CharTransformer(subject, CharTransformerSettings(width=12, layers=1, heads=2), seed=0)
    student.train(subject.make(("same",), 40, np.random.default_rng(0)), updates=3)
    assert all(weights.grad_fn is None and not weights.requires_grad for weights in student._average.parameters())
