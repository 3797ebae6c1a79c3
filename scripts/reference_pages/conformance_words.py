"""What the conformance statement says in words; everything that is counted or listed is asked of the code."""

from __future__ import annotations

from tumorboard.serve.node.status import Status

INTRODUCTION = """\
The department of tumorboard (`tumorboard serve`). Research software; not a medical device. Contexts are those of the
node's own application entity, routes those of its web application, and what is said of results was read from objects
made for this page. The order is that of PS3.2, in short."""

MODEL = """\
One application entity: the node listens, the node and the workers ask, all under one title. A study is complete after
a time without objects (`node.quiet_seconds`), and when as many are there as the PACS counts."""

FLOW = (
    ("scanner or PACS → node", "C-ECHO, C-STORE", "what comes is kept; its study is worked on when it is complete"),
    ("node → PACS", "C-FIND", "how many objects the PACS has of a study, to know when it is complete"),
    ("worker → PACS", "C-FIND, C-GET or C-MOVE", "earlier studies of the patient, before a study is worked on"),
    ("PACS → node", "C-STORE", "those that a worker asked for by C-MOVE"),
    ("worker → PACS", "C-STORE or STOW-RS", "results, by a rule that is off until a peer is named"),
    ("worker → PACS", "N-ACTION", "commitment to results, where it is switched on"),
    ("PACS → worker or node", "N-EVENT-REPORT", "its answer, over either side's connection"),
)

HEARD = (
    ("find", "`FF00`, `FF01`: one more match; anything else but `0000` is told, and the study goes on without"),
    ("get, move", "`0000`, `B000` (some objects failed): what came is used; anything else is told, the study goes on"),
    ("move", "the destination is our own title, which the peer must know with address and port; what comes of a study"
             " that was asked for, or names us as the move's originator, is an earlier one, not worked on by itself"),
    ("return results", "`0000`, `B0xx`: the peer has it; anything else: tried again with growing waits, then shown"),
    ("ask for commitment", "other than `0000`: likewise; an object that is not committed to is marked as refused"),
)  # fmt: skip

SEARCHES = """\
Searches are made at study level of the Study Root, by `PatientID` and `StudyDate`, or by `StudyInstanceUID`; asked
back are `StudyTime`, `ModalitiesInStudy`, `IssuerOfPatientID`, `NumberOfStudyRelatedInstances`. Matches of another
patient, issuer or modality are left out here too."""

ACCEPTANCE = """\
Of the transfer syntaxes that a caller proposes in a context the first of ours is taken: explicit little endian before
all. Rejected are another called title; a calling title that is not listed, where there is a list; more connections
than allowed. Private classes are not taken. An object is kept as it came, bit by bit. The same object again changes
nothing; another content under its UIDs takes its place; a late object opens its study again. C-STORE is answered with:
"""

ANSWERS = {
    Status.SUCCESS: "its file and its row are on the disk; said of a duplicate too",
    Status.OUT_OF_RESOURCES: "no room (quota or disk), or it could not be kept: send it again later",
    Status.DOES_NOT_MATCH: "class or instance of the request are not those of the data set",
    Status.NOT_UNDERSTOOD: "no data set that can be read, or one without good UIDs of study, series and instance",
}
"""What each status of C-STORE means; one for each that the node knows."""

INTERFACES = """\
DICOM upper layer over TCP, IPv4 or IPv6, TLS where told; HTTP/1.1. Titles have 1 to 16 characters and no backslash
(PS3.5 6.2, AE); ours is checked when we are called, case counts. Peers stand in the settings with title, address and
port; nothing is learnt from the network."""

CHARACTERS = """\
Objects that come are read in every character set that pydicom decodes, with and without code extensions, and kept as
they came. Texts that we write are plain ASCII; beside a patient's name in another set, objects name the set of their
source. Searches are sent in `ISO_IR 192`; web services speak UTF-8."""

SECURITY = """\
TLS 1.2 or later (PS3.15 B.12, BCP 195) for DIMSE and HTTP, with certificates of ours; where an authority is given each
side of a DIMSE connection must show a certificate signed by it. Without settings everything listens on this machine
alone: the node takes another address only with a list of calling titles, the pages only with TLS. Web services ask for
a log-in (HTTP Basic below their root, or the session of a browser) and a role; tries, requests and bodies are limited.
Who saw or changed what stands in a table that the database itself protects. User identity negotiation, digital
signatures and audit messages by syslog are not there."""

OBJECTS = """\
In the study they speak of, in series of their own, in {syntax}. UIDs are below `2.25` and follow from input, settings
and versions: the same work makes the same objects. Results that were superseded are never sent again, and never
deleted from a peer."""

WEB = """\
Below `/dicomweb`. JSON is `application/dicom+json`; objects are `application/dicom`, as they lie or in explicit little
endian; frames are plain or as they were compressed ({kinds}); pictures are JPEG or PNG. A search returns {usual}
results unless told, {most} at most. Payloads of UPS-RS are JSON; subscriptions are answered 501."""
