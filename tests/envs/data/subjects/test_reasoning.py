"""Math and logic: what is left out is broken, what is taken is right, and examples hang on seeds alone."""

import inspect
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from teachgym.data.example import Example
from teachgym.data.subject import Subject
from teachgym.envs.data.subjects import make_subject
from teachgym.envs.data.subjects.reasoning_recipes import RECIPES
from teachgym.envs.data.subjects.reasoning_source import EXCLUDED, Source, reasoning_gym, usable_datasets

TASKS = ("math", "logic")
LENIENT = ("knights_knaves",)
"""Whose own scorer picks names and roles out of any words around them."""


def made(subject: Subject, count: int, seed: int = 0) -> Iterator[Example]:
    rng = np.random.default_rng(seed)
    for name in subject.skill_names:
        yield from subject.make((name,), count, rng)


def excluded_for(words: str) -> list[str]:
    return [name for name, why in EXCLUDED.items() if words in why]


# --- what is left out


def test_everything_left_out_exists_and_asking_for_it_says_why() -> None:
    assert set(EXCLUDED) <= set(reasoning_gym().factory.DATASETS)
    assert len(usable_datasets()) + len(EXCLUDED) == len(reasoning_gym().factory.DATASETS)
    for name, why in EXCLUDED.items():
        with pytest.raises(ValueError, match=f"{name}.*can't be used: {re.escape(why)}"):
            make_subject("math", skills=(name,))


def test_game_of_life_halting_gives_any_answer_the_full_score() -> None:
    dataset = reasoning_gym().create_dataset("game_of_life_halting", seed=1, size=3)
    assert [dataset.score_answer(words, dataset[0]) for words in ("True", "False", "xyzzy")] == [1.0, 1.0, 1.0]


def test_datasets_without_answers_have_none() -> None:
    names = excluded_for("no answer to learn from")
    assert len(names) == 5
    for name in names:
        assert reasoning_gym().create_dataset(name, seed=1, size=3)[0]["answer"] is None


def test_some_scorers_reject_answers_of_their_own_dataset() -> None:
    names = excluded_for("rejects some of its own answers")
    assert len(names) == 2
    for name in names:
        source = Source(name, {})
        seeds = range(2**31, 2**31 + 60 * 7_919, 7_919)
        assert not all(source.accepts(source.item(seed).answer, seed) for seed in seeds)


def test_family_relationships_calls_women_fathers_in_law() -> None:
    dataset = reasoning_gym().create_dataset("family_relationships", seed=1, size=2_000)
    facts = [dataset[number]["metadata"] for number in range(2_000)]
    women = set(dataset.config.female_names) - set(dataset.config.male_names)
    assert any(one["relationship"] == "father-in-law" and one["person1"] in women for one in facts)


def test_scorers_that_run_answers_as_code_are_left_out_and_no_others_do() -> None:
    runs = re.compile(r"(?<!literal_)eval\((?!entry\[)|parse_expr\(|sympify\(|exec\(")
    left_out = set(excluded_for("runs the answer as Python code"))
    for name, (kind, _) in reasoning_gym().factory.DATASETS.items():
        if name in left_out or name not in EXCLUDED:
            assert bool(runs.search(inspect.getsource(kind.score_answer))) == (name in left_out), name


@pytest.mark.parametrize("name", ["list_functions", "survo"])
def test_items_that_hang_on_more_than_a_seed_differ_when_only_the_seed_is_set(name: str) -> None:
    set_later = reasoning_gym().create_dataset(name, seed=0, size=2)
    differ = False
    for seed in range(5_000, 5_010):
        set_later.seed = seed
        differ |= set_later[0]["question"] != reasoning_gym().create_dataset(name, seed=seed, size=2)[0]["question"]
    assert differ


def test_neighbouring_seeds_of_the_package_share_data() -> None:
    one, two = (reasoning_gym().create_dataset("chain_sum", seed=seed, size=50) for seed in (42, 43))
    assert [one[number]["question"] for number in range(1, 50)] == [two[number]["question"] for number in range(49)]


PROGRAM = """
import json, random, sys
import numpy as np
random.seed(3); np.random.seed(3)
before = random.getstate(), np.random.get_state()[1].tolist()
from teachgym.envs.data.subjects import make_subject
from teachgym.envs.data.subjects.reasoning_source import reasoning_gym
reasoning_gym()
found = {"global": (random.getstate(), np.random.get_state()[1].tolist()) == before}
for name in ("isomorphic_strings", "polynomial_multiplication", "ransom_note", "word_ladder"):
    dataset = reasoning_gym().create_dataset(name, seed=5, size=20)
    found[name] = [(dataset[number]["question"], dataset[number]["answer"]) for number in range(20)]
for name in ("math", "logic"):
    subject = make_subject(name)
    rng = np.random.default_rng(0)
    found[name] = [(e.prompt, e.target) for skill in subject.skill_names for e in subject.make((skill,), 20, rng)]
    found[name] += [(e.prompt, e.target) for e in subject.validation]
print(json.dumps(found))
"""


