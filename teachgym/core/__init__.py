"""The words of teaching: task spaces, decisions, feedback, teachers, teacher environments, and the loop of the two."""
