"""Which teacher fits which environment, by what the one requires and the other gives."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import gymnasium

from teachgym.agents import TEACHERS, teacher_class
from teachgym.core.requirements import OnDemand, Requirements, keywords_for, only_on_demand
from teachgym.core.teacher import Teacher
from teachgym.core.teacher_env import TeacherEnv
from teachgym.study.environments import environment_class, make_teacher_env

Make = Callable[[Mapping[str, Any]], TeacherEnv]
"""Makes an environment that is asked for something by keywords of its constructor."""
Fits = dict[str, dict[str, Any]]
"""By name of what fits: the keywords by which the environment has to be asked."""


class MisfitError(ValueError):
    """An environment does not meet what is required of it; the message says what, and what there is instead."""


def make_fitting(
    make: Make, required: Requirements, on_demand: Sequence[OnDemand] = ()
) -> tuple[TeacherEnv, dict[str, Any]]:
    """Make an environment that meets what is required, and return it with the keywords that it was asked by.

    Args:
        make: Raises ``ValueError`` if the environment can't be made.
        required: What the environment has to meet.
        on_demand: What its class lists, where that is known; so it need not be made first to see what it lacks.

    Raises:
        MisfitError: If it does not meet that, however it is asked.
        ValueError: If it can't be made, whatever is required.
    """
    asked = keywords_for(only_on_demand(required, on_demand), on_demand)
    env, refusal = _make_or_plain(make, asked)
    unmet = required.unmet(env.teaching_spec)
    more = {**asked, **keywords_for(unmet, env.on_demand)}
    if unmet and more != asked:
        env.close()
        asked = more
        env, refusal = _make_or_plain(make, asked)
        unmet = required.unmet(env.teaching_spec)
    if unmet:
        env.close()
        raise MisfitError(f"{unmet.against(env.teaching_spec)}{refusal}")
    return env, asked


def _make_or_plain(make: Make, asked: Mapping[str, Any]) -> tuple[TeacherEnv, str]:
    """Make an environment as asked; or as it is, with the reason, if it refuses that."""
    try:
        return make(asked), ""
    except ValueError as error:
        if not asked:
            raise
        words = ", ".join(f"{name}={value}" for name, value in asked.items())
        return make({}), f" (asked for {words}, it refuses: {error})"


def fitted_pair(
    make: Make, teacher: type[Teacher], settings: Any, *, seed: int, on_demand: Sequence[OnDemand] = ()
) -> tuple[TeacherEnv, Teacher]:
    """Make a teacher and an environment that meets what it requires; arguments and errors as of ``make_fitting``."""
    env, _ = make_fitting(make, teacher.requirements(settings), on_demand)
    try:
        return env, teacher(env.teaching_spec, settings, seed=seed)
    except BaseException:
        env.close()
        raise


def fitting_teachers(make: Make) -> Fits:
    """Teachers of the table that fit an environment with their default settings.

    By types alone: one that is made from a file needs the file, too, and one may refuse a setting of the environment.

    Args:
        make: Makes the environment; it is called once for each way in which a teacher asks.
    """
    made: dict[str, TeacherEnv | ValueError] = {}

    def make_once(asked: Mapping[str, Any]) -> TeacherEnv:
        if repr(asked) not in made:
            try:
                made[repr(asked)] = make(asked)
            except ValueError as error:
                made[repr(asked)] = error
        found = made[repr(asked)]
        if isinstance(found, ValueError):
            raise found
        return found

    fits = {}
    for name in TEACHERS:
        asked = _asked(make_once, name)
        if asked is not None:
            fits[name] = asked
    for env in made.values():
        if isinstance(env, TeacherEnv):
            env.close()
    return fits


def _asked(make: Make, teacher: str) -> dict[str, Any] | None:
    try:
        found = teacher_class(teacher)
        return make_fitting(make, found.requirements(found.Settings()))[1]
    except ValueError:
        return None


def fitting_environments(required: Requirements) -> Iterator[str]:
    """Names of teachgym's environments that meet what is required, as they are made by default or if they are asked."""
    for name, found in teacher_environments():
        try:
            env, _ = make_fitting(partial(make_teacher_env, name), required, found.on_demand)
        except ValueError:
            continue
        env.close()
        yield name


def teacher_environments() -> Iterator[tuple[str, type[TeacherEnv]]]:
    """Names and classes of teachgym's teacher environments, those that can't be made by default included."""
    for spec in sorted(gymnasium.registry.values(), key=lambda spec: spec.id):
        if spec.namespace == "teachgym":
            found = environment_class(spec.id)
            if issubclass(found, TeacherEnv):
                yield spec.name, found


def all_fits() -> list[tuple[list[str], Fits]]:
    """Teachgym's environments that can be made by default; those that the same teachers fit alike are together."""
    groups: list[tuple[list[str], Fits]] = []
    for name, _ in teacher_environments():
        fits = fitting_teachers(partial(make_teacher_env, name))
        names = next((names for names, others in groups if others == fits), None)
        if names is not None:
            names.append(name)
        elif fits:
            groups.append(([name], fits))
    return groups
