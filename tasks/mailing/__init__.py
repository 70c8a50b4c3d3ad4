"""Mails and messages: how they look, and how each leaves once."""
