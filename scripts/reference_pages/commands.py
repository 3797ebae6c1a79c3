"""The page of every command, from the command line's own help."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from inspect import Parameter, signature
from pathlib import Path
from typing import Any, get_args, get_type_hints

import typer

from reference_pages.words import MADE, table
from tumorboard.cli.main import app

KINDS = {Path: "path", str: "text", int: "number"}
"""What the values of options are called, by their Python type."""


def cli() -> list[str]:
    """Return the page of every command, from the command line's own help."""
    group: Any = typer.main.get_command(app)
    out = ["# Commands", "", MADE, "", group.help, ""]
    told: dict[str, str] = {}
    for name, command in _commands(group):
        options = table(("option", "value", "what"), _options(command))
        same = told.setdefault("\n".join(options), name)
        out += [f"## `tumorboard {name}`", "", command.help, ""]
        place = "tumorboard-" + same.replace(" ", "-")
        out += options if same == name else [f"Options are those of [`tumorboard {same}`](#{place}).", ""]
    return [*out, "## Exit codes", "", group.epilog.removeprefix("Exit codes: ").capitalize()]


def _commands(group: Any) -> Iterator[tuple[str, Any]]:
    """Yield every command by its words; those of a group with the group's name before theirs."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from ((f"{name} {inner}", one) for inner, one in _commands(command))
        else:
            yield name, command


def _options(command: Any) -> Iterator[tuple[str, str, str]]:
    hints, given = get_type_hints(command.callback), signature(command.callback).parameters
    for option in command.params:
        if option.name not in given:  # --help
            continue
        kinds = [KINDS[kind] for kind in _leaves(hints[option.name]) if kind in KINDS]
        default = given[option.name].default
        shown = f" Default: `{default}`." if default not in (None, Parameter.empty) else ""
        needed = " Required." if option.required else ""
        is_argument = option.param_type_name == "argument"
        name = f"{option.name.upper()}{'…' if option.nargs == -1 else ''}" if is_argument else ", ".join(option.opts)
        yield f"`{name}`", option.metavar or (kinds or choices(hints[option.name]))[0], f"{option.help}{needed}{shown}"


def choices(hint: Any) -> list[str]:
    """Return the words that an option takes, as one entry; nothing for a flag."""
    found = [leaf for leaf in _leaves(hint) if isinstance(leaf, type) and issubclass(leaf, Enum)]
    return [" ".join(member.value for member in leaf) for leaf in found] or [""]


def _leaves(hint: Any) -> Iterator[Any]:
    """Yield the plain types inside a hint such as ``list[Path] | None``."""
    inner = get_args(hint)
    for part in inner:
        yield from _leaves(part)
    if not inner:
        yield hint
