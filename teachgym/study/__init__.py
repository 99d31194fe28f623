"""Studies: a grid of (teacher, seed) cells, run in worker processes, stored in a folder, summarised and drawn."""
