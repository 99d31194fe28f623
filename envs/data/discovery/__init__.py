"""Ways to find the skills of a subject's errors, one file each."""
