"""Trained policies.

Policies that ``teachgym train`` has trained beforehand, over many students.
"""
