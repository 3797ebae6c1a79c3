"""Answering a C-STORE request: the object is safe, or the sender is told why not.

Why it exists: success is said only when the file and its row are on the disk. A lack of room is said as such, so that
the sender tries later; whatever goes wrong inside is no success either.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from tumorboard.errors import FileFormatError
from tumorboard.serve.data.session import Database
from tumorboard.serve.data.words import Origin
from tumorboard.serve.log import tell
from tumorboard.serve.node.status import Status
from tumorboard.serve.shelf.admit import Admitted, admit
from tumorboard.serve.shelf.files import Shelf
from tumorboard.serve.shelf.header import read_header
from tumorboard.serve.shelf.room import Room
from tumorboard.serve.shelf.rows import Coming


@dataclass(frozen=True)
class Door:
    """Where objects come in.

    Parameters
    ----------
    db, shelf : Database, Shelf
        The department's.
    room : Room
        Whether there is room.
    """

    db: Database
    shelf: Shelf
    room: Room

    def receive(
        self, file: Path, uids: tuple[str, str], *, sender: str = "", origin: Origin = Origin.RECEIVED
    ) -> tuple[Status, Admitted | None]:
        """Take in a received file.

        Parameters
        ----------
        file : Path
            On the shelf's disk; removed if it is not kept.
        uids : (str, str)
            SOP class and instance that the request named.
        sender : str
            Title of who sent it.
        origin : Origin
            Whether it was sent to us, or asked for as an earlier study.

        Returns
        -------
        (Status, Admitted or None)
            What to answer, and what became of the object.
        """
        try:
            if not self.room.has(file.stat().st_size):
                tell("node", "no room", level=logging.WARNING)
                return Status.OUT_OF_RESOURCES, None
            header = read_header(file)
            if (header.sop_class, header.sop_uid) != uids:
                return Status.DOES_NOT_MATCH, None
            done = admit(self.db, self.shelf, file, origin=origin, sender=sender, header=header)
        except FileFormatError:
            tell("node", "object not understood", level=logging.WARNING)
            return Status.NOT_UNDERSTOOD, None
        except Exception as error:  # a full disk, a locked database: the sender keeps its copy and tries again
            tell("node", "object not stored", level=logging.ERROR, error=error)
            return Status.OUT_OF_RESOURCES, None
        finally:
            file.unlink(missing_ok=True)
        if done.reopened or done.coming is Coming.REPLACES:
            tell("node", "object stored", study=done.study_key, coming=done.coming.value, reopened=done.reopened)
        return Status.SUCCESS, done
