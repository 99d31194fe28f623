"""Learned beforehand, over many students."""
