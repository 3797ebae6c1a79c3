"""Filling in a page for a visitor.

Why it exists: every page knows who looks, which token its forms bring, and where it stands; no page forgets the banner.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse

from tumorboard.serve.data.words import Role
from tumorboard.serve.web.logins import Visitor
from tumorboard.serve.web.site import Site, site_of

TheSite = Annotated[Site, Depends(site_of)]
"""Parameter of a route: what requests share."""

NAVIGATION = (
    ("worklist", "/worklist", "Worklist", Role.READER),
    ("surveillance", "/surveillance", "Surveillance", Role.READER),
    ("audit", "/audit", "Audit", Role.ADMIN),
    ("settings", "/settings", "Settings", Role.ADMIN),
)
"""Name, address and words of the pages that are always in reach, and who sees them."""


def show(request: Request, template: str, visitor: Visitor, **said: Any) -> HTMLResponse:
    """Return a page.

    Parameters
    ----------
    request : Request
        What is answered.
    template : str
        Name of the template.
    visitor : Visitor
        Who looks.
    said : Any
        What the page shows; everything is escaped.
    """
    site = site_of(request)
    places = [(name, where, words) for name, where, words, least in NAVIGATION if visitor.may(least)]
    page = site.pages.get_template(template)
    return HTMLResponse(page.render(visitor=visitor, places=places, now=site.clock(), **said))
