"""A job of the tests alone, in a folder like every other: whatever the front makes of a folder is tested with it."""
