"""Teacher environments over simulated students, which cost no time: to learn, try and test teachers on."""
