"""Contract checks that an outside author can call on their own teacher, student, world or teacher environment."""
