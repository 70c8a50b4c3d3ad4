"""`make bench-energy`: ARGS=--quick takes a part of everything, ARGS='--only m4,victoria' some sections."""

from tests.bench import sections

SECTIONS = ("m4", "victoria", "anomalies", "imports", "storage", "nightly")
PACKAGES = ("numpy", "scipy", "statsmodels", "scikit-learn", "pandas", "sqlalchemy")

if __name__ == "__main__":
    sections.run("tests.bench.energy", SECTIONS, PACKAGES)
