"""A suite: every cheap environment with every teacher that fits it, and one leaderboard."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from functools import partial
from typing import Any

from teachgym.agents import TEACHERS, teacher_class
from teachgym.base.files import write_json
from teachgym.base.named_settings import NamedSettings
from teachgym.base.settings import make_settings
from teachgym.core.teacher_env import TeacherEnv
from teachgym.study.compare import IfUsed, Study, compare
from teachgym.study.environments import make_teacher_env
from teachgym.study.executors.runner import Observer
from teachgym.study.executors.workers import check_workers_can_start
from teachgym.study.fitting import fitted_pair
from teachgym.study.results.leaderboard import BASELINE, Leaderboard, leaderboard
from teachgym.study.settings import StudySettings
from teachgym.study.suite_settings import Entry, SuiteSettings

LEADERBOARD = "leaderboard.json"
Observe = Callable[[StudySettings], AbstractContextManager[Observer]]
"""Makes the observer of a study, which watches while it is entered."""
ASKING = ("manual", "policy", "language-model")
"""Teachers that need a file or a server, and are left out unless they are named."""


def study_of(settings: SuiteSettings, entry: Entry) -> StudySettings:
    """The study of one environment of a suite."""
    return StudySettings(
        env=entry.env,
        teachers=tuple(fitting(entry, settings.teachers)),
        seeds=settings.seeds,
        first_seed=settings.first_seed,
        evaluations=1,
        name=entry.folder_name,
        runs=settings.folder,
        workers=settings.workers,
        trackers=(),
    )


def fitting(entry: Entry, teachers: tuple[str, ...] = ()) -> list[str]:
    """The teachers to run in an environment: floor, ceiling and ``random`` first, then those that can be made for it.

    Args:
        entry: The environment.
        teachers: Names with settings, to choose from; empty for all that need no file and no server, and all rules.

    Raises:
        ValueError: If the environment can't be made, or a teacher that is named does not exist.
    """
    rules = _make(entry.env, {}).teaching_spec.rules
    named = [f"rule,name={name}" for name in rules]
    wanted = teachers or (*named, *(name for name in TEACHERS if name not in (*ASKING, "rule")))
    measured = [name for name in (entry.floor, entry.ceiling, BASELINE) if isinstance(name, str)]
    found = [str(NamedSettings.parse(name)) for name in measured]
    found += [str(NamedSettings.parse(name)) for name in wanted if _fits(entry.env, name)]
    return list(dict.fromkeys(found))


def _fits(env: str, teacher: str) -> bool:
    named = NamedSettings.parse(teacher)
    try:
        found = teacher_class(named.name)
        settings = make_settings(f"teacher {named.name!r}", found.Settings, named.settings)
        fitted_pair(partial(_make, env), found, settings, seed=0)
    except ValueError:
        if named.name not in TEACHERS:
            raise
        return False
    return True


def _make(env: str, asked: Mapping[str, Any]) -> TeacherEnv:
    named = NamedSettings.parse(env)
    return make_teacher_env(named.name, {**asked, **named.settings})


def run_suite(
    settings: SuiteSettings, *, if_used: IfUsed = "refuse", observe: Observe | None = None
) -> tuple[Leaderboard, list[Study]]:
    """Run the studies of a suite one after the other, and store its leaderboard.

    Args:
        settings: The suite.
        if_used: What to do with studies that are there already.
        observe: Gives the observer of a study, when it begins.

    Returns:
        The leaderboard of what is finished, and the studies; Ctrl-C leaves out those that have not begun.

    Raises:
        ValueError: If a setting is not allowed, or a folder can't be used.
        RuntimeError: If worker processes can't be started, or a script without a main guard calls it in one of them.
    """
    check_workers_can_start()
    studies = [(entry, study_of(settings, entry)) for entry in settings.entries()]
    done = []
    for _, study in studies:
        with nullcontext(Observer()) if observe is None else observe(study) as observer:
            done.append(compare(study, if_used=if_used, observer=observer))
        if done[-1].interrupted:
            break
    board = leaderboard(
        [
            (entry.env, entry.floor, entry.ceiling, study.stored)
            for (entry, _), study in zip(studies, done, strict=False)
        ]
    )
    write_json(settings.folder / LEADERBOARD, asdict(board))
    return board, done
