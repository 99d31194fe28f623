"""Teaching problems of the literature whose decision is the controls of a student's next training segment."""
