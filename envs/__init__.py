"""Worlds and teacher environments. Importing ``teachgym`` registers them with Gymnasium."""

import os

if __name__ != "teachgym.envs":
    raise ImportError("import teachgym.envs, not envs")

import gymnasium

__path__ = [os.path.realpath(folder) for folder in __path__]  # one real path per file, so that breakpoints hit

gymnasium.register(
    "teachgym/ParametricBipedalWalker-v0",
    entry_point="teachgym.envs.worlds.bipedal_walker.world:ParametricBipedalWalker",
    vector_entry_point="teachgym.envs.worlds.bipedal_walker.batch:make_walkers",
    max_episode_steps=2000,
)
gymnasium.register("teachgym/TaskTeaching-v0", entry_point="teachgym.envs.tasks.task_teaching_env:TaskTeachingEnv")
gymnasium.register("teachgym/StumpTracks-v0", entry_point="teachgym.envs.tasks.tracks:StumpTracksEnv")
gymnasium.register("teachgym/HexagonTracks-v0", entry_point="teachgym.envs.tasks.tracks:HexagonTracksEnv")
gymnasium.register("teachgym/StumpSequence-v0", entry_point="teachgym.envs.tasks.tracks:StumpSequenceEnv")
gymnasium.register("teachgym/ObstacleCourse-v0", entry_point="teachgym.envs.tasks.tracks:ObstacleCourseEnv")
gymnasium.register("teachgym/Hypercubes-v0", entry_point="teachgym.envs.simulated.hypercubes:HypercubesEnv")
gymnasium.register(
    "teachgym/SimulatedSkills-v0",
    entry_point="teachgym.envs.simulated.skills_env:SimulatedSkillsEnv",
    vector_entry_point="teachgym.envs.simulated.skills_env:make_skills",
)
gymnasium.register(
    "teachgym/SimulatedTasks-v0",
    entry_point="teachgym.envs.simulated.tasks_env:SimulatedTasksEnv",
    vector_entry_point="teachgym.envs.simulated.tasks_env:make_tasks",
)
gymnasium.register("teachgym/Challenge-v0", entry_point="teachgym.envs.tasks.challenge:ChallengeEnv")
gymnasium.register("teachgym/OpenEnded-v0", entry_point="teachgym.envs.data.open_ended:OpenEndedEnv")
gymnasium.register("teachgym/SkillList-v0", entry_point="teachgym.envs.data.skill_list:SkillListEnv")
gymnasium.register("teachgym/SkillTree-v0", entry_point="teachgym.envs.data.skill_tree:SkillTreeEnv")
gymnasium.register(
    "teachgym/SelfDistillation-v0",
    entry_point="teachgym.envs.problems.self_distillation.env:SelfDistillationEnv",
)
gymnasium.register("teachgym/Intervention-v0", entry_point="teachgym.envs.problems.intervention.env:InterventionEnv")
gymnasium.register("teachgym/Distillation-v0", entry_point="teachgym.envs.problems.distillation.env:DistillationEnv")
gymnasium.register(
    "teachgym/ProxyDistillation-v0",
    entry_point="teachgym.envs.problems.proxy_distillation.env:ProxyDistillationEnv",
)
gymnasium.register(
    "teachgym/TeacherForcing-v0", entry_point="teachgym.envs.problems.teacher_forcing.env:TeacherForcingEnv"
)
gymnasium.register("teachgym/PseudoLabel-v0", entry_point="teachgym.envs.problems.pseudo_label.env:PseudoLabelEnv")
gymnasium.register(
    "teachgym/StreamAdaptation-v0", entry_point="teachgym.envs.problems.stream_adaptation.env:StreamAdaptationEnv"
)
