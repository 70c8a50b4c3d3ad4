"""Electricity: forecasts, anomalies, advice."""
