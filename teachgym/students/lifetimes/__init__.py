"""One student from its fresh start to the end of its budget: paused for its next task, stored and restored."""
