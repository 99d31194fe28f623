"""Worlds that students act in: batches of them in step, the vector environments over these, and tests."""
