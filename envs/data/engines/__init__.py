"""Ways to make the data that a plan asks for, one file each."""
