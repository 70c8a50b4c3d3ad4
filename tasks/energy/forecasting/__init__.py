"""Candidates, chosen by how they did on the series' own past, within a budget of time; honest intervals."""
