"""Baselines and hand-made curricula.

Nothing here is estimated from the student: tasks are drawn at random, read from a file, or taken from a schedule that a
person designed, which may wait for the student. ``random`` is what every other teacher has to beat; ``rule`` plays the
reference policies that an environment states.
"""
