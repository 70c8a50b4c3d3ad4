"""Tables as files with typed columns: times are moments, energies 64-bit floats, flags booleans.

Parquet keeps unit, zone and meter in its metadata as well. Some days are in memory at a time, whatever the file's size.
"""

import importlib.util
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from tasks.metering.exporting import Table

if TYPE_CHECKING:
    import pyarrow as pa

PARQUET, HYPER = "parquet", "hyper"
FORMATS = {PARQUET: "Parquet", HYPER: "Tableau (.hyper)"}
TYPES = {PARQUET: "application/vnd.apache.parquet", HYPER: "application/octet-stream"}
NO_HYPER = (
    "Tableau extracts need a library that is not installed where the workers run; ask for Parquet. Whoever runs "
    "Nightshift can install it: pip install --no-deps --require-hashes -r requirements/hyper.txt"
)


def missing(format: str) -> str:
    """Why no file of this format can be written here; "" where one can."""
    return NO_HYPER if format == HYPER and not importlib.util.find_spec("pantab") else ""


def write(format: str, table: Table, path: Path) -> None:
    """
    Raises:
        ImportError: the library for it is not installed; see `missing`.
    """
    {PARQUET: _parquet, HYPER: _hyper}[format](table, path)


def _parquet(table: Table, path: Path) -> None:
    """A row group for each stretch of days."""
    import pyarrow.parquet as pq

    schema = _schema(table)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in _batches(table, schema):
            writer.write_batch(batch)


def _hyper(table: Table, path: Path) -> None:
    """One table, called as its content. Tableau knows no zones, so its times are those of the wall's clock."""
    import pantab
    import pyarrow as pa

    schema, zone = _schema(table), ZoneInfo(table.zone)
    walls = schema.set(0, pa.field("time", pa.timestamp("us"), nullable=False))

    def on_the_wall() -> "Iterator[pa.RecordBatch]":
        for batch in _batches(table, schema):
            times = [datetime.fromtimestamp(at, zone).replace(tzinfo=None) for at in batch[0].cast("int64").to_pylist()]
            yield pa.record_batch([pa.array(times, pa.timestamp("us")), *batch.columns[1:]], schema=walls)

    reader = pa.RecordBatchReader.from_batches(walls, on_the_wall())
    pantab.frame_to_hyper(reader, path, table=table.what)


def _schema(table: Table) -> "pa.Schema":
    import pyarrow as pa

    kinds: list[Any] = [pa.timestamp("s", tz=table.zone)]
    kinds += [pa.bool_() if name == "filled" else pa.float64() for name in table.columns[1:]]
    fields = [pa.field(name, kind, nullable=False) for name, kind in zip(table.columns, kinds, strict=True)]
    told = {"unit": table.unit, "time_zone": table.zone, "meter": table.meter, "kind": table.kind}
    return pa.schema(fields, metadata={**told, "content": table.what, "written_by": "Nightshift"})


def _batches(table: Table, schema: "pa.Schema") -> "Iterator[pa.RecordBatch]":
    import pyarrow as pa

    for columns in table.rows:
        arrays = [pa.array(column, type=field.type) for column, field in zip(columns, schema, strict=True)]
        yield pa.record_batch(arrays, schema=schema)
