"""To explain or not to explain: a teacher that may interrupt its student only so often."""
