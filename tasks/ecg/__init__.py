"""Reads an ECG: pictures and recordings in, beats with their classes out. Not a medical device."""
