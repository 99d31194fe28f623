"""Data as a teacher's means: examples, the tasks they come from, engines that make them, and checks on them."""
