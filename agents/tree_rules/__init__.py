"""Rules for skill trees.

Each decision says for every skill of a tree whether to grow new subskills or to change how much data is made for those
that are there (``SkillTree-v0``).
"""
