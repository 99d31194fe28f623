"""What a study came to: its stored cells, the measures of them, and how teachers compare."""
