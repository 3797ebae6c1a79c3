"""The settings file that ``tumorboard serve init`` writes: every key with what it means, at its default.

Why it exists: a file written from the settings themselves cannot fall behind them.
"""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tumorboard.errors import OutputError
from tumorboard.serve.settings import DepartmentSettings, Peer, TlsSettings
from tumorboard.store import write_atomic

FILE = "department.toml"
"""How the file is called in the home folder."""

_TITLE = """\
# A department: what listens where, who may send, what goes out, and how long it is kept.
# Research software; not a medical device. Keys stand at their default behind a # without a space: remove it to change.
"""


def settings_text() -> str:
    """Return the text of a settings file whose home is its own folder.

    Examples
    --------
    >>> [line for line in settings_text().splitlines() if line and not line.startswith("#")][:2]
    ['home = "."', '[node]']
    """
    fields = DepartmentSettings.model_fields
    lines = [_TITLE, f"# {fields['home'].description}", 'home = "."', *_commented("database", fields["database"]), ""]
    for name, field in fields.items():
        part = field.annotation
        if isinstance(part, type) and issubclass(part, BaseModel):
            lines += [f"# {(part.__doc__ or '').splitlines()[0]}", f"[{name}]", *_table(part), ""]
            if "tls" in part.model_fields:
                lines += [f"#[{name}.tls]", *_table(TlsSettings), ""]
    lines += [f"# {(Peer.__doc__ or '').splitlines()[0]}", "#[[peers]]", *_table(Peer)]
    return "\n".join(lines) + "\n"


def write_settings_file(home: Path) -> Path:
    """Write the file into a home folder, which is made if it is not there, and return its path.

    Raises
    ------
    OutputError
        There is one already, or the folder cannot be written.
    """
    path = home / FILE
    if path.exists():
        raise OutputError("a home without settings", got="one that has them", where="home", remedy="edit that file")
    write_atomic(path, settings_text())
    return path


def _table(part: type[BaseModel]) -> list[str]:
    fields = ((n, f) for n, f in part.model_fields.items() if n != "tls" or f.annotation is bool)
    return [line for name, field in fields for line in _commented(name, field)]


def _commented(name: str, field: FieldInfo) -> list[str]:
    default = _toml(field.default) if not field.is_required() and field.default is not None else '""'
    return [f"# {field.description}", f"#{name} = {default}"]


def _toml(value: Any) -> str:
    if isinstance(value, Enum):
        return json.dumps(value.value)
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    return json.dumps(value)
