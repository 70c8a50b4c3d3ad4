"""Shelf photos: which products are on them, by their barcodes."""
