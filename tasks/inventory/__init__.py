"""Keeping stock: what the stock pages, the imports and the scans of the stock share."""
