"""Replay and evolution of levels."""
