"""Sound inside the house: one format, bounded rings, time counted in audio."""
