"""Settings are checked by their annotations, in every class and wherever they come from."""

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import gymnasium
import numpy as np
import pytest
from annotated_types import Ge, Le, MinLen

import teachgym
from teachgym.agents import TEACHERS, make_teacher, teacher_class
from teachgym.agents.handmade.random import Random
from teachgym.agents.progress.alp_gmm import AlpGmm
from teachgym.agents.progress.riac import Riac
from teachgym.base.annotations import read_value
from teachgym.base.named_settings import NamedSettings
from teachgym.base.ranges import (
    FiniteFloat,
    FolderName,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    PositiveShare,
    Share,
    ShareBelowOne,
)
from teachgym.base.registry import load_path
from teachgym.base.settings import checked_dataclass
from teachgym.envs.data.discovery.discoveries import DISCOVERIES
from teachgym.envs.data.engines.engines import DATA_ENGINES
from teachgym.envs.data.subjects import SUBJECTS
from teachgym.students import STUDENTS
from teachgym.students.supervised import SUPERVISED_STUDENTS
from teachgym.study.cells.environment import make_pair
from teachgym.study.settings import Cell

NOTHING = object()
WRONG: dict[Any, tuple[Any, ...]] = {
    bool: ("False", "yes", 0, 1, None, [True]),
    int: (True, 1.5, "1", None, [1], 10**400),
    float: (True, "0.5", None, [0.5], float("nan"), 10**400, 1j),
    str: (1, True, b"text", "\ud800", ["text"]),
}


def settings_classes() -> list[type[Any]]:
    """Every dataclass of the package that is named as settings, or is the ``Settings`` of an entry of a table."""
    found: dict[type[Any], None] = {}
    for module in pkgutil.walk_packages(teachgym.__path__, "teachgym."):
        if not module.name.endswith("__main__"):
            for name, one in vars(importlib.import_module(module.name)).items():
                if isinstance(one, type) and is_dataclass(one) and name.endswith(("Settings", "HeldOut")):
                    found[one] = None
    for table in (TEACHERS, STUDENTS, SUPERVISED_STUDENTS, SUBJECTS, DATA_ENGINES, DISCOVERIES):
        found |= {load_path("entry", entry.path).Settings: None for entry in table.values()}
    return list(found)


CLASSES = [kind for kind in settings_classes() if kind is not NamedSettings]  # which carries those of anything


def alternatives(kind: Any) -> set[Any]:
    """The annotation without ``Annotated``, and its members where it is a union."""
    origin = get_origin(kind)
    if origin is None or origin in (tuple, Literal) or isinstance(origin, type):
        return {kind}
    return {kind} | {part for member in get_args(kind) for part in alternatives(member)}


def wrong_values(kind: Any) -> Iterator[Any]:
    """Values that no member of the annotation takes."""
    yield NOTHING
    members = alternatives(kind)
    if len(members) == 1 and kind in WRONG:
        yield from WRONG[kind]
    if float not in members and int not in members:
        yield 10**400
    if not any(get_origin(member) is tuple or get_origin(member) is not None for member in members):
        yield {"a": [1]}


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__qualname__)
def test_every_field_of_every_settings_class_refuses_what_is_not_of_its_type(kind: type[Any]) -> None:
    hints = get_type_hints(kind)
    assert all(field.default is not MISSING or field.default_factory is not MISSING for field in fields(kind))
    for field in fields(kind):
        for value in wrong_values(hints[field.name]):
            with pytest.raises(ValueError, match=rf"^{field.name} is [^\n]*; expected [^\n]*$"):
                kind(**{field.name: value})


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__qualname__)
def test_flags_and_none_are_read_from_the_command_line_as_python_and_as_json_write_them(kind: type[Any]) -> None:
    hints = get_type_hints(kind)
    for field in fields(kind):
        for text, value in (("False", False), ("false", False), ("True", True), ("true", True)):
            if hints[field.name] is bool:
                assert NamedSettings.parse(f"name,{field.name}={text}").settings == {field.name: value}
        if field.default is None:
            for text in ("None", "null"):
                assert getattr(kind(**NamedSettings.parse(f"name,{field.name}={text}").settings), field.name) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("riac,faithful=False", "faithful"),
        ("covar-gmm,absolute_progress=False", "absolute_progress"),
        ("alp-gmm,weigh_components=False", "weigh_components"),
    ],
)
def test_a_flag_that_is_typed_false_is_false(text: str, name: str) -> None:
    cell = Cell("Hypercubes", text, None, 0, None, 1)
    assert getattr(make_pair(cell)[1].settings, name) is False


@pytest.mark.parametrize("text", ["riac,faithful=no", "riac,faithful=0", 'riac,faithful="False"'])
def test_another_word_for_false_is_refused_from_the_command_line(text: str) -> None:
    cell = Cell("Hypercubes", text, None, 0, None, 1)
    with pytest.raises(ValueError, match=r"faithful is .*; expected true or false"):
        make_pair(cell)


def test_a_field_that_is_declared_again_keeps_its_bounds() -> None:
    @checked_dataclass
    class Base:
        size: Annotated[int, Ge(4)] = 8

    @checked_dataclass
    class Alike(Base):
        size: Annotated[int, Ge(4)] = 9

    with pytest.raises(ValueError, match="size is 3; expected a whole number, at least 4"):
        Alike(size=3)
    with pytest.raises(TypeError, match=r"Careless\.size lacks the bounds of Base\.size"):

        @checked_dataclass
        class Careless(Base):
            size: int = 9


