"""Worlds and teacher environments, and tables of them. Importing ``teachgym`` registers them with Gymnasium."""

import os

if __name__ != "teachgym.envs":
    raise ImportError("import teachgym.envs, not envs")

__path__ = [os.path.realpath(folder) for folder in __path__]  # one real path per file, so that breakpoints hit

import gymnasium

from teachgym.envs.entries import EnvironmentEntry, Scale, WorldEntry

_TASK_TEACHING = "teachgym.envs.tasks.task_teaching_env:TaskTeachingEnv"
_SMALL_PPO = (
    'student=ppo,budget=120,student_settings={"slots":1,"rollout_steps":16,"batch_size":8,"epochs":1,"hidden":[8]}'
)
_SIMULATED = "subject=digits,student=simulated,budget=60,rounds=3"
_BEST_CONSTANT = Scale(ceiling="rule,name=constant")
_COMPETENCE = Scale(floor=0.0, ceiling=1.0)

WORLDS: dict[str, WorldEntry] = {
    "ParametricBipedalWalker": WorldEntry(
        "teachgym.envs.worlds.bipedal_walker.world:ParametricBipedalWalker",
        quick="max_episode_steps=3",
        vector_path="teachgym.envs.worlds.bipedal_walker.batch:make_walkers",
        max_episode_steps=2000,
    ),
}
"""Worlds that students act in, by name; ``register_world`` adds one."""

PROBLEMS: dict[str, EnvironmentEntry] = {
    "SelfDistillation": EnvironmentEntry(
        "teachgym.envs.problems.self_distillation.env:SelfDistillationEnv",
        quick="budget=4",
        suite={"": Scale(), "data=redrawn": Scale()},
    ),
    "Intervention": EnvironmentEntry(
        "teachgym.envs.problems.intervention.env:InterventionEnv",
        quick="budget=4",
        variants=("action=scores,items=10", "action=each", "refit=true"),
        suite={"": Scale(), "action=each": Scale()},
    ),
    "Distillation": EnvironmentEntry(
        "teachgym.envs.problems.distillation.env:DistillationEnv",
        quick="budget=4,problem=noisy",
        variants=("problem=robust", "problem=noisy,weights=sample", "problem=order,random_teacher=true"),
        suite={
            "": _BEST_CONSTANT,
            "problem=noisy,weights=sample": Scale(),
            "problem=order": Scale(ceiling="rule,name=paper"),
        },
    ),
    "ProxyDistillation": EnvironmentEntry(
        "teachgym.envs.problems.proxy_distillation.env:ProxyDistillationEnv",
        quick="budget=4",
        suite={"": Scale()},
    ),
    "PseudoLabel": EnvironmentEntry(
        "teachgym.envs.problems.pseudo_label.env:PseudoLabelEnv",
        quick="budget=4,updates=2",
        variants=("filter=agreement,thresholds=per-class,reviewer=true",),
        suite={"": Scale()},
    ),
    "StreamAdaptation": EnvironmentEntry(
        "teachgym.envs.problems.stream_adaptation.env:StreamAdaptationEnv",
        quick="budget=4,batches=1",
        variants=("shift=cyclic,loss=cross-entropy",),
        suite={"": _BEST_CONSTANT, "shift=cyclic": _BEST_CONSTANT},
    ),
    "TeacherForcing": EnvironmentEntry(
        "teachgym.envs.problems.teacher_forcing.env:TeacherForcingEnv",
        quick="budget=4,updates=2",
        variants=("system=logistic",),
        suite={"": _BEST_CONSTANT},
    ),
}
"""Teaching problems of the literature, by name; ``register_problem`` adds one."""

