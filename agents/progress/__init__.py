"""Learning progress.

Tasks are points of a box. These teachers estimate where in the box outcomes are changing, and sample there: neither
what the student can do already nor what it can't learn yet changes.
"""
