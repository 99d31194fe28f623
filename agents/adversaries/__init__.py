"""Adversaries that make tasks."""
