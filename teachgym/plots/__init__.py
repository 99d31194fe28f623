"""Figures of studies, and films of students."""
