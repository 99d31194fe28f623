"""Students that act in worlds: their interface, and one file for each."""
