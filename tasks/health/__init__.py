"""A report of Nightshift about itself."""
