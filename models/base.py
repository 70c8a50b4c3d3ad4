"""What every table shares: the declarative base, portable column types, ids and the database's clock."""

import json
import operator
import secrets
import time
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Connection, Dialect, ForeignKey, MetaData, String, Text, TypeDecorator, select
from sqlalchemy.dialects.mysql import LONGTEXT
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.schema import CreateTable
from sqlalchemy.sql.compiler import DDLCompiler, SQLCompiler
from sqlalchemy.sql.functions import FunctionElement, ReturnTypeFromArgs

ID = String(28)
LongText = Text().with_variant(LONGTEXT(), "mysql", "mariadb")


class Json(TypeDecorator[Any]):
    """JSON kept as text, because Db2's dialect has no JSON type."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(LONGTEXT() if dialect.name in ("mysql", "mariadb") else Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


class Fixed(TypeDecorator[Decimal]):
    """A decimal kept as a whole number of ten-thousandths, so that every database sums it exactly.

    SQLite has no decimals: it would add up floats. Four digits are enough for all currencies in use, and for grams of
    a kilogram. A sum of such a column is a Decimal again (`total`); values finer than 0.0001, or larger than the
    databases' whole numbers, are refused.
    """

    impl = BigInteger
    cache_ok = True
    ONE = 10_000
    MOST = Decimal(92) * 10**13  # 2**63 ten-thousandths, and a little room

    class comparator_factory(TypeDecorator.Comparator[Decimal]):  # noqa: N801  # SQLAlchemy's name
        """A sum or difference is such a decimal too, so that what it is compared with is scaled like it."""

        def _adapt_expression(self, op: Any, other_comparator: Any) -> Any:
            adapted, kind = super()._adapt_expression(op, other_comparator)
            return adapted, self.type if op in (operator.add, operator.sub) else kind

    def process_bind_param(self, value: Decimal | int | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        whole = Decimal(value) * self.ONE
        if whole != int(whole):
            raise ValueError("an amount finer than 0.0001")
        if abs(whole) > self.MOST * self.ONE:
            raise ValueError("an amount too large to keep")
        return int(whole)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value) / self.ONE


class total(ReturnTypeFromArgs[Any]):  # noqa: N801  # reads as the SQL function it is
    """The sum of whole numbers or of a `Fixed` column, however large it becomes. On SQLite `sum` is an error then.

    There the upper and the lower digits are added up apart: exact while the sum is one of its whole numbers, and
    beyond them the float that SQLite makes of a product too large. The other databases' sums are decimals.
    """

    inherit_cache = True


@compiles(total)
def _sum(element: total, compiler: SQLCompiler, **kw: Any) -> str:
    return f"sum({compiler.process(element.clauses, **kw)})"


@compiles(total, "sqlite")
def _sum_in_halves(element: total, compiler: SQLCompiler, **kw: Any) -> str:
    one = compiler.process(element.clauses, **kw)
    return f"(sum(({one}) >> 32) * 4294967296 + sum(({one}) & 4294967295))"


class Base(DeclarativeBase):
    """All tables, with named constraints so that migrations can drop them on every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {dict[str, Any]: Json}  # noqa: RUF012  # read by SQLAlchemy on the class


class Owned:
    """A row that belongs to a workspace. Sessions narrow every question about it (see session.py)."""

    workspace_id: Mapped[str] = mapped_column(ID, ForeignKey("workspace.id", ondelete="CASCADE"), index=True)


def new_id() -> str:
    """A random id that sorts by time: 14 hex digits of microseconds, 14 of chance. Not to be guessed."""
    return f"{time.time_ns() // 1_000:014x}{secrets.token_hex(7)}"


@compiles(CreateTable, "mysql", "mariadb")
def _tables(element: CreateTable, compiler: DDLCompiler, **kw: Any) -> str:
    """Whatever the server's defaults: transactions, all of Unicode, and keys that differ in case alone are two."""
    text = compiler.visit_create_table(element, **kw).rstrip()  # type: ignore[no-untyped-call]
    return f"{text} ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"


class db_now(FunctionElement[int]):  # noqa: N801  # reads as the SQL function it is
    """The database's own clock in epoch milliseconds, so that machines with other clocks agree on leases."""

    type = BigInteger()
    inherit_cache = True


def clock(session: Session | Connection) -> int:
    """What `db_now` is now, for reckoning outside of a statement."""
    return session.scalar(select(db_now())) or 0


@compiles(db_now, "sqlite")
def _sqlite(element: db_now, compiler: SQLCompiler, **kw: Any) -> str:
    return "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)"


@compiles(db_now, "postgresql")
def _postgresql(element: db_now, compiler: SQLCompiler, **kw: Any) -> str:
    return "CAST(EXTRACT(EPOCH FROM statement_timestamp()) * 1000 AS BIGINT)"


@compiles(db_now, "mysql")
@compiles(db_now, "mariadb")
def _mysql(element: db_now, compiler: SQLCompiler, **kw: Any) -> str:
    return "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) DIV 1000)"


@compiles(db_now, "ibm_db_sa")
def _db2(element: db_now, compiler: SQLCompiler, **kw: Any) -> str:
    utc = "(CURRENT TIMESTAMP - CURRENT TIMEZONE)"
    return (
        f"(BIGINT(DAYS({utc}) - DAYS('1970-01-01')) * 86400000"
        f" + BIGINT(MIDNIGHT_SECONDS({utc})) * 1000 + MICROSECOND({utc}) / 1000)"
    )
