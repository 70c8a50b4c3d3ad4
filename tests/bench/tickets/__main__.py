"""`make bench-tickets`: ARGS=--quick takes a part of everything, ARGS='--only sqlite,scan' some sections."""

from tests.bench import sections

SECTIONS = ("working", "scan", "sqlite", "postgresql", "agents", "assistant")
PACKAGES = ("numpy", "scikit-learn", "sqlalchemy", "flask", "gunicorn")

if __name__ == "__main__":
    sections.run("tests.bench.tickets", SECTIONS, PACKAGES)
