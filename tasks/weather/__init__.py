"""Asks the weather service for the places of all workspaces."""
