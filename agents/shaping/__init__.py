"""Shaped task distributions.

One distribution over a box of tasks moves from easy tasks towards a target, as fast as the student's success, values or
returns allow.
"""
