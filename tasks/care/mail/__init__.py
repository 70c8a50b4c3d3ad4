"""Reading mail that others wrote: pure, bounded, and never an exception, whatever the bytes are."""
