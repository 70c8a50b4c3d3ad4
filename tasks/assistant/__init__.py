"""Makes the indexes that the assistant answers from."""
