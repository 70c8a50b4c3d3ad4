"""Benchmarks: each is a module with `main()`, prints a table and writes var/bench/<name>.json."""
