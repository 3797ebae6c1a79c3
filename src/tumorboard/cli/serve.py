"""``serve``: the department, as a whole or one process of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tumorboard.serve.data.session import Database
    from tumorboard.serve.settings import DepartmentSettings

_serve = typer.Typer(
    name="serve",
    help="The department: a DICOM node, workers and pages beside a PACS.",
    invoke_without_command=True,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Settings = Annotated[Path, typer.Option("--settings", "-s", help="TOML file of the department.", show_default=False)]
MaybeSettings = Annotated[
    Path | None, typer.Option("--settings", "-s", help="TOML file of the department.", show_default=False)
]
Home = Annotated[Path, typer.Argument(help="Folder of everything that is kept.", show_default=False)]
Kept = Annotated[Path, typer.Option("--out", "-o", help="New file, outside the home folder.", show_default=False)]
Archive = Annotated[Path, typer.Argument(help="File that backup wrote.", show_default=False)]
WrongPatient = Annotated[str, typer.Argument(help="Key of the patient who is none of their own.", show_default=False)]
RightPatient = Annotated[str, typer.Argument(help="Key of the patient they are.", show_default=False)]
StudyKey = Annotated[str, typer.Argument(help="Key of the study, as `status` shows it.", show_default=False)]


@_serve.callback()
def _all(context: typer.Context, settings: MaybeSettings = None) -> None:
    """Run node, workers and pages until Ctrl-C; a process that dies is started again."""
    if context.invoked_subcommand is not None:
        return
    from tumorboard.errors import InputError
    from tumorboard.serve.department import pages_are_there, run_department

    if settings is None:
        told = "make one with: tumorboard serve init HOME"
        raise InputError("the settings of a department", got="none", where="--settings", remedy=told)
    told_settings = _read(settings)
    node, web = told_settings.node, told_settings.web
    typer.echo(f"DICOM node {node.ae_title} on {node.host}, port {node.port}")
    typer.echo(f"pages on {web.host}, port {web.port}" if pages_are_there() else "no pages: they are not installed")
    to = told_settings.returning.to
    typer.echo(f"results are returned to {to}" if to else "results are returned to nobody: the rule is off")
    run_department(told_settings, settings, told=lambda line: typer.echo(line, err=True))


@_serve.command("init")
def _init(home: Home) -> None:
    """Write a settings file with every key explained; nothing in it is open or switched on."""
    from tumorboard.serve.settings_file import write_settings_file

    typer.echo(f"settings: {write_settings_file(home)}")


@_serve.command("node")
def _node(settings: Settings) -> None:
    """Run the DICOM node alone."""
    from tumorboard.serve.department import check_installed

    told = _read(settings)
    check_installed()
    from tumorboard.serve.processes import run_node

    run_node(told)


@_serve.command("worker")
def _worker(settings: Settings) -> None:
    """Run one worker alone."""
    from tumorboard.serve.department import check_installed

    told = _read(settings)
    check_installed()
    from tumorboard.serve.processes import run_worker

    run_worker(told)


@_serve.command("web")
def _web(settings: Settings) -> None:
    """Run the pages alone."""
    from tumorboard.serve.department import NEEDED, NEEDED_BY_PAGES, check_installed

    told = _read(settings)
    check_installed(*NEEDED, *NEEDED_BY_PAGES)
    from tumorboard.serve.web.app import run_web

    run_web(told)


_user = typer.Typer(name="user", help="Who may log in to the pages.", no_args_is_help=True)
_serve.add_typer(_user)
UserName = Annotated[str, typer.Argument(help="What is typed to log in.", show_default=False)]
UserRole = Annotated[str, typer.Option("--role", help="reader, researcher or admin.", show_default=False)]
Given = Annotated[bool, typer.Option("--stdin", help="Read the password from standard input instead of asking.")]


@_user.command("add")
def _add_user(
    name: UserName,
    role: UserRole,
    settings: Settings,
    shown_name: Annotated[str, typer.Option("--shown-name", help="How pages call them.")] = "",
    stdin: Given = False,
) -> None:
    """Add a user; the password is asked for, never given as an argument."""
    from tumorboard.serve.web.users import add_user, role_of

    wanted = role_of(role)
    with _database(settings) as db:
        add_user(db, name, wanted, _password(stdin), shown_name)
    typer.echo(f"added {name} ({wanted.value})")


@_user.command("change")
def _change_user(
    name: UserName,
    settings: Settings,
    role: Annotated[str, typer.Option("--role", help="Another role.")] = "",
    password: Annotated[bool, typer.Option("--password", help="Ask for another password.")] = False,
    active: Annotated[bool | None, typer.Option("--let-in/--bar", help="Whether they may log in.")] = None,
    stdin: Given = False,
) -> None:
    """Give a user another role or password, or bar them; they are logged out everywhere."""
    from tumorboard.serve.web.users import change_user, role_of

    other = role_of(role) if role else None
    with _database(settings) as db:
        change_user(db, name, role=other, password=_password(stdin) if password or stdin else None, active=active)
    typer.echo(f"changed {name}")


@_user.command("list")
def _list_users(settings: Settings) -> None:
    """List users, their roles, and whether they may log in."""
    from tumorboard.serve.web.users import list_users

    with _database(settings) as db:
        for user in list_users(db):
            typer.echo(f"{user.name}\t{user.role.value}\t{'may log in' if user.active else 'barred'}")


def _password(from_stdin: bool) -> str:
    import sys

    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


@contextlib.contextmanager
def _database(settings: Path) -> Iterator[Database]:
    from tumorboard.serve.department import NEEDED, NEEDED_BY_PAGES, check_installed

    told = _read(settings)
    check_installed(*NEEDED, *NEEDED_BY_PAGES)
    from tumorboard.serve.data.session import open_database

    with contextlib.closing(open_database(told)) as db:
        yield db


@_serve.command("status")
def _status(settings: Settings) -> None:
    """Show which processes live, how many studies and jobs there are, and what needs attention."""
    from tumorboard.serve.department import check_installed

    told = _read(settings)
    check_installed()
    from tumorboard.serve.data.session import open_database
    from tumorboard.serve.status import status_of

    db = open_database(told)
    try:
        status = status_of(db)
    finally:
        db.close()
    for part, pid, port in status.alive:
        typer.echo(f"{part}: alive, process {pid}{f', port {port}' if port else ''}")
    if not status.alive:
        typer.echo("no process gives a sign of life")
    typer.echo(f"studies: {_counted(status.studies)}")
    typer.echo(f"jobs: {_counted(status.jobs)}")
    typer.echo(f"on the shelf: {status.stored_bytes / 2**30:.2f} GiB")
    for key, step, reason in status.attention:
        typer.echo(f"needs attention: study {key}, {step}: {reason}")


@_serve.command("again")
def _again(study: StudyKey, settings: Settings) -> None:
    """Let a study that needs attention be tried anew."""
    from tumorboard.serve.department import check_installed

    told = _read(settings)
    check_installed()
    from tumorboard.serve.data.session import open_database
    from tumorboard.serve.jobs.again import try_again

    db = open_database(told)
    try:
        count = try_again(db, study, "command line")
    finally:
        db.close()
    typer.echo(f"{count} {'job is' if count == 1 else 'jobs are'} tried again")


@_serve.command("merge")
def _merge(wrong: WrongPatient, right: RightPatient, settings: Settings) -> None:
    """Make two patients one; their studies are judged together from then on."""
    from tumorboard.serve.upkeep import merge

    with _database(settings) as db:
        count = len(merge(db, wrong, right, "command line"))
    typer.echo(f"one patient; {count} {'study is' if count == 1 else 'studies are'} worked on anew")


@_serve.command("purge")
def _purge(study: StudyKey, settings: Settings) -> None:
    """Remove the images of a study that is not at work; results, corrections and the audit stay."""
    from tumorboard.serve.upkeep import purge_by_key

    with _database(settings) as db:
        done = purge_by_key(db, _read(settings), study, "command line")
    typer.echo("images removed" if done else "nothing removed: the study is at work, or was purged before")


@_serve.command("backup")
def _backup(settings: Settings, out: Kept) -> None:
    """Write databases, images, results and corrections into one file; the service may run meanwhile."""
    from tumorboard.serve.backup import backup

    done = backup(_read(settings), out)
    typer.echo(f"{out.name}: {done.files} files, {done.size / 2**20:.1f} MiB; it holds images of patients in the clear")


@_serve.command("restore")
def _restore(file: Archive, settings: Settings) -> None:
    """Restore a backup into an empty home folder, once every file of it was checked."""
    from tumorboard.serve.backup import restore

    done = restore(file, _read(settings))
    typer.echo(f"restored and checked: {done.files} files, {done.size / 2**20:.1f} MiB")


def _read(settings: Path) -> DepartmentSettings:
    from tumorboard.serve.settings import read_settings

    return read_settings(settings)


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in sorted(counts.items())) or "none"


def register_serve(app: typer.Typer) -> None:
    """Enrol the commands."""
    app.add_typer(_serve)
