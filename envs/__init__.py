"""Worlds and teacher environments. Importing ``teachgym`` registers them with Gymnasium."""

import os

if __name__ != "teachgym.envs":
    raise ImportError("import teachgym.envs, not envs")

import gymnasium

__path__ = [os.path.realpath(folder) for folder in __path__]  # one real path per file, so that breakpoints hit

gymnasium.register(
    "teachgym/ParametricBipedalWalker-v0",
    entry_point="teachgym.envs.bipedal_walker.world:ParametricBipedalWalker",
    vector_entry_point="teachgym.envs.bipedal_walker.batch:make_walkers",
    max_episode_steps=2000,
)
gymnasium.register("teachgym/Curriculum-v0", entry_point="teachgym.envs.curriculum:CurriculumEnv")
gymnasium.register("teachgym/StumpTracks-v0", entry_point="teachgym.envs.tracks:StumpTracksEnv")
gymnasium.register("teachgym/HexagonTracks-v0", entry_point="teachgym.envs.tracks:HexagonTracksEnv")
gymnasium.register("teachgym/StumpSequence-v0", entry_point="teachgym.envs.tracks:StumpSequenceEnv")
gymnasium.register("teachgym/ObstacleCourse-v0", entry_point="teachgym.envs.tracks:ObstacleCourseEnv")
gymnasium.register("teachgym/Hypercubes-v0", entry_point="teachgym.envs.hypercubes:HypercubesEnv")
gymnasium.register(
    "teachgym/SimulatedSkills-v0",
    entry_point="teachgym.envs.simulated_skills:SimulatedSkillsEnv",
    vector_entry_point="teachgym.envs.simulated_skills:make_skills",
)
gymnasium.register(
    "teachgym/SimulatedTasks-v0",
    entry_point="teachgym.envs.simulated_tasks:SimulatedTasksEnv",
    vector_entry_point="teachgym.envs.simulated_tasks:make_tasks",
)
gymnasium.register("teachgym/Challenge-v0", entry_point="teachgym.envs.challenge:ChallengeEnv")
gymnasium.register("teachgym/OpenEnded-v0", entry_point="teachgym.envs.data_generation.open_ended:OpenEndedEnv")
gymnasium.register("teachgym/SkillList-v0", entry_point="teachgym.envs.data_generation.skill_list:SkillListEnv")
gymnasium.register("teachgym/SkillTree-v0", entry_point="teachgym.envs.data_generation.skill_tree:SkillTreeEnv")
gymnasium.register(
    "teachgym/SelfDistillation-v0",
    entry_point="teachgym.envs.schedules.self_distillation:SelfDistillationEnv",
)
gymnasium.register("teachgym/Intervention-v0", entry_point="teachgym.envs.schedules.intervention:InterventionEnv")
gymnasium.register("teachgym/Distillation-v0", entry_point="teachgym.envs.schedules.distillation:DistillationEnv")
gymnasium.register(
    "teachgym/ProxyDistillation-v0",
    entry_point="teachgym.envs.schedules.proxy_distillation:ProxyDistillationEnv",
)
gymnasium.register(
    "teachgym/TeacherForcing-v0", entry_point="teachgym.envs.schedules.teacher_forcing:TeacherForcingEnv"
)
gymnasium.register("teachgym/PseudoLabel-v0", entry_point="teachgym.envs.schedules.pseudo_label:PseudoLabelEnv")
gymnasium.register(
    "teachgym/StreamAdaptation-v0", entry_point="teachgym.envs.schedules.stream_adaptation:StreamAdaptationEnv"
)
