"""Writes a meter's readings, use or forecast into a file with typed columns: Parquet, or a Tableau extract."""
