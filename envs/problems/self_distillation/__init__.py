"""Self-distillation in kernel ridge regression: how far to trust the labels, and how far the last fit."""
