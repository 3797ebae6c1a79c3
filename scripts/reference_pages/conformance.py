"""The DICOM conformance statement, asked of the running code: the node's own entity, routes, and objects made here.

Headings follow the template of PS3.2 in short: overview, networking, media, character sets, security, annexes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydicom.uid import UID
from pynetdicom import sop_class

from reference_pages import conformance_words as words
from reference_pages.dicom_objects import coded_by, made_objects, private_of
from reference_pages.dicomweb import matching_keys, transactions
from reference_pages.words import MADE, section, table
from tumorboard import __version__
from tumorboard.serve import settings
from tumorboard.serve.node.call import ECHO_CONTEXTS, requesting
from tumorboard.serve.node.priors import FIND_CONTEXTS, MOVE_CONTEXTS, get_contexts
from tumorboard.serve.node.server import entity
from tumorboard.serve.node.status import Status
from tumorboard.serve.sending.commitment import COMMITMENT_CONTEXTS
from tumorboard.serve.sending.store import store_contexts
from tumorboard.serve.web.dicomweb.asked import MOST, USUAL
from tumorboard.serve.web.dicomweb.frames import KINDS

TOLD = settings.DepartmentSettings(home=Path("home"))
"""A department at its defaults."""

MANY = 10
"""From so many transfer syntaxes on they stand in an annex."""

Context = tuple[str, tuple[str, ...], str]
"""A SOP class, its transfer syntaxes, and our role."""


def conformance() -> list[str]:
    """Return the page."""
    parts = (_overview, _model, _policies, _initiation, _acceptance, _configuration, _rest, _annexes, _classes)
    head = ["# DICOM conformance statement", "", MADE, "", words.INTRODUCTION, ""]
    return [*head, *(line for part in parts for line in part())][:-1]


@lru_cache(maxsize=1)
def proposed() -> dict[str, list[Context]]:
    """Return what our asking entity proposes for each activity."""
    objects = store_contexts((made.sop_class, made.transfer_syntax) for made in made_objects())
    told: dict[str, tuple[Any, bool]] = {
        "verify": (ECHO_CONTEXTS, False),
        "find": (FIND_CONTEXTS, False),
        "get": (get_contexts(), True),
        "move": (MOVE_CONTEXTS, False),
        "return results": (objects, False),
        "ask for commitment": (COMMITMENT_CONTEXTS, False),
    }
    return {name: list(_proposed(contexts, serves)) for name, (contexts, serves) in told.items()}


def _proposed(contexts: Iterable[tuple[str, list[str]]], serves: bool) -> Iterator[Context]:
    ae, roles = requesting(TOLD, contexts, serves=serves)
    turned = {str(role.sop_class_uid) for role in roles}
    for context in ae.requested_contexts:
        uid = str(context.abstract_syntax)
        yield uid, tuple(map(str, context.transfer_syntax)), "SCP" if uid in turned else "SCU"


@lru_cache(maxsize=1)
def accepted() -> list[Context]:
    """Return what our listening entity takes; where the caller may be SCP alone, it reports to us."""
    return [
        (str(c.abstract_syntax), tuple(map(str, c.transfer_syntax)), "SCU" if c.scu_role is False else "SCP")
        for c in entity(TOLD, listening=True).supported_contexts
    ]


def name_of(uid: str) -> str:
    """Return the name of a UID; of classes that are too new for the dictionary by the library's own word."""
    named = UID(uid).name
    if named != uid:
        return named.replace(" - ", " ")
    keyword = next((k for k, v in vars(sop_class).items() if v == uid), uid)
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", keyword)


# --- 1 and 2 ----------------------------------------------------------------------------------------------------


def _overview() -> list[str]:
    asked = dict.fromkeys(uid for contexts in proposed().values() for uid, _, role in contexts if role == "SCU")
    scp = {uid for uid, _, role in accepted() if role == "SCP"}
    rows = [(name_of(uid), f"`{uid}`", "yes", "yes" if uid in scp else "") for uid in asked]
    rows += [("other storage classes", f"{len(scp - set(asked))}, see 7.4", "", "yes")]
    counted = Counter(t.service for t in transactions())
    web = [(service, f"{count} transactions, see 7.3", "", "yes") for service, count in counted.items()]
    web += [("STOW-RS, to a peer", "results, where the rule says so", "yes", "")]
    return [
        *section("1 Overview", "", ("SOP class", "UID", "SCU", "SCP"), rows),
        *table(("web service", "what", "user agent", "origin server"), web),
        *("Media: none.", ""),
    ]


def _model() -> list[str]:
    head = ("who asks whom", "operation", "why")
    return ["## 2 Networking", "", "### 2.1 Implementation model", "", words.MODEL, "", *table(head, words.FLOW)]


def _policies() -> list[str]:
    ae, name = entity(TOLD, listening=True), "implementation version name"
    rows = (
        ("application context", "`1.2.840.10008.3.1.1.1`"),
        (
            "associations taken at one time",
            f"{ae.maximum_associations} (`node.max_associations`), then rejected",
        ),
        ("associations opened at one time", "one by each worker, one by the node"),
        ("outstanding operations", "1 (asynchronous operations are not negotiated)"),
        ("largest PDU taken", f"{ae.maximum_pdu_size} bytes"),
        ("silence that ends an association", f"{ae.network_timeout:g} s (`node.idle_seconds`)"),
        ("wait for the answer to a proposal", f"{ae.acse_timeout:g} s at most"),
        ("implementation class UID", f"`{ae.implementation_class_uid}`"),
        (name, f"`{str(ae.implementation_version_name).replace(__version__, '')}` and the version"),
        ("extended negotiation", "roles (SCP/SCU selection); no user identity"),
    )
    return ["### 2.2 Association policies", "", *table(("what", "value"), rows)]


