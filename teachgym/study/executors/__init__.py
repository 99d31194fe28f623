"""What runs the cells of a study: processes of this machine, or Ray."""
