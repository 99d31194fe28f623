"""Learning progress in a box of tasks."""
