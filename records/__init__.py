"""What is kept: the journal of each call, encrypted under a key of its own."""
