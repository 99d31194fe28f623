"""Discrete tasks, and boxes cut into arms."""
