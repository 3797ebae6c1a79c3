"""What every request shares: settings, database, shelf, templates, limits, counters.

Why it exists: one object made when the process starts, and no global; a test makes as many sites as it likes.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from fastapi import Request
from jinja2 import Environment

from tumorboard.serve.data.base import now
from tumorboard.serve.data.session import Database
from tumorboard.serve.settings import DepartmentSettings
from tumorboard.serve.shelf.files import Shelf
from tumorboard.serve.shelf.room import Room
from tumorboard.serve.web.limits import Pace
from tumorboard.serve.web.machines import Machines
from tumorboard.serve.web.metrics import Meters
from tumorboard.serve.web.passwords import Passwords
from tumorboard.serve.web.templating import environment


@dataclass(frozen=True)
class Site:
    """Everything that requests share.

    Parameters
    ----------
    settings, db, shelf : DepartmentSettings, Database, Shelf
        The department's.
    clock : callable
        The present moment; tests set another.
    """

    settings: DepartmentSettings
    db: Database
    shelf: Shelf
    clock: Callable[[], dt.datetime] = now
    room: Room = field(init=False)
    pages: Environment = field(default_factory=environment)
    passwords: Passwords = field(default_factory=Passwords)
    meters: Meters = field(default_factory=Meters)
    machines: Machines = field(default_factory=Machines)
    requests: Pace = field(init=False)
    tries: Pace = field(init=False)
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def __post_init__(self) -> None:
        told = self.settings.web
        made = {
            "room": Room(self.db, self.shelf, self.settings.keep),
            "requests": Pace(told.requests_per_minute, self.clock),
            "tries": Pace(told.logins_per_minute, self.clock),
        }
        for name, value in made.items():
            object.__setattr__(self, name, value)


def site_of(request: Request) -> Site:
    """Return the site that a request came to."""
    return cast(Site, cast(Any, request.app).state.site)
