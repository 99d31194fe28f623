"""Adversaries.

A policy that is trained by PPO generates the tasks, and is paid for tasks that the student does badly at, or worse than
a second student.
"""
