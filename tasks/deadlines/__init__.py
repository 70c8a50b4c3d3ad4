"""Reckons deadlines anew after hours or policies changed."""
