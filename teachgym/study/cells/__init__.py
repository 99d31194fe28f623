"""A cell of a study: its folder, its run, its checkpoints, and what is left when it is finished."""
