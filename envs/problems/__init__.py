"""Teaching problems of the literature whose action sets the next stretch of a student's training."""
