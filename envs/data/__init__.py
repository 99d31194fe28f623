"""Teacher environments whose action is data: open-ended, by a list of skills, or by a tree of them."""
