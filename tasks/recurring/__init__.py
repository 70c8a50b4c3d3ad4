"""Enters what comes by itself."""
