"""Rules for trees of skills."""
