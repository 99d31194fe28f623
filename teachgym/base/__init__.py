"""What everything else stands on, and knows nothing of teaching: names, settings, state, files."""
