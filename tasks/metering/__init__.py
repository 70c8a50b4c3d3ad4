"""Meters, their readings, tariffs and the weather: what the jobs and pages of electricity share."""
