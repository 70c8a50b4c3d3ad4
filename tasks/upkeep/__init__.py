"""Clears away what nobody needs any more."""