def test_examples_are_the_same_in_every_process_which_is_not_so_of_what_is_left_out() -> None:
    runs = []
    for hashes in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hashes}
        command = [sys.executable, "-W", "error::UserWarning", "-c", PROGRAM]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert done.stderr == ""
        runs.append(json.loads(done.stdout))  # the package prints nothing between
    first, second = runs
    assert first["global"]
    assert second["global"]
    for name in TASKS:
        assert first[name] == second[name]
    for name in ("isomorphic_strings", "polynomial_multiplication", "ransom_note", "word_ladder"):
        assert first[name] != second[name]


# --- what is taken


def test_the_page_lists_the_skills_their_parts_and_everything_left_out() -> None:
    page = (pathlib.Path(__file__).parents[4] / "docs" / "reasoning_tasks.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("| `")
    ]
    skills = {row[0].strip("`"): row[1] for row in rows if len(row) == 4}
    expected = {}
    for name in TASKS:
        for skill in make_subject(name).skills:
            expected[skill.name] = ", ".join(part.name for part in skill.parts)
    assert skills == expected
    reasons = {name.strip(" `"): row[1] for row in rows if len(row) == 2 for name in row[0].split(",")}
    assert reasons == EXCLUDED


def test_every_dataset_with_a_recipe_accepts_its_own_answer_and_no_other() -> None:
    for name, recipe in RECIPES.items():
        for path, config in recipe.configs(name).items():
            source = Source(name, config)
            for seed in (2**31 + 7, 2**31 + 7_000):
                item = source.item(seed)
                assert source.accepts(item.answer, seed), path
                assert item == source.item(seed)
                for wrong in ("", "xyzzy", f"it is {item.answer} or 1234567"):
                    assert not source.accepts(wrong, seed) or (name in LENIENT and wrong[:5] == "it is"), (path, wrong)


def test_compact_prompts_and_targets_are_short_and_printable() -> None:
    names = tuple(name for name, recipe in RECIPES.items() if recipe.brief is not None)
    for example in made(make_subject("math", skills=names), 300):
        assert len(example.prompt) <= 32, example
        assert len(example.target) <= 12, example
        assert (example.prompt + example.target).isascii(), example
        assert (example.prompt + example.target).isprintable(), example


def _turned(prompt: str) -> str:
    _, times, digits = prompt.split()
    size = math.isqrt(len(digits))
    grid = np.array(list(digits)).reshape(size, size)
    return "".join(np.rot90(grid, -int(times)).ravel())


def _circuit(prompt: str) -> str:
    final = next(sign for sign in re.sub(r"\([^()]*\)", "", prompt))
    values = []
    for term in re.findall(r"\(([^()]*)\)", prompt):
        bits = [int(sign in "1t") for sign in term if sign in "01ft"]
        gate = next((sign for sign in term if sign not in "01ft"), "&")
        values.append({"&": int(all(bits)), "!": 1 - int(all(bits)), "^": sum(bits) % 2}[gate])
    return str({"+": int(any(values)), "-": 1 - int(any(values)), "^": sum(values) % 2, "&": int(all(values))}[final])


def _rewritten(prompt: str) -> str:
    program = prompt.split()[1]
    while found := re.search("Aa|Bb|Ab|Ba", program):
        # "A#" is written A and "#A" a; two that face each other vanish if alike, and swap if not
        pair = found[0]
        program = program.replace(pair, "" if pair[0].lower() == pair[1] else pair[::-1], 1)
    return program or "none"


SOLVERS: dict[str, Callable[[str], str]] = {
    "spell_backward": lambda prompt: prompt.removeprefix("rev ")[::-1],
    "count_bits": lambda prompt: str(prompt.count("1")),
    "number_sorting": lambda prompt: "".join(sorted(prompt.split()[1], reverse=prompt.startswith("down"))),
    "letter_counting": lambda prompt: str(prompt[5:].count(prompt[0])),
    "rotate_matrix": _turned,
    "gcd": lambda prompt: str(math.gcd(*map(int, prompt.split()[1:]))),
    "lcm": lambda prompt: str(math.lcm(*map(int, prompt.split()[1:]))),
    "products": lambda prompt: str(math.prod(map(int, prompt[:-1].split("*")))),
    "chain_sum": lambda prompt: str(eval(re.sub(r"([+-])-", r"\1 -", prompt[:-1]))),
    "ab": _rewritten,
    "circuit_logic": _circuit,
}
"""Compact prompt -> answer, worked out in another way."""


def test_compact_answers_are_right() -> None:
    for example in made(make_subject("math", skills=tuple(SOLVERS)), 150):
        assert SOLVERS[example.skill](example.prompt) == example.target, example


def test_simple_equations_are_solved_by_their_targets_and_filters_keep_what_they_should() -> None:
    subject = make_subject("math", skills=("simple_equations", "number_filtering", "fraction_simplification"))
    for example in made(subject, 150):
        if example.skill == "simple_equations":
            left, right = example.prompt.split("=")
            assert eval(left, {"x": int(example.target)}) == int(right)
        elif example.skill == "number_filtering":
            verb, bound, digits = example.prompt.split()
            larger = bound[0] == ">"
            kept = [one for one in digits if ((one > bound[1]) if larger else (one < bound[1])) == (verb == "keep")]
            assert ("".join(kept) or "none") == example.target, example
        else:
            top, bottom = map(int, example.prompt[:-1].split("/"))
            a, b = map(int, example.target.split("/"))
            assert top * b == a * bottom
            assert math.gcd(a, b) == 1


def test_knights_are_consistent_with_what_they_say() -> None:
    python = {"&": " and ", "|": " or ", "=": " == ", ">": " <= ", "!": " not "}
    for example in made(make_subject("logic", skills=("knights_knaves",)), 100):
        honest = {"abcde"[place]: sign == "1" for place, sign in enumerate(example.target)}
        values = {**honest, **{name.upper(): not value for name, value in honest.items()}}
        for name, said in zip("abcde", example.prompt.split(), strict=False):
            formula = "".join(python.get(sign, f"({values[sign]})" if sign in values else sign) for sign in said)
            assert eval(formula) == honest[name], (example.prompt, formula)


@pytest.mark.parametrize("name", TASKS)
def test_the_words_are_those_of_the_package_and_in_full_score_only(name: str) -> None:
    brief, words = make_subject(name), make_subject(name, style="words")
    assert brief.skills == words.skills
    assert len(brief.skills) >= 6
    for short, long in zip(made(brief, 5), made(words, 5), strict=True):
        assert (short.path, short.facts) == (long.path, long.facts)
        assert len(short.prompt) < len(long.prompt)
        assert words.score(long, long.target) == 1.0
        if long.skill not in LENIENT:
            assert words.score(long, f"The answer is {long.target}, or 99999.") == 0.0


def test_a_scorer_that_raises_or_an_endless_answer_means_wrong() -> None:
    subject = make_subject(
        "math", skills=("prime_factorization",), style="words", validation_per_skill=5, test_per_skill=5
    )
    example = subject.validation[0]
    dataset = reasoning_gym().create_dataset("prime_factorization", seed=1, size=2)
    with pytest.raises(ValueError, match="invalid literal"):
        dataset.score_answer("none", dataset[0])
    assert subject.score(example, "none") == 0.0
    assert subject.score(example, "9" * 100_000) == 0.0
    first, *rest = example.target.split(" \N{MULTIPLICATION SIGN} ")
    reversed_factors = " \N{MULTIPLICATION SIGN} ".join([*reversed(rest), first])
    assert subject.score(example, reversed_factors) == 1.0


def test_a_dataset_without_a_recipe_is_split_by_its_curriculum() -> None:
    subject = make_subject("logic", skills=("course_schedule",), style="words")
    (skill,) = subject.skills
    assert [part.name for part in skill.parts][:2] == ["level 1", "level 2"]
    lengths = [
        np.mean([len(one.prompt) for one in subject.make((skill.name, part.name), 30, np.random.default_rng(0))])
        for part in skill.parts
    ]
    assert lengths == sorted(lengths)
    with pytest.raises(ValueError, match="course_schedule have no compact form; give style='words'"):
        make_subject("logic", skills=("course_schedule",))
    with pytest.raises(ValueError, match="did you mean 'chain_sum'"):
        make_subject("math", skills=("chain_sums",))


@pytest.mark.parametrize("name", TASKS)
def test_thousands_are_made_in_a_second(name: str) -> None:
    subject = make_subject(name)
    count = 300
    next(made(subject, 1))
    began = time.process_time()
    examples = list(made(subject, count))
    assert time.process_time() - began < len(examples) / 1_000


def test_without_the_package_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    reasoning_gym.cache_clear()
    monkeypatch.setitem(sys.modules, "reasoning_gym", None)
    with pytest.raises(ImportError, match=re.escape("pip install 'teachgym[math]'")):
        make_subject("math")
    reasoning_gym.cache_clear()
