"""Worlds that students act in."""
