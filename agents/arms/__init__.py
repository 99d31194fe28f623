"""Bandits.

Tasks are a finite number of arms, or a box that is cut into a grid of them. Bandits weigh arms that have paid off
against arms that are little known; contextual ones also read the observation.
"""
