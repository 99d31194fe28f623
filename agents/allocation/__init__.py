"""Shares of data over skills."""
