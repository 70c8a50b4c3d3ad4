"""What scans found, who is to be told of it, and when."""
