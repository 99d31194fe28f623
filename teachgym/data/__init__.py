"""Data as a teacher's means: examples, the subjects they come from, engines that make them, and checks on them."""
