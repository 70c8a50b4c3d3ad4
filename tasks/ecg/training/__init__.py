"""Builds the ECG network with TensorFlow; serving imports nothing from here."""
