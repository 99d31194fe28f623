"""LiveCodeBench, on small files of its format."""

import base64
import json
import pickle
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from teachgym.envs.data.subjects import make_subject
from teachgym.envs.data.subjects.live_code_bench import LiveCodeBench
from teachgym.envs.data.subjects.pickled_text import pickled_text

DOUBLE = [("3\n", "6\n"), ("-4\n", "-8\n"), ("100\n", "200\n")]
MERGE = [("[1, 3]\n[2]", "[1, 2, 3]"), ("[]\n[5]", "[5]"), ("[2, 2]\n[]", "[2, 2]")]


def cases(pairs: list[tuple[str, str]], kind: str) -> str:
    return json.dumps([{"input": one, "output": other, "testtype": kind} for one, other in pairs])


def packed(text: str, protocol: int = pickle.DEFAULT_PROTOCOL) -> str:
    return base64.b64encode(zlib.compress(pickle.dumps(text, protocol))).decode()


def stdin_problem(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "question_title": f"Double {name}",
        "question_content": f"Print twice the number ({name}).",
        "platform": "atcoder",
        "question_id": name,
        "contest_id": "abc300",
        "contest_date": "2023-08-21T00:00:00",
        "starter_code": "",
        "difficulty": "easy",
        "public_test_cases": cases(DOUBLE[:1], "stdin"),
        "private_test_cases": packed(cases(DOUBLE[1:], "stdin")),
        "metadata": "{}",
    } | changes


def functional_problem(name: str, **changes: Any) -> dict[str, Any]:
    return (
        stdin_problem(name)
        | {
            "question_content": f"Merge two lists ({name}).",
            "platform": "leetcode",
            "difficulty": "hard",
            "starter_code": "class Solution:\n    def merge(self, a: List[int], b: List[int]) -> List[int]:\n        ",
            "public_test_cases": cases(MERGE[:1], "functional"),
            "private_test_cases": cases(MERGE[1:], "functional"),
            "metadata": json.dumps({"func_name": "merge"}),
        }
        | changes
    )


def write(path: Path, problems: list[Mapping[str, Any]]) -> str:
    path.write_text("".join(json.dumps(problem) + "\n" for problem in problems))
    return str(path)


def write_files(folder: Path) -> dict[str, str]:
    validation = write(folder / "validation.jsonl", [functional_problem("v1"), stdin_problem("v2")])
    test = write(folder / "test.jsonl", [stdin_problem("t1"), functional_problem("t2"), stdin_problem("t3")])
    return {"validation": validation, "test": test}


def subject_of(folder: Path, **settings: Any) -> LiveCodeBench:
    made = make_subject("livecodebench", **write_files(folder) | settings)
    assert isinstance(made, LiveCodeBench)
    return made


def test_problems_are_read_and_grouped_by_skill(tmp_path: Path) -> None:
    subject = subject_of(tmp_path)
    assert subject.skill_names == ("easy", "hard")
    assert [example.path for example in subject.validation] == [("easy", "atcoder"), ("hard", "leetcode")]
    assert [example.path for example in subject.test] == [("easy", "atcoder")] * 2 + [("hard", "leetcode")]
    easy, hard = subject.validation
    assert [(one["input"], one["output"]) for one in easy.facts["tests"]] == DOUBLE
    assert [(one["input"], one["output"]) for one in hard.facts["tests"]] == MERGE
    assert hard.facts["function"] == "merge"
    assert "Double v2\n\nPrint twice the number (v2)." in easy.prompt
    assert "standard input" in easy.prompt
    assert "def merge(self, a: List[int], b: List[int]) -> List[int]:" in hard.prompt


def test_control_characters_of_published_problems_become_spaces(tmp_path: Path) -> None:
    strange = stdin_problem("v1", question_content="Print\x0bit,\r\n\tthe\x96number.")
    subject = subject_of(tmp_path, validation=write(tmp_path / "own.jsonl", [strange, functional_problem("v2")]))
    assert "\n\nPrint it,\r\n\tthe number.\n\n" in subject.validation[0].prompt


def test_levels_go_from_easy_to_hard_whatever_the_file_says(tmp_path: Path) -> None:
    levels = ("hard", "easy", "medium")
    files = [
        write(tmp_path / f"{kind}.jsonl", [stdin_problem(kind + level, difficulty=level) for level in levels])
        for kind in ("a", "b")
    ]
    subject = make_subject("livecodebench", validation=files[0], test=files[1])
    assert subject.skill_names == ("easy", "medium", "hard")