@pytest.mark.parametrize(
    ("kind", "wrong", "words"),
    [
        (PositiveInt, 0, "a whole number, at least 1"),
        (PositiveInt | None, 0, "a whole number, at least 1, or None"),
        (Annotated[int, Ge(1), Le(20)], 21, "a whole number, at least 1 and at most 20"),
        (PositiveFloat, 0.0, "a number above 0"),
        (PositiveFloat, np.inf, "a number above 0"),
        (NonNegativeFloat, -1e-9, "a number, at least 0"),
        (FiniteFloat, -np.inf, "a finite number"),
        (Share, 1.5, "a number in [0, 1]"),
        (PositiveShare, 0, "a number in (0, 1]"),
        (ShareBelowOne, 1, "a number in [0, 1)"),
        (tuple[PositiveInt, ...], (3, 0), "a list of whole numbers, each at least 1"),
        (tuple[FiniteFloat, ...], (np.inf,), "a list of finite numbers"),
        (Annotated[str, MinLen(1)], "", "text, not empty"),
        (FolderName, "a/b", "at most 200 letters, digits and any of . _ = , + -, but not . or .."),
    ],
)
def test_what_is_out_of_bounds_is_refused_in_words(kind: Any, wrong: Any, words: str) -> None:
    with pytest.raises(ValueError, match=f"^x is .*; expected {re.escape(words)}$"):
        read_value("x", wrong, kind)


@pytest.mark.parametrize(
    ("kind", "right"),
    [(PositiveInt, 1), (PositiveFloat, 1e-300), (Share, 0), (Share, 1), (ShareBelowOne, 0.999), (FolderName, "")],
)
def test_what_is_at_a_bound_is_taken(kind: Any, right: Any) -> None:
    assert read_value("x", right, kind) == right


def test_a_wrong_type_is_refused_wherever_it_comes_from() -> None:
    env = gymnasium.make("teachgym/Hypercubes-v0")
    makers: list[Callable[[], Any]] = [
        lambda: AlpGmm.Settings(fit_every="a"),  # type: ignore[arg-type]
        lambda: make_teacher("alp-gmm", env, seed=0, fit_every="a"),
        lambda: make_teacher("alp-gmm", env, seed=0, settings=AlpGmm.Settings(), fit_every="a"),
    ]
    for make in makers:
        with pytest.raises(ValueError, match=r"fit_every is 'a'; expected a whole number"):
            make()


def test_the_fields_of_a_plain_dataclass_are_checked_too() -> None:
    @dataclass(frozen=True)
    class PlainSettings:
        flag: bool = False

    class Plain(Random):  # type: ignore[misc]
        Settings = PlainSettings

    env = gymnasium.make("teachgym/Hypercubes-v0")
    assert make_teacher(Plain, env, seed=0, flag=True).settings.flag is True
    for settings in (PlainSettings(flag="False"), None):  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="flag is 'False'; expected true or false"):
            make_teacher(Plain, env, seed=0, settings=settings, **({} if settings else {"flag": "False"}))


def test_what_numpy_and_files_write_otherwise_becomes_pythons() -> None:
    @checked_dataclass
    class Settings:
        count: int = 1
        share: float = 0.5
        flag: bool = False
        pair: tuple[float, float] = (0.0, 1.0)
        groups: tuple[tuple[int, ...], ...] = ()
        word: Literal["a", "b"] = "a"

    given: list[Any] = [np.int64(3), np.float32(0.25), np.True_, np.array([1, 2]), [[1, 2], (3,)], np.str_("b")]
    made = Settings(*given)
    assert made == Settings(3, 0.25, True, (1, 2), ((1, 2), (3,)), "b")
    assert [type(getattr(made, field.name)) for field in fields(made)] == [int, float, bool, tuple, tuple, str]
    assert Settings(share=1).share == 1


def test_settings_that_are_right_stay_as_they_are() -> None:
    assert Riac.Settings(faithful=True) == Riac.Settings(faithful=True)
    assert teacher_class("stages").Settings(stages=[{"task": [1.0]}]).stages == ({"task": [1.0]},)


ENVIRONMENTS = sorted(name for name in gymnasium.registry if name.startswith("teachgym/"))


def arguments(found: type[Any]) -> dict[str, Any]:
    """The keywords of a class's constructor, and of those that it hands the rest to, with their annotations."""
    kinds: dict[str, Any] = {}
    for cls in found.__mro__:
        if cls.__module__.startswith("teachgym") and "__init__" in vars(cls):
            kinds |= {name: kind for name, kind in get_type_hints(vars(cls)["__init__"]).items() if name not in kinds}
    return {
        name: kind
        for name, kind in kinds.items()
        if name not in ("return", "settings", "render_mode") and kind is not Any
    }


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_keyword_of_every_environment_refuses_what_is_not_of_its_type(name: str) -> None:
    found = gymnasium.envs.registration.load_env_creator(gymnasium.spec(name).entry_point)  # type: ignore[arg-type]
    for argument, kind in arguments(found).items():  # type: ignore[arg-type]
        for value in (NOTHING, *WRONG.get(kind, ())):
            with pytest.raises((ValueError, TypeError), match=argument):
                gymnasium.make(name, disable_env_checker=True, **{argument: value})
