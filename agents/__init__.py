"""The teachers: a package for each family, one file each, and a table of their names."""

import inspect
import os
from dataclasses import fields
from typing import Any

if __name__ != "teachgym.agents":
    raise ImportError("import teachgym.agents, not agents")

import gymnasium

from teachgym.base.annotations import shown
from teachgym.base.entry import Entry
from teachgym.base.registry import load_path, unknown_name
from teachgym.base.settings import chosen_settings, make_settings
from teachgym.core.spec import TeachingSpec
from teachgym.core.teacher import Teacher

__path__ = [os.path.realpath(folder) for folder in __path__]  # one real path per file, so that breakpoints hit

TEACHERS: dict[str, Entry] = {
    "random": Entry("teachgym.agents.handmade.random:Random"),
    "constant": Entry("teachgym.agents.handmade.constant:Constant"),
    "manual": Entry("teachgym.agents.handmade.manual:Manual", requires="file"),
    "oracle": Entry("teachgym.agents.handmade.oracle:Oracle", quick="move_every=7,threshold=-100.0"),
    "annealing": Entry("teachgym.agents.handmade.annealing:Annealing", quick="pace=episodes,total=20"),
    "stages": Entry("teachgym.agents.handmade.stages:Stages", quick="window=10"),
    "rule": Entry("teachgym.agents.handmade.rule:ReferenceRule"),
    "riac": Entry("teachgym.agents.progress.riac:Riac", quick="max_region_size=12"),
    "covar-gmm": Entry("teachgym.agents.progress.covar_gmm:CovarGmm", quick="fit_every=30,components_max=3"),
    "alp-gmm": Entry("teachgym.agents.progress.alp_gmm:AlpGmm", quick="fit_every=30,components_max=3"),
    "adr": Entry("teachgym.agents.shaping.adr:Adr", quick="queue_length=3"),
    "spdl": Entry(
        "teachgym.agents.shaping.spdl:Spdl", quick="update_every_episodes=20,first_update_steps=20,alpha_zero_updates=0"
    ),
    "sprl": Entry("teachgym.agents.shaping.sprl:Sprl", quick="update_every=50,solver_iterations=20"),
    "currot": Entry("teachgym.agents.shaping.currot:Currot", quick="particles=20,update_every=50,candidates=10"),
    "goal-gan": Entry(
        "teachgym.agents.shaping.goal_gan:GoalGan",
        quick="train_every=20,iterations=5,pretrain_iterations=5,batch_size=8,generator_hidden=[8]",
    ),
    "setter-solver": Entry(
        "teachgym.agents.shaping.setter_solver:SetterSolver",
        quick="train_every=30,hidden=4,judge_hidden=[8],blocks=1,depth=1",
    ),
    "plr": Entry("teachgym.agents.replay.plr:Plr", quick="capacity=8"),
    "robust-plr": Entry("teachgym.agents.replay.plr:RobustPlr", quick="capacity=8,least_filled=0.25"),
    "accel": Entry("teachgym.agents.replay.accel:Accel", quick="capacity=8,least_filled=0.25,replay_batch=4"),
    "sfl": Entry(
        "teachgym.agents.replay.sfl:Sfl", quick="levels_probed=4,episodes_per_level=2,levels_kept=2,refresh_every=10"
    ),
    "paired": Entry("teachgym.agents.adversaries.paired:Paired", quick="tasks_per_update=16,epochs=1,hidden=[8]"),
    "minimax": Entry("teachgym.agents.adversaries.minimax:Minimax", quick="tasks_per_update=16,epochs=1,hidden=[8]"),
    "bandit": Entry("teachgym.agents.arms.bandit:Bandit"),
    "ucb": Entry("teachgym.agents.arms.ucb:Ucb"),
    "tscl": Entry("teachgym.agents.arms.tscl:Tscl"),
    "success-progress": Entry("teachgym.agents.arms.success_progress:SuccessProgress", quick="update_every=7"),
    "linucb": Entry("teachgym.agents.arms.contextual_bandits:LinUcb"),
    "linear-thompson": Entry("teachgym.agents.arms.contextual_bandits:LinearThompson"),
    "uniform": Entry("teachgym.agents.allocation.uniform:Uniform"),
    "random-shares": Entry("teachgym.agents.allocation.random_shares:RandomShares"),
    "weak-first": Entry("teachgym.agents.allocation.weak_first:WeakFirst"),
    "strong-first": Entry("teachgym.agents.allocation.weak_first:StrongFirst"),
    "frontier": Entry("teachgym.agents.allocation.frontier:Frontier"),
    "gain-first": Entry("teachgym.agents.allocation.frontier:GainFirst"),
    "arte": Entry("teachgym.agents.allocation.arte:Arte"),
    "single-skill": Entry("teachgym.agents.allocation.single_skill:SingleSkill"),
    "uniform-tree": Entry("teachgym.agents.tree_rules.balanced_orders:UniformTree", quick="examples=20"),
    "balance-weak": Entry("teachgym.agents.tree_rules.balanced_orders:BalanceWeak", quick="examples=20"),
    "threshold": Entry("teachgym.agents.tree_rules.threshold:Threshold", quick="first_new=1,new=1,each=1,more=1"),
    "alternating": Entry("teachgym.agents.tree_rules.alternating:Alternating", quick="each=1"),
    "fill-balanced": Entry("teachgym.agents.tree_rules.fill_balanced:FillBalanced", quick="target=30,cap=1"),
    "random-explore-exploit": Entry(
        "teachgym.agents.tree_rules.random_explore_exploit:RandomExploreExploit", quick="most=1"
    ),
    "language-model": Entry("teachgym.agents.language.language_model:LanguageModel", requires="endpoint"),
    "policy": Entry("teachgym.agents.learned.policy:PolicyTeacher", requires="file"),
}
"""Teachers by name. The ``quick`` settings are for runs of some 70 episodes."""


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
        found = load_path("teacher", TEACHERS[teacher].path if teacher in TEACHERS else teacher)
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
        seed: Non-negative integer, the same one that the environment is reset with.
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
