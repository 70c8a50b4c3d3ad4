"""Tells people what scans found: at once, or gathered in their digest."""
