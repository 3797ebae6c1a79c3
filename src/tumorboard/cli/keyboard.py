"""Stopping from the keyboard, also where Python loses the key.

Why it exists: an interrupt that falls into a finaliser, or into a library that clears whatever error it meets, is
swallowed, and the command runs on. It is remembered here, and the command stops at its next stage; what Python prints
about the swallowed one ("Exception ignored in ...") says nothing to a user and is left out.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

INTERRUPTED = 130
"""What a command that is stopped from the keyboard ends with, as everywhere in Unix."""

_asked: list[bool] = []


def hear_keyboard() -> None:
    """Remember an interrupt as well as raising it; where interrupts are ignored (``nohup``), they stay so."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
        sys.unraisablehook = _without_keys(sys.unraisablehook)


def _interrupt(number: int, frame: FrameType | None) -> None:
    _asked.append(True)
    signal.default_int_handler(number, frame)


def _without_keys(hook: Callable[[UnraisableHookArgs], object]) -> Callable[[UnraisableHookArgs], object]:
    def told(unraisable: UnraisableHookArgs) -> None:
        if not issubclass(unraisable.exc_type, KeyboardInterrupt):
            hook(unraisable)

    return told


def stop_if_asked() -> None:
    """Raise an interrupt that was swallowed.

    Raises
    ------
    KeyboardInterrupt
        One was heard.

    Examples
    --------
    >>> stop_if_asked()
    """
    if _asked:
        _asked.clear()
        raise KeyboardInterrupt
