"""Exit statuses with a meaning beyond success, failure and wrong usage."""

INTERRUPTED = 130
"""Ctrl-C has ended it: what a shell reports of a program that SIGINT has ended."""
