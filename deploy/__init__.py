"""Settings, processes and decisions: how Nightshift is put to work."""