def test_skill_can_be_the_platform(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, skill="platform")
    assert subject.skill_names == ("atcoder", "leetcode")
    assert subject.validation[0].path == ("atcoder", "easy")


@pytest.mark.parametrize(
    ("answer", "score"),
    [
        ("print(2 * int(input()))", 1),
        ("n = int(input())\nprint(f'  {2 * n}.0 \\n\\n')", 1),
        ("Here:\n```python\nimport sys\nfor line in sys.stdin:\n    print(int(line) + int(line))\n```\nDone.", 1),
        ("```python\nprint(1)\n```\nNo, rather\n```python\nprint(2 * int(input()))\n```", 1),
        ("if __name__ == '__main__':\n    print(int(input()) << 1)\n    exit()", 1),
        ("print(6)", 0),
        ("print(2 * int(input()), 0)", 0),
        ("print(2 * int(input()))\nprint(0)", 0),
        ("print(2 * int(input()))\nraise ValueError", 0),
        ("print(2 * abs(int(input())))", 0),
        ("print('nan')", 0),
        ("print(", 0),
        ("", 0),
        ("while True: pass", 0),
    ],
)
def test_programs_that_read_standard_input(tmp_path: Path, answer: str, score: float) -> None:
    subject = subject_of(tmp_path, cpu_seconds=1)
    assert subject.score(subject.validation[0], answer) == score


SIGNATURE = "class Solution:\n    def merge(self, a: List[int], b: List[int]) -> List[int]:\n        "


@pytest.mark.parametrize(
    ("body", "score"),
    [
        ("return sorted(a + b)", 1),
        ("print('noise')\n        return tuple(sorted(a + b))", 1),
        ("heapify(a := a + b)\n        return [heappop(a) for _ in range(len(a))]", 1),
        ("return a + b", 0),
        ("return [1, 2, 3]", 0),
        ("return sorted(set(a + b))", 0),
        ("return set(a + b)", 0),
        ("return str(sorted(a + b))", 0),
        ("import sys; sys.exit(0)", 0),
        ("pass", 0),
    ],
)
def test_programs_with_a_signature(tmp_path: Path, body: str, score: float) -> None:
    subject = subject_of(tmp_path)
    assert subject.score(subject.validation[1], SIGNATURE + body) == score
    assert subject.score(subject.validation[1], f"```python\n{SIGNATURE}{body}\n```") == score


def test_answers_are_scored_together(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, workers=2)
    examples = [*subject.validation] * 3
    answers = ["print(2 * int(input()))", SIGNATURE + "return sorted(a + b)", "x", SIGNATURE, "print(6)", ""]
    assert subject.scores(examples, answers).tolist() == [1, 1, 0, 0, 0, 0]


def test_tests_can_be_limited_to_the_first(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, most_tests=1)
    assert [len(example.facts["tests"]) for example in subject.validation] == [1, 1]
    assert subject.score(subject.validation[0], "print(6)") == 1


def test_large_output_is_compared_whole(tmp_path: Path) -> None:
    lines = "\n".join(map(str, range(200_000)))
    tests = cases([("200000", lines)], "stdin")
    write(tmp_path / "validation.jsonl", [stdin_problem("v", public_test_cases=tests, private_test_cases="[]")])
    write(tmp_path / "test.jsonl", [stdin_problem("t")])
    made = make_subject(
        "livecodebench", validation=str(tmp_path / "validation.jsonl"), test=str(tmp_path / "test.jsonl")
    )
    assert made.score(made.validation[0], "print(*range(int(input())), sep='\\n')") == 1
    assert made.score(made.validation[0], "print(*range(int(input()) + 1), sep='\\n')") == 0


def test_split_by_date(tmp_path: Path) -> None:
    days = ("2023-12-31", "2024-01-01", "2024-06-01")
    file = write(tmp_path / "all.jsonl", [stdin_problem(day, contest_date=f"{day}T10:00:00") for day in days])
    subject = make_subject("livecodebench", validation=file, test=file, test_from="2024-01-01")
    assert ["(2023-12-31)" in example.prompt for example in subject.validation] == [True]
    assert len(subject.test) == 2
    with pytest.raises(ValueError, match="holds no problem on that side of 2020-01-01"):
        make_subject("livecodebench", validation=file, test=file, test_from="2020-01-01")


def test_sets_may_not_share_problems(tmp_path: Path) -> None:
    file = write(tmp_path / "all.jsonl", [stdin_problem("a")])
    with pytest.raises(ValueError, match=r"share 1 problems; .* or set test_from"):
        make_subject("livecodebench", validation=file, test=file)


