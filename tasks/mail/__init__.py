"""Sends the mails that wait."""
