"""Distillation from an imperfect teacher: what is seen improves while what counts gets worse."""
