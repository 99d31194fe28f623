r"""LaTeX in JSON is read as it is meant, where that is plain; newlines and tabs stay what they are."""

import json

import pytest

from teachgym.language_model import LanguageModelClient, Message, Question, ask
from teachgym.language_model.structured import parse_json
from tests.language_model.endpoint import endpoint, last_words


@pytest.mark.parametrize(
    "text",
    [
        r"\frac{3}{2}",
        r"\frac12 \cdot \sqrt{2} \pi",
        r"\forall \beta \in \binom{4}{2}, \bar{x} \boxed{5}",
        r"\left( \rho \right) \langle x \rangle \lceil y \rceil \lfloor z \rfloor",
        r"\theta \times \text{cm} \tfrac12 \textbf{a} \triangle",
        r"x \neq 2, \nabla f, y \notin A",
        r"\nu = 3",
        r"for $a\to b$ and $\tan x\ne\tau$",
        r"\underline{x} \cup \uparrow \(x\) \{1\} \%",
        r"\begin{pmatrix} 1 \\ -2 \\\frac{1}{2} \end{pmatrix}",
    ],
)
def test_a_backslash_that_is_not_doubled_is_read_as_it_is_meant(text: str) -> None:
    assert parse_json(f'{{"target": "{text}"}}') == {"target": text}
    assert parse_json(json.dumps({"target": text})) == {"target": text}


@pytest.mark.parametrize(
    "text",
    [
        "one\ntwo\tthree\n\nNu is a letter",
        "def f(p):\n\text = p\n\tan = 2\n\treturn ext\n",
        "if x:\neq = 3\nnu = eq(1)\ni = 2\nu = 3",
        'a "quote", a \\, a slash / and é',
        "C:\\temp\\new",
        "1\\\\2",
    ],
)
def test_what_is_escaped_as_it_should_be_stays(text: str) -> None:
    assert parse_json(json.dumps({"target": text})) == {"target": text}


@pytest.mark.parametrize("sign", ["\f", "\r", "\x85"])
def test_other_control_characters_are_refused_and_the_model_is_told(sign: str) -> None:
    schema = {"type": "object", "properties": {"text": {"type": "array", "items": {"type": "string"}}}}
    question = Question((Message("user", "a text?"),), schema)
    replies = [json.dumps({"text": ["fine", f"page{sign}!"]}), '{"text": ["page"]}']
    with endpoint(lambda body, number: replies[number]) as fake:
        assert ask(LanguageModelClient(fake.settings()), question) == {"text": ["page"]}
        assert f"it holds the control character U+{ord(sign):04X}" in last_words(fake.bodies[1])
