"""Looking at people: one profile by identifier, with where each value comes from."""
