"""The base of all tables, and times that know their zone.

Why it exists: SQLite keeps no zone, PostgreSQL does; both must give back the moment that was put in.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, Enum, MetaData, TypeDecorator
from sqlalchemy.orm import DeclarativeBase

NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Moment(TypeDecorator[dt.datetime]):
    """A moment in universal time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Turn a moment into universal time, without its zone for SQLite."""
        if value is None:
            return None
        moment = value.astimezone(dt.UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Give a moment its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


_WORD = Enum(StrEnum, native_enum=False, length=16, values_callable=lambda kind: [word.value for word in kind])


class Base(DeclarativeBase):
    """Base of all tables; an enumeration is kept as its word."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        dt.datetime: Moment,
        dict[str, Any]: JSON,
        list[Any]: JSON,
        list[str]: JSON,
        StrEnum: _WORD,
    }


def now() -> dt.datetime:
    """Return this moment, in universal time.

    Examples
    --------
    >>> now().tzinfo is dt.UTC
    True
    """
    return dt.datetime.now(dt.UTC)
