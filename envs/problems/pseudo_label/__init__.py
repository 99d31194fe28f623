"""Pseudo-labels: which of a teacher's guesses a student is to learn from, and how fast the teacher follows it."""
