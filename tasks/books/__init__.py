"""Keeping the books: what the expense pages, the imports and the scan of the budgets share."""
