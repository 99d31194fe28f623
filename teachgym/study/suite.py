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
from teachgym.envs.entries import Scale
from teachgym.study.compare import IfUsed, Study, compare
from teachgym.study.environments import make_teacher_env
from teachgym.study.executors.runner import Observer
from teachgym.study.executors.workers import check_workers_can_start
from teachgym.study.fitting import fitted_pair
from teachgym.study.results.leaderboard import BASELINE, Leaderboard, leaderboard
from teachgym.study.settings import StudySettings
from teachgym.study.suite_settings import SuiteSettings

LEADERBOARD = "leaderboard.json"
Observe = Callable[[StudySettings], AbstractContextManager[Observer]]
"""Makes the observer of a study, which watches while it is entered."""


def study_of(settings: SuiteSettings, env: str, scale: Scale) -> StudySettings:
    """The study of one environment of a suite."""
    return StudySettings(
        env=env,
        teachers=tuple(fitting(env, scale, settings.teachers)),
        seeds=settings.seeds,
        first_seed=settings.first_seed,
        evaluations=1,
        name=NamedSettings.parse(env).folder_name,
        runs=settings.folder,
        workers=settings.workers,
        trackers=(),
    )


def fitting(env: str, scale: Scale, teachers: tuple[str, ...] = ()) -> list[str]:
    """The teachers to run in an environment: floor, ceiling and ``random`` first, then those that can be made for it.

    Args:
        env: A name from `teachgym list`, with settings.
        scale: What its scores are measured by.
        teachers: Names with settings, to choose from; empty for all that require neither a file nor an endpoint, and
            all rules.

    Raises:
        ValueError: If the environment can't be made, or a teacher that is named does not exist.
    """
    rules = _make(env, {}).teaching_spec.rules
    named = [f"rule,name={name}" for name in rules]
    wanted = teachers or (*named, *(name for name, entry in TEACHERS.items() if not entry.requires and name != "rule"))
    measured = [name for name in (*scale, BASELINE) if isinstance(name, str)]
    found = [str(NamedSettings.parse(name)) for name in measured]
    found += [str(NamedSettings.parse(name)) for name in wanted if _fits(env, name)]
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
    scales = settings.environments()
    done = []
    for study in [study_of(settings, env, scale) for env, scale in scales.items()]:
        with nullcontext(Observer()) if observe is None else observe(study) as observer:
            done.append(compare(study, if_used=if_used, observer=observer))
        if done[-1].interrupted:
            break
    board = leaderboard(
        [
            (env, scale.floor, scale.ceiling, study.stored)
            for (env, scale), study in zip(scales.items(), done, strict=False)
        ]
    )
    write_json(settings.folder / LEADERBOARD, asdict(board))
    return board, done
