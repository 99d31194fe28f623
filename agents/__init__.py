"""The teachers: a package for each family, one file each, and a read-only table of their names."""

import inspect
import os
from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any

if __name__ != "teachgym.agents":
    raise ImportError("import teachgym.agents, not agents")

import gymnasium

from teachgym.base.annotations import shown
from teachgym.base.registry import load_path, unknown_name
from teachgym.base.settings import chosen_settings, make_settings
from teachgym.core.spec import TeachingSpec
from teachgym.core.teacher import Teacher

__path__ = [os.path.realpath(folder) for folder in __path__]  # one real path per file, so that breakpoints hit

TEACHERS: Mapping[str, str] = MappingProxyType(
    {
        "random": "teachgym.agents.handmade.random:Random",
        "constant": "teachgym.agents.handmade.constant:Constant",
        "manual": "teachgym.agents.handmade.manual:Manual",
        "oracle": "teachgym.agents.handmade.oracle:Oracle",
        "annealing": "teachgym.agents.handmade.annealing:Annealing",
        "stages": "teachgym.agents.handmade.stages:Stages",
        "rule": "teachgym.agents.handmade.rule:ReferenceRule",
        "riac": "teachgym.agents.progress.riac:Riac",
        "covar-gmm": "teachgym.agents.progress.covar_gmm:CovarGmm",
        "alp-gmm": "teachgym.agents.progress.alp_gmm:AlpGmm",
        "adr": "teachgym.agents.shaping.adr:Adr",
        "spdl": "teachgym.agents.shaping.spdl:Spdl",
        "sprl": "teachgym.agents.shaping.sprl:Sprl",
        "currot": "teachgym.agents.shaping.currot:Currot",
        "goal-gan": "teachgym.agents.shaping.goal_gan:GoalGan",
        "setter-solver": "teachgym.agents.shaping.setter_solver:SetterSolver",
        "plr": "teachgym.agents.replay.plr:Plr",
        "robust-plr": "teachgym.agents.replay.plr:RobustPlr",
        "accel": "teachgym.agents.replay.accel:Accel",
        "sfl": "teachgym.agents.replay.sfl:Sfl",
        "paired": "teachgym.agents.adversaries.paired:Paired",
        "minimax": "teachgym.agents.adversaries.minimax:Minimax",
        "bandit": "teachgym.agents.arms.bandit:Bandit",
        "ucb": "teachgym.agents.arms.ucb:Ucb",
        "tscl": "teachgym.agents.arms.tscl:Tscl",
        "success-progress": "teachgym.agents.arms.success_progress:SuccessProgress",
        "linucb": "teachgym.agents.arms.contextual_bandits:LinUcb",
        "linear-thompson": "teachgym.agents.arms.contextual_bandits:LinearThompson",
        "uniform": "teachgym.agents.allocation.uniform:Uniform",
        "random-shares": "teachgym.agents.allocation.random_shares:RandomShares",
        "weak-first": "teachgym.agents.allocation.weak_first:WeakFirst",
        "strong-first": "teachgym.agents.allocation.weak_first:StrongFirst",
        "frontier": "teachgym.agents.allocation.frontier:Frontier",
        "gain-first": "teachgym.agents.allocation.frontier:GainFirst",
        "arte": "teachgym.agents.allocation.arte:Arte",
        "single-skill": "teachgym.agents.allocation.single_skill:SingleSkill",
        "uniform-tree": "teachgym.agents.tree_rules.balanced_orders:UniformTree",
        "balance-weak": "teachgym.agents.tree_rules.balanced_orders:BalanceWeak",
        "threshold": "teachgym.agents.tree_rules.threshold:Threshold",
        "alternating": "teachgym.agents.tree_rules.alternating:Alternating",
        "fill-balanced": "teachgym.agents.tree_rules.fill_balanced:FillBalanced",
        "random-explore-exploit": "teachgym.agents.tree_rules.random_explore_exploit:RandomExploreExploit",
        "language-model": "teachgym.agents.language.language_model:LanguageModel",
        "policy": "teachgym.agents.learned.policy:PolicyTeacher",
    }
)
"""Teachers by name: where each class lives. A class is imported when it is asked for, not before."""


def teacher_class(teacher: str | type[Teacher]) -> type[Teacher]:
    """Find a teacher's class.

    Args:
        teacher: A name in ``TEACHERS``, the import path ``"package.module:Class"`` of a teacher that lives
            elsewhere, or the class itself.

    Raises:
        ValueError: If the name is unknown, or the path does not lead to a class.
        TypeError: If what was found is no subclass of ``Teacher``.
    """
    found: Any = teacher
    if isinstance(teacher, str):
        if ":" not in teacher and teacher not in TEACHERS:
            raise unknown_name("teacher", teacher, TEACHERS)
        found = load_path("teacher", TEACHERS.get(teacher, teacher))
    if not (isinstance(found, type) and issubclass(found, Teacher)) or inspect.isabstract(found):
        raise TypeError(
            f"teacher is {teacher!r}; expected a name ({', '.join(TEACHERS)}), an import path "
            "'package.module:Class', or a subclass of teachgym.core.teacher.Teacher that is not abstract"
        )
    return found


def make_teacher(
    teacher: str | type[Teacher],
    env: gymnasium.Env[Any, Any],
    *,
    seed: int,
    settings: Any = None,
    **overrides: Any,
) -> Teacher:
    """Make a teacher for a teacher environment.

    Args:
        teacher: A name in ``TEACHERS``, an import path ``"package.module:Class"``, or a ``Teacher`` subclass.
        env: The environment it is to act in. Only its ``teaching_spec`` is read; the teacher keeps no environment.
        seed: Integer from 0 up, the same one that the environment is reset with.
        settings: The teacher's ``Settings``; None takes the defaults.
        overrides: Single settings by name, which replace those in ``settings``.

    Raises:
        ValueError: If the name, a setting's name or a setting's value is not allowed, or the environment does
            not offer what the teacher needs.
        TypeError: If ``env`` is no teacher environment, or the class no teacher.
    """
    cls = teacher_class(teacher)
    spec = getattr(getattr(env, "unwrapped", None), "teaching_spec", None)
    if not isinstance(spec, TeachingSpec):
        raise TypeError(
            f"{shown(env)} is not a teacher environment: it has no attribute 'teaching_spec' that is a "
            "teachgym.core.spec.TeachingSpec"
        )
    if overrides:
        base = chosen_settings(cls.Settings, settings)
        given = {field.name: getattr(base, field.name) for field in fields(base) if field.init}
        settings = make_settings(cls.__name__, cls.Settings, {**given, **overrides})
    return cls(spec, settings, seed=seed)