ENVIRONMENTS: dict[str, EnvironmentEntry] = {
    "TaskTeaching": EnvironmentEntry(
        _TASK_TEACHING,
        quick=f"world=teachgym/ParametricBipedalWalker-v0,outcome_range=[-150,350],mastered_above=230,{_SMALL_PPO}",
    ),
    "StumpTracks": EnvironmentEntry("teachgym.envs.tasks.tracks:StumpTracksEnv", quick=_SMALL_PPO),
    "HexagonTracks": EnvironmentEntry("teachgym.envs.tasks.tracks:HexagonTracksEnv", quick=_SMALL_PPO),
    "StumpSequence": EnvironmentEntry("teachgym.envs.tasks.tracks:StumpSequenceEnv", quick=_SMALL_PPO),
    "ObstacleCourse": EnvironmentEntry(
        "teachgym.envs.tasks.tracks:ObstacleCourseEnv", quick=_SMALL_PPO, variants=("ranges=easy",)
    ),
    "Challenge": EnvironmentEntry("teachgym.envs.tasks.challenge:ChallengeEnv", quick="budget=40"),
    "Hypercubes": EnvironmentEntry("teachgym.envs.simulated.hypercubes:HypercubesEnv", quick="budget=40"),
    "SimulatedSkills": EnvironmentEntry(
        "teachgym.envs.simulated.skills_env:SimulatedSkillsEnv",
        quick="budget=40",
        vector_path="teachgym.envs.simulated.skills_env:make_skills",
        suite={"budget=200": _COMPETENCE},
    ),
    "SimulatedTasks": EnvironmentEntry(
        "teachgym.envs.simulated.tasks_env:SimulatedTasksEnv",
        quick="budget=40",
        vector_path="teachgym.envs.simulated.tasks_env:make_tasks",
        variants=("irrelevant_dimensions=1",),
        suite={"budget=1000": _COMPETENCE},
    ),
    "OpenEnded": EnvironmentEntry("teachgym.envs.data.open_ended:OpenEndedEnv", quick=_SIMULATED),
    "SkillList": EnvironmentEntry("teachgym.envs.data.skill_list:SkillListEnv", quick=_SIMULATED),
    "SkillTree": EnvironmentEntry("teachgym.envs.data.skill_tree:SkillTreeEnv", quick=_SIMULATED),
}
"""The other teacher environments, by name; ``register_environment`` adds one."""


def register_world(name: str, entry: WorldEntry) -> None:
    """Register a world, and with it the teacher environment in which students that act in it are taught.

    Args:
        name: ``"namespace/Name-v0"``; the teacher environment is ``"namespace/NameTeaching-v0"``.
        entry: Where its class is, and how it is made and taught; ``WORLDS`` holds it from then on.
    """
    WORLDS[name] = entry
    world = _full_id(name)
    gymnasium.register(
        world,
        entry_point=entry.path,
        vector_entry_point=entry.vector_path,
        max_episode_steps=entry.max_episode_steps,
    )
    if entry.teaching is not None:
        path, _, version = world.rpartition("-")
        gymnasium.register(
            f"{path}Teaching-{version}", entry_point=_TASK_TEACHING, kwargs={"world": world, **entry.teaching}
        )


def register_environment(name: str, entry: EnvironmentEntry) -> None:
    """Register a teacher environment.

    Args:
        name: ``"namespace/Name-v0"``.
        entry: Where its class is; ``ENVIRONMENTS`` holds it from then on.
    """
    _register(ENVIRONMENTS, name, entry)


def register_problem(name: str, entry: EnvironmentEntry) -> None:
    """Register a teaching problem: a teacher environment that is a ``ControlEnv``.

    Args:
        name: ``"namespace/Name-v0"``.
        entry: Where its class is; ``PROBLEMS`` holds it from then on.
    """
    _register(PROBLEMS, name, entry)


def _register(table: dict[str, EnvironmentEntry], name: str, entry: EnvironmentEntry) -> None:
    table[name] = entry
    gymnasium.register(_full_id(name), entry_point=entry.path, vector_entry_point=entry.vector_path)


def _full_id(name: str) -> str:
    """Ours are named without namespace and version."""
    return name if "/" in name else f"teachgym/{name}-v0"


for _name, _world in list(WORLDS.items()):
    register_world(_name, _world)
for _table in (ENVIRONMENTS, PROBLEMS):
    for _name, _entry in list(_table.items()):
        _register(_table, _name, _entry)
