"""Shares over skills.

Each decision divides the next examples among the skills of a subject (``SkillList-v0``), by the student's accuracy in
each.
"""
