"""Language models.

A language model is shown a report of the student as text, and replies with a plan.
"""
