"""Backup and restore: one archive of all rows, files and the key that they need, whatever database they stand in.

`python -m deploy.backup save|restore|check|key FILE`; "-" is the standard output or input. Reasons: decisions/0042.
"""
