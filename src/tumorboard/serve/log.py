"""What the department's processes say while they run: JSON lines that identify nobody.

Why it exists: logs are read by those who keep machines running, and copied to places that patients' data must not
reach. So only keys, counts and words of ours are written, and what libraries say of their messages is silenced.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import logging.handlers
from pathlib import Path

ROOT = "tumorboard.serve"
_FOREIGN = ("pynetdicom", "pydicom", "sqlalchemy", "huey", "httpx", "httpcore", "dicomweb_client", "py.warnings")
_BYTES, _KEPT = 16 * 2**20, 5


class JsonLines(logging.Formatter):
    """One JSON object a line: moment, part, level, event, and what belongs to it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; of an error only its type and place are told."""
        said: dict[str, object] = {
            "at": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "part": record.name.removeprefix(f"{ROOT}."),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        said |= getattr(record, "said", {})
        if record.exc_info and record.exc_info[0] is not None:
            said["error"] = record.exc_info[0].__name__
            trace = record.exc_info[2]
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            if trace is not None:
                said["where"] = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        return json.dumps(said, ensure_ascii=False)


def tell(
    part: str, event: str, *, level: int = logging.INFO, error: BaseException | None = None, **said: object
) -> None:
    """Write one line.

    Parameters
    ----------
    part : str
        ``node``, ``worker``, ``web`` or ``serve``.
    event : str
        Words of ours, the same each time.
    level : int
        Of :mod:`logging`.
    error : BaseException, optional
        Its type and place are told, never its message.
    said : object
        Keys and counts; never an identifier.

    Examples
    --------
    >>> tell("node", "object stored", study="a1b2c3d4e5f60718")
    """
    logging.getLogger(f"{ROOT}.{part}").log(level, event, extra={"said": said}, exc_info=error)


def set_up_logs(folder: Path, part: str) -> None:
    """Write the lines of this process into a file of its part, and silence the libraries.

    Parameters
    ----------
    folder : Path
        Made if it is not there; files are turned over when they are large.
    part : str
        Names the file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(folder / f"{part}.jsonl", maxBytes=_BYTES, backupCount=_KEPT)
    handler.setFormatter(JsonLines())
    ours = logging.getLogger(ROOT)
    for old in list(ours.handlers):
        ours.removeHandler(old)
        with contextlib.suppress(OSError):
            old.close()
    ours.addHandler(handler)
    ours.setLevel(logging.INFO)
    ours.propagate = False
    logging.captureWarnings(True)  # warnings of libraries name values; a filter would be lost between threads
    silence()


def silence() -> None:
    """Silence libraries whose messages repeat what is in a header."""
    for name in _FOREIGN:
        logger = logging.getLogger(name)
        if logger.level <= logging.CRITICAL:
            logger.setLevel(logging.CRITICAL + 1)
