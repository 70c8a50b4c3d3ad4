"""Measures customer care: `make bench-tickets`."""
