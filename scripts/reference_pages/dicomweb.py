"""What the web application offers of DICOM's web services, asked of its routes and of their doors."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import lru_cache

from tumorboard.serve.web.app import BESIDE, ROUTERS
from tumorboard.serve.web.dicomweb.attributes import LEVELS, MODALITIES
from tumorboard.serve.web.doors import MACHINES, checked_routes, door_of

SERVICES = {
    "tumorboard.serve.web.dicomweb.qido": "QIDO-RS (search, PS3.18 10.6)",
    "tumorboard.serve.web.dicomweb.wado": "WADO-RS (retrieve, PS3.18 10.4)",
    "tumorboard.serve.web.dicomweb.pictures": "WADO-RS (rendered, PS3.18 10.4)",
    "tumorboard.serve.web.dicomweb.stow": "STOW-RS (store, PS3.18 10.5)",
    "tumorboard.serve.ups.http": "UPS-RS (worklist, PS3.18 11)",
}
"""The service of each module whose routes lie below the path of DICOM's web services."""


@dataclass(frozen=True)
class Transaction:
    """A route: its service, method, path below the root, what it does, and who may."""

    service: str
    method: str
    path: str
    what: str
    role: str


@lru_cache(maxsize=1)
def transactions() -> list[Transaction]:
    """Return every route below the path of DICOM's web services, in the order of their services."""
    routers = [importlib.import_module(name).router for name in (*ROUTERS, *BESIDE)]
    found = []
    for route in checked_routes(routers):
        if route.path.startswith(MACHINES):
            door, what = door_of(route), (route.endpoint.__doc__ or "").strip().splitlines()[0]
            role = door.least.value if door is not None and door.least is not None else "anybody"
            methods = ", ".join(sorted(route.methods))
            path = route.path.removeprefix(MACHINES)
            found.append(Transaction(SERVICES[route.endpoint.__module__], methods, path, what, role))
    order = list(SERVICES.values())
    return sorted(found, key=lambda t: order.index(t.service))


def matching_keys() -> list[tuple[str, str, str, str]]:
    """Return the attributes that a search matches: keyword, tag, how, and from which level on."""
    how = {"uid": "UID, list of UIDs", "text": "wildcards", "name": "wildcards, any case", "range": "range"}
    how["whole"] = "single value"
    rows, known = [("ModalitiesInStudy", MODALITIES, "single value", "studies")], {MODALITIES}
    for level, attributes in LEVELS.items():
        for attribute in attributes:
            if attribute.tag not in known:
                known.add(attribute.tag)
                rows.append((attribute.keyword, attribute.tag, how[attribute.match], level))
    return [(k, f"({t[:4]},{t[4:]})", h, level) for k, t, h, level in rows]
