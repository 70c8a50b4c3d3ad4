"""Readings on their way in, as a Parquet file: what a file holds, and later what was written in place of what.

Rows come and go in groups, so that a file of any size takes no more memory than one of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]

WEATHER = -1  # the number of the series of temperatures
MEDIA_TYPE = "application/vnd.apache.parquet"


@dataclass(frozen=True, slots=True)
class Group:
    """Some readings of one series.

    Attributes:
        series: its number in the import.
        times: [n] epoch seconds, rising; values: [n] mWh (of WEATHER: hundredths of a degree).
        old: [n] what stood there before; had: [n] whether anything did.
    """

    series: int
    times: "Whole"
    values: "Whole"
    old: "Whole"
    had: "NDArray[np.bool_]"


def group(series: int, times: "Whole", values: "Whole") -> Group:
    """Readings of which it is not known yet what stood there before."""
    import numpy as np

    return Group(series, times, values, np.zeros(len(times), np.int64), np.zeros(len(times), bool))


class Writer:
    """Writes groups to a file; use it as a context."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        fields = [("series", pa.int16()), ("time", pa.int64()), ("value", pa.int64()), ("old", pa.int64())]
        self.schema = pa.schema(fields)
        self._file = pq.ParquetWriter(path, self.schema, compression="zstd")

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *_given: object) -> None:
        self._file.close()

    def add(self, rows: Group) -> None:
        if len(rows.times):
            self._file.write_batch(self._batch(rows))

    def _batch(self, rows: Group) -> "pa.RecordBatch":
        import numpy as np
        import pyarrow as pa

        columns = [
            pa.array(np.full(len(rows.times), rows.series, np.int16)),
            pa.array(rows.times),
            pa.array(rows.values),
            pa.array(rows.old, mask=~rows.had),
        ]
        return pa.record_batch(columns, schema=self.schema)


def read(path: Path) -> Iterator[tuple[float, Group]]:
    """Each group, with the share of the file that was read before it."""
    import numpy as np
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        count = file.num_row_groups
        for number in range(count):
            table = file.read_row_group(number)
            old = table.column("old")
            yield (
                number / count,
                Group(
                    series=int(table.column("series")[0].as_py()),
                    times=table.column("time").to_numpy().astype(np.int64),
                    values=table.column("value").to_numpy().astype(np.int64),
                    old=old.fill_null(0).to_numpy().astype(np.int64),
                    had=old.is_valid().to_numpy(),
                ),
            )
