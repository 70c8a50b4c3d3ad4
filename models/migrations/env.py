"""Alembic's entry point: it migrates the database that it is told of, else the one in the settings."""

from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.ddl.impl import DefaultImpl
from sqlalchemy import create_engine, pool

import models  # its tables
import models.session  # noqa: F401  # a new SQLite file is private
from models import full_text
from models.base import Base, Json


class Db2Impl(DefaultImpl):
    """Alembic knows no Db2; the default does for CREATE and ADD."""

    __dialect__ = "ibm_db_sa"


def url() -> str:
    given = context.config.attributes.get("url")
    if given:
        return str(given)
    from deploy.settings import settings  # the command line's way in: `alembic upgrade head`

    return settings().database


def render_item(kind: str, item: object, autogen: AutogenContext) -> str | Literal[False]:
    """Our own column type in a migration's text."""
    if kind == "type" and isinstance(item, Json):
        autogen.imports.add("from models.base import Json")
        return "Json()"
    return False


def include_name(name: str | None, kind: str, _parents: object) -> bool:
    """Full text is each database's own, and no model's."""
    return not full_text.unmapped(name, kind)


def online() -> None:
    engine = create_engine(url(), poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=True,
            compare_type=True,
            render_item=render_item,
            include_name=include_name,
        )
        with context.begin_transaction():
            context.run_migrations()


def offline() -> None:
    context.configure(url=url(), target_metadata=Base.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


(offline if context.is_offline_mode() else online)()
