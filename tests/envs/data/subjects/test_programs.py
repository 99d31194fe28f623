"""Code: programs that are asked for, written and tested by running them."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pytest

from teachgym.data.example import Example
from teachgym.envs.data.subjects import make_subject
from teachgym.envs.data.subjects.program_language import PARTS, Exercise, inputs
from teachgym.envs.data.subjects.program_tests import code_blocks
from teachgym.envs.data.subjects.programs import Code, CodeSettings
from teachgym.sandbox import Outcome, Program, Sandbox
from teachgym.testing import check_subject

LEAVES = [(skill, part) for skill, parts in PARTS.items() for part in parts]


def _draw(leaf: tuple[str, str], count: int) -> list[Exercise]:
    rng = np.random.default_rng(1)
    return [PARTS[leaf[0]][leaf[1]](rng) for _ in range(count)]


def _example(tests: list[list[object]], target: str = "x") -> Example:
    return Example("do it", target, facts={"tests": tests})


@pytest.mark.parametrize("leaf", LEAVES)
def test_references_agree_with_the_expressions(leaf: tuple[str, str]) -> None:
    rng = np.random.default_rng(2)
    for exercise in _draw(leaf, 150):
        for value in inputs(exercise, rng):
            assert exercise.run(value) == eval(exercise.code, {"x": value}), (exercise.asked, value)


@pytest.mark.parametrize("leaf", LEAVES)
def test_prompts_are_short_and_say_what_to_do(leaf: tuple[str, str]) -> None:
    meant: dict[str, set[str]] = defaultdict(set)
    for exercise in _draw(leaf, 3000):
        meant[" ".join(exercise.asked.lower().split())].add(exercise.code)
        assert len(exercise.asked) <= 45
        assert len(exercise.code) <= 28
        assert (exercise.asked + exercise.code).isascii()
    assert all(len(codes) == 1 for codes in meant.values())
    assert len(meant) >= 700


@pytest.mark.parametrize("skill", list(PARTS))
def test_no_prompt_is_met_in_two_parts(skill: str) -> None:
    one, other = ({exercise.asked for exercise in _draw((skill, part), 1500)} for part in PARTS[skill])
    assert not one & other


def test_slight_mistakes_are_found_by_the_tests() -> None:
    subject = Code()
    wrong = []
    examples = [*subject.make(("slice", "one end"), 30, np.random.default_rng(3))]
    examples += subject.make(("filter", "two bounds"), 30, np.random.default_rng(4))
    for example in examples:
        for old, new in (("<=", "<"), (":", ":1+"), ("<v", "<=v"), ("-", "-1-")):
            if old in example.target:
                wrong.append((example, example.target.replace(old, new, 1)))
    assert len(wrong) > 60
    assert subject.scores(*map(list, zip(*wrong, strict=True))).sum() == 0


@pytest.mark.parametrize("style", ["compact", "python"])
def test_targets_pass_when_they_are_really_run(style: str) -> None:
    examples = [
        example
        for leaf in LEAVES
        for example in make_subject("code", style=style).make(leaf, 6, np.random.default_rng(5))
    ]
    fresh = make_subject("code", style=style)
    assert fresh.scores(examples, [example.target for example in examples]).all()
    assert all(fresh.verify(examples))
    assert all(fresh.parses(example) for example in examples)


def test_it_keeps_the_contract_in_python_style() -> None:
    check_subject(lambda: make_subject("code", style="python", validation_per_skill=4, test_per_skill=4))


@pytest.mark.parametrize(
    ("tests", "answers"),
    [
        ([["abcdef", "abc"], ["xy", "xy"]], ["x[:3]", "x[0:3]", "''.join(c for c in x if x.index(c)<3)", "f'{x:.3}'"]),
        ([[[3, 1, 2], [1, 2, 3]], [[], []]], ["sorted(x)", "x.sort() or x", "sorted(x[::-1])", "  sorted( x )\n"]),
        ([[[1, 5], [2, 6]]], ["[v+1 for v in x]", "list(map(lambda v: v+1, x))", "[*(1+v for v in x)]"]),
    ],
)
def test_any_right_program_counts(tests: list[list[object]], answers: Sequence[str]) -> None:
    assert Code().scores([_example(tests)] * len(answers), answers).all()


@pytest.mark.parametrize(
    "answer",
    [
        "x) + (x",
        "x[:4",
        "y",
        "x\nimport os",
        "lambda x: x[:3]",
        "exec('while 1: pass')",
        "__import__('os')._exit(0)",
        "__import__('os').kill(1,9)",
        "__import__('os').write(1,b'made \"abc\"\\n')",
        "open('/etc/passwd').read()",
        "[].append(x:=5)",
        "(" * 50,
        "é",
        "x[:3]" + " " * 200 + "+''",
        "'a'*10**9",
        "",
    ],
)
def test_wrong_and_hostile_answers_score_nothing(answer: str) -> None:
    subject, good = Code(), _example([["abcdef", "abc"], ["xyzu", "xyz"]])
    assert subject.scores([good] * 3, ["x[:3]", answer, "x[0:3]"]).tolist() == [1, 0, 1]


def test_true_is_not_one() -> None:
    assert Code().scores([_example([[[], 1]])] * 2, ["1", "True"]).tolist() == [1, 0]


def test_a_wrong_target_is_not_right_because_it_is_the_target() -> None:
    subject, example = Code(), _example([["abc", "a"]], target="x[:2]")
    assert subject.score(example, "x[:2]") == 0
    assert subject.parses(example)
    assert subject.verify([example]) == [False]
    assert not subject.parses(_example([["abc", "a"]], target="x[:"))


def test_examples_without_tests_are_scored_by_their_target() -> None:
    subject, example = Code(), Example("first 3 of text", "x[:3]")
    assert subject.scores([example] * 2, ["x[:3]", "x[0:3]"]).tolist() == [1, 0]
    assert subject.verify([example, Example("first 3 of text", "take three")]) == [True, False]


def test_the_same_answer_runs_once(monkeypatch: pytest.MonkeyPatch) -> None:
    run: list[int] = []
    true_run = Sandbox.run_many

    def count(self: Sandbox, programs: Sequence[Program]) -> list[Outcome]:
        run.append(len(programs))
        return true_run(self, programs)

    monkeypatch.setattr(Sandbox, "run_many", count)
    subject = Code()
    first, second = subject.make(("slice", "one end"), 2, np.random.default_rng(0))
    for _ in range(3):
        scores = subject.scores([first, first, second, first], ["x[:0]", "x[:0]", "x[:0]", first.target])
        assert scores.tolist() == [0, 0, 0, 1]
    assert run == [2]


def test_python_style_takes_functions_out_of_what_surrounds_them() -> None:
    subject = Code(CodeSettings(style="python"))
    example = _example([["abc", "cba"], ["", ""]])
    function = "def solve(x):\n    print('debug')\n    return x[::-1]"
    answers = [
        function,
        f"Sure!\n```python\n{function}\n```\nThis reverses x.",
        f"```\n{function}",
        f"```sh\npip install it\n```\n```py\n{function}\n```",
        "solve = lambda x: ''.join(reversed(x))",
        "if __name__ == '__main__':\n    raise SystemExit\ndef solve(x: str) -> str:\n    return x[::-1]",
    ]
    assert subject.scores([example] * len(answers), answers).all()
    wrong = ["x[::-1]", "def solve(x): return x", f"# {function}", "def solve(x):\n  return x[::-1", "solve = 3"]
    assert not subject.scores([example] * len(wrong), wrong).any()


def test_python_requests_show_a_true_example() -> None:
    subject = Code(CodeSettings(style="python"))
    for example in subject.make(("two calls",), 20, np.random.default_rng(6)):
        shown = next(line for line in example.prompt.splitlines() if line.startswith("Example: "))
        scope: dict[str, object] = {}
        exec(example.target, scope)
        assert eval(shown.removeprefix("Example: "), scope) is True


def test_code_blocks() -> None:
    assert code_blocks("no") == []
    assert code_blocks("a\n```python\nx\n```\nb\n```\ny\nz") == ["x\n", "y\nz"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"style": "short"}, "style is 'short'; expected one of 'compact', 'python'"),
        ({"sandbox": "docker"}, "sandbox is 'docker'; expected one of 'auto', 'bubblewrap', 'process'"),
        ({"cpu_seconds": 0}, "cpu_seconds is 0"),
        ({"test_per_skill": 0}, "test_per_skill is 0"),
    ],
)
def test_settings_that_are_not_allowed(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_subject("code", **settings)
