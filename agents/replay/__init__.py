"""Replay and evolution of levels.

Levels (tasks) that were worth teaching are stored with a level score, replayed and, in ``accel``, edited. Most scores
are computed from the student's value estimates.
"""
