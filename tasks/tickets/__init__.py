"""The scan of customer care: marks of deadlines, tickets that nobody takes or everybody forgot, and closing."""
