"""The ``tumorboard`` command: its table of commands, and the one place where errors become exit codes.

Why it exists: 0 all done, 2 input refused, 3 some patients failed, 1 our defect. Heavy parts are
imported inside the commands, so that ``--help`` comes at once.
"""

from __future__ import annotations

import io
import sys
import traceback
from pathlib import Path

import typer

from tumorboard import __version__
from tumorboard.cli.deidentify import register_deidentify
from tumorboard.cli.export import register_export
from tumorboard.cli.indices import register_indices
from tumorboard.cli.keyboard import INTERRUPTED, hear_keyboard
from tumorboard.cli.lab import register_lab
from tumorboard.cli.options import register_chain_commands
from tumorboard.cli.radiomics import register_radiomics
from tumorboard.cli.respond import register_respond
from tumorboard.cli.serve import register_serve
from tumorboard.cli.simulate import register_simulate
from tumorboard.cli.tools import register_tools
from tumorboard.cli.train import register_train
from tumorboard.errors import TumorboardError

app = typer.Typer(
    name="tumorboard",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="From a patient's brain MR studies to what a neuro-oncology tumour board needs. "
    "Research software; not a medical device.",
    epilog="Exit codes: 0 all done, 2 input refused, 3 some patients failed, 1 a defect of ours.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tumorboard {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Hold the options that stand before a command."""


register_chain_commands(app)
register_tools(app)
register_simulate(app)
register_deidentify(app)
register_train(app)
register_radiomics(app)
register_respond(app)
register_indices(app)
register_lab(app)
register_export(app)
register_serve(app)


def main() -> None:
    """Run the command line; never ends in a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Unicode loses a sign, not the run
    hear_keyboard()
    try:
        app(prog_name="tumorboard")
    except TumorboardError as error:
        typer.echo(f"tumorboard: {error}", err=True)
        sys.exit(error.exit_code)
    except SystemExit as ended:
        if ended.code == INTERRUPTED:
            typer.echo("tumorboard: stopped; the same command goes on where it was.", err=True)
        raise
    except Exception as error:  # the last line of defence: a defect is named, never shown as a traceback
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        text = f"a defect of ours ({type(error).__name__} at {place}). What is written stays; please report this line."
        typer.echo(f"tumorboard: {text}", err=True)
        sys.exit(1)
