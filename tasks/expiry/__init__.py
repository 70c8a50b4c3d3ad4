"""The scan of dates: what expires soon, or has expired, and is still there."""
