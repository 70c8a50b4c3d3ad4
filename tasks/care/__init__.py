"""Customer care: tickets, their clock, assignment, letters, assistant and figures, shared by jobs and pages."""
