"""How strongly to pull a recurrent network to its data while it learns a chaotic system."""
