"""Teacher environments whose decision is the student's next task."""
