"""Distributions of tasks that are shaped, by success, value or performance."""
