"""The scan of the inventory: what is sold, how long it lasts, what to order and of what to warn."""
