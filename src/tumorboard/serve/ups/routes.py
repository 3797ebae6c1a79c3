"""The worklist (UPS-RS) of this department, with its doors: every reader may ask for work and do it.

Why it exists: the transactions themselves know nothing of users and databases; here they meet.
"""

from __future__ import annotations

from fastapi import Request

from tumorboard.serve.data.words import Role
from tumorboard.serve.ups.database import DatabaseWorklist
from tumorboard.serve.ups.http import make_router
from tumorboard.serve.ups.service import UpsService
from tumorboard.serve.web.doors import Door
from tumorboard.serve.web.site import site_of


def service_of(request: Request) -> UpsService:
    """Return the worklist service of the department that a request came to."""
    site = site_of(request)
    return UpsService(DatabaseWorklist(site.db), site.clock)


router = make_router(
    service_of, Door(Role.READER, "work items asked for"), Door(Role.READER, "work item changed"), "/dicomweb"
)
"""Below ``/dicomweb``, where software may send its name and password with each request."""
