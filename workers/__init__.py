"""Celery, and everything that touches the outside. Task is Celery's word and appears only here."""