def _initiation() -> list[str]:
    rows: list[tuple[str, ...]] = []
    for activity, contexts in proposed().items():
        rows += [(activity, f"{name_of(u)} `{u}`", role, _named(s)) for u, s, role in contexts if role == "SCU"]
        turned = Counter(s for _, s, role in contexts if role == "SCP")
        rows += [(activity, f"{n} storage classes, see 7.4", "SCP", _named(s)) for s, n in turned.items()]
    return [
        *("### 2.3 Associations that are opened", ""),
        *table(("activity", "SOP class", "role", "transfer syntaxes"), rows),
        *table(("activity", "what is made of the answers"), words.HEARD),
        *(words.SEARCHES, ""),
    ]


def _acceptance() -> list[str]:
    kinds: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for uid, syntaxes, role in accepted():
        kinds.setdefault((syntaxes, role), []).append(uid)
    rows = [
        (f"{name_of(u[0])} `{u[0]}`" if len(u) == 1 else f"{len(u)} storage classes, see 7.4", role, _named(s))
        for (s, role), u in sorted(kinds.items(), key=lambda kind: -len(kind[1]))
    ]
    answers = ((f"`{int(status):04X}`", words.ANSWERS[status]) for status in Status)
    return [
        *("### 2.4 Associations that are taken", ""),
        *table(("SOP class", "role", "transfer syntaxes"), rows),
        *(words.ACCEPTANCE, *table(("status", "meaning"), answers)),
    ]


def _configuration() -> list[str]:
    parts = {"node": settings.NodeSettings, "peers": settings.Peer, "priors": settings.PriorsSettings}
    parts |= {"returning": settings.ReturningSettings, "keep": settings.KeepSettings}
    rows = []
    for part, model in {**parts, "node.tls": settings.TlsSettings}.items():
        for name, field in model.model_fields.items():
            if name != "tls" or field.annotation is bool:
                default = "" if field.is_required() or field.default is None else _plain(field.default)
                rows.append((f"`{part}.{name}`", default, field.description))
    head = ("key of `department.toml`", "default", "meaning")
    return ["### 2.5 Interfaces and configuration", "", words.INTERFACES, "", *table(head, rows)]


# --- 3 to 7 -----------------------------------------------------------------------------------------------------


def _rest() -> list[str]:
    told = {"3 Media interchange": "None.", "4 Transformation of DICOM to CDA": "None."}
    told |= {"5 Character sets": words.CHARACTERS, "6 Security": words.SECURITY}
    return [line for title, text in told.items() for line in (f"## {title}", "", text, "")]


def _annexes() -> list[str]:
    made = ((m.kind, f"{name_of(m.sop_class)} `{m.sop_class}`", m.about) for m in made_objects())
    (syntax,) = {m.transfer_syntax for m in made_objects()}
    kinds = ", ".join(f"`{kind}`" for kind in dict.fromkeys(KINDS.values()))
    schemes, private = ", ".join(f"`{scheme}`" for scheme in coded_by()), ", ".join(private_of()) or "none"
    rows = ((t.service, t.method, f"`{t.path}`", t.what, t.role) for t in transactions())
    return [
        *("## 7 Annexes", "", "### 7.1 Objects that are made", "", words.OBJECTS.format(syntax=_named((syntax,))), ""),
        *table(("kind", "SOP class", "says of itself"), made),
        *("### 7.2 Codes and private attributes", ""),
        *(f"Coding schemes: {schemes}. Private attributes of ours: {private}.", ""),
        *("### 7.3 Web services", "", words.WEB.format(kinds=kinds, usual=USUAL, most=MOST), ""),
        *table(("service", "method", "path", "what it does", "least role"), rows),
        *("Matched in searches:", ""),
        *table(("attribute", "tag", "matching", "from level"), matching_keys()),
    ]


def _classes() -> list[str]:
    classes = sorted((name_of(u), u) for u, s, role in accepted() if role == "SCP" and len(s) >= MANY)
    syntaxes = sorted({s for _, some, _ in accepted() for s in some}, key=lambda uid: [int(n) for n in uid.split(".")])
    get = {uid for uid, _, role in proposed()["get"] if role == "SCP"}
    return [
        *("### 7.4 Storage classes that are taken", "", "Those that a peer may send during C-GET are marked.", ""),
        *table(("SOP class", "UID", "C-GET"), ((n, f"`{u}`", "yes" if u in get else "") for n, u in classes)),
        *("### 7.5 Transfer syntaxes in which they are taken", ""),
        *table(("transfer syntax", "UID"), ((name_of(u), f"`{u}`") for u in syntaxes)),
    ]


def _named(syntaxes: tuple[str, ...]) -> str:
    if len(syntaxes) >= MANY:
        return f"{len(syntaxes)}, see 7.5"
    return ", ".join(name_of(uid) for uid in syntaxes)


def _plain(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(getattr(v, "value", v)) for v in value)
    return str(value).lower() if isinstance(value, bool) else str(getattr(value, "value", value))
