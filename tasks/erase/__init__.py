"""Deletes accounts and workspaces for good, once their owners said so."""
