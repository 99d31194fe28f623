"""Teachers that read and write: a language model is shown a report of the student, and answers in words."""
