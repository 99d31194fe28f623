"""What families of teachers share."""
