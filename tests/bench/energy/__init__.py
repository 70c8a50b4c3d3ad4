"""`make bench-energy`: forecasts, anomalies, imports and storage, each beside its peers.

A section is a module here with `measure(quick) -> dict` (its figures, plain JSON) and `lines(figures) -> list[str]`
(how they are printed). `KEY`, where it has one, is its key in var/bench/energy.json instead of its name.
"""
