"""How much to learn from which teacher: weights and temperatures of distillation."""
