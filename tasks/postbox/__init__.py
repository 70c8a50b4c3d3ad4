"""Mailboxes of help desks."""
