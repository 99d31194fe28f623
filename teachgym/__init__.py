"""teachgym: teacher environments for Gymnasium."""

from teachgym import envs as envs  # registers the environments
