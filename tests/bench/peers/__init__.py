"""The peers of `make bench-engine`: one module a system, each with its worker's app, its commands and its sender.

Every module has `commands(prefetch) -> list of commands` (what makes two worker processes), `SENDER` (how a client
hands work over) and runs the very same two functions of `tests.bench.peers.work`. Settings come from the environment.
"""
