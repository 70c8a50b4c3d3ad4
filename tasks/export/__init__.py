"""Gives a person, or the owner of a workspace, a copy of all that is theirs."""