def test_sets_must_have_the_same_skills(tmp_path: Path) -> None:
    validation = write(tmp_path / "validation.jsonl", [stdin_problem("a")])
    test = write(tmp_path / "test.jsonl", [functional_problem("b"), stdin_problem("c")])
    with pytest.raises(ValueError, match="the validation set has no problem of difficulty hard"):
        make_subject("livecodebench", validation=validation, test=test)


def test_it_makes_nothing_but_may_have_a_pool(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, train=write(tmp_path / "train.jsonl", [stdin_problem("more")]))
    assert [example.path for example in subject.pool()] == [("easy", "atcoder")]
    assert list(subject_of(tmp_path).pool()) == []
    with pytest.raises(NotImplementedError, match="LiveCodeBench makes no examples"):
        subject.make(("easy",), 1, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"question_content": ""}, "question_content is ''"),
        ({"difficulty": 3}, "difficulty is 3"),
        ({"contest_date": "soon"}, "contest_date is 'soon'"),
        ({"public_test_cases": "[{"}, "public_test_cases is no JSON"),
        ({"public_test_cases": "{}"}, "expected a list of tests"),
        ({"public_test_cases": '[{"input": "1"}]'}, "expected input, output and testtype"),
        ({"public_test_cases": cases(DOUBLE, "other")}, "'stdin' or 'functional'"),
        ({"public_test_cases": cases(MERGE, "functional")}, "all of one kind"),
        ({"public_test_cases": "[]", "private_test_cases": ""}, "the tests are of the kinds []"),
        ({"private_test_cases": "????"}, "neither JSON nor a packed string"),
        ({"private_test_cases": base64.b64encode(b"no zlib").decode()}, "neither JSON nor a packed string"),
        ({"private_test_cases": packed("[{")}, "private_test_cases is no JSON"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    file = write(tmp_path / "bad.jsonl", [stdin_problem("good"), stdin_problem("bad", **changes)])
    with pytest.raises(ValueError, match=f"bad.jsonl, line 2: .*{re.escape(message)}"):
        make_subject("livecodebench", validation=file, test=file)


@pytest.mark.parametrize("metadata", ["{}", "no", '{"func_name": "a; import os"}', '{"func_name": "class"}'])
def test_functions_need_a_name(tmp_path: Path, metadata: str) -> None:
    file = write(tmp_path / "bad.jsonl", [functional_problem("bad", metadata=metadata)])
    with pytest.raises(ValueError, match=r"bad.jsonl, line 1: metadata is"):
        make_subject("livecodebench", validation=file, test=file)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"validation": ""}, "validation is empty; LiveCodeBench is read from files"),
        ({"skill": "month"}, "skill is 'month'"),
        ({"test_from": "2024"}, "test_from is '2024'"),
        ({"memory_mb": 1}, "memory_mb is 1"),
        ({"validation": "nowhere.jsonl"}, "nowhere.jsonl can't be read"),
    ],
)
def test_settings_that_are_not_allowed(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        subject_of(tmp_path, **settings)


class Shot:
    """Pickled, it runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("unpickled!",)


@pytest.mark.parametrize("protocol", range(1, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("text", ["", "short", "ä€𝄞\ud800", "x" * 300, "y" * 300_000])
def test_pickled_strings_are_read_without_pickle(text: str, protocol: int) -> None:
    assert pickled_text(pickle.dumps(text, protocol)) == text


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("thing", [Shot(), ["text"], 3, None, b"bytes", ("a", "b"), {"a": "b"}, print])
def test_other_pickles_are_refused(thing: object, protocol: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match=r"only one string may be in the pickle|cut off"):
        pickled_text(pickle.dumps(thing, protocol))
    assert capsys.readouterr().out == ""


def test_damaged_pickles_are_refused() -> None:
    whole = pickle.dumps("some text")
    for length in range(len(whole)):
        with pytest.raises(ValueError, match="pickle"):
            pickled_text(whole[:length])
    with pytest.raises(ValueError, match="follows the end"):
        pickled_text(whole + b"x")
    with pytest.raises(ValueError, match="holds no string"):
        pickled_text(b"\x80\x04.")
    with pytest.raises(ValueError, match="only one string"):
        pickled_text(whole[:-1] + whole[2:])


def test_hostile_tests_are_not_unpickled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shot = base64.b64encode(zlib.compress(pickle.dumps(Shot()))).decode()
    file = write(tmp_path / "bad.jsonl", [stdin_problem("bad", private_test_cases=shot)])
    with pytest.raises(ValueError, match=r"line 1: .*only one string may be in the pickle"):
        make_subject("livecodebench", validation=file, test=file)
    assert capsys.readouterr().out == ""
