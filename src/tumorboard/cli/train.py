"""``train``: a network from digital patients, from a user's folders, or from both.

Why it exists: whoever has labelled cases of their own hospital should get a network that fits them with one command.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tumorboard.errors import InputError

if TYPE_CHECKING:
    from rich.progress import Progress

    from tumorboard.learn.loop import Progress as Step


class Task(StrEnum):
    """What the network is for."""

    SEGMENT = "segment"
    DETECT = "detect"
    BRAIN = "brain"


Settings = Annotated[Path, typer.Option("--settings", "-s", help="TOML file; see the how-to.", show_default=False)]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder of the bundle.", show_default=False)]
From = Annotated[
    Path | None,
    typer.Option("--from", help="A bundle to go on from, or the name of a shipped one.", show_default=False),
]
Which = Annotated[Task, typer.Argument(help="What the network is for.", show_default=False)]


def _train(task: Which, settings: Settings, out: Out, base: From = None) -> None:
    """Train a network and write a bundle; the same command goes on where it was stopped."""
    from tumorboard.learn.run import train
    from tumorboard.learn.settings import read_settings
    from tumorboard.networks.bundle import META, shipped

    told = read_settings(settings)
    if told.task != task.value:
        raise InputError(f"settings for {task.value}", got=f"settings for {told.task}", where="--settings")
    if base is not None and not (base / META).is_file():
        base = shipped(str(base))
    with _bar() as bar:
        shown = bar.add_task("training", total=told.steps)

        def tell(step: Step) -> None:
            text = f"loss {step.loss:.3f}, waiting {100 * step.waited:.0f} %"
            bar.update(shown, completed=step.step, description=text)

        done = train(told, out, base, tell)
    last = done.history[-1] if done.history else None
    if last is not None:
        typer.echo(
            f"step {last.step}: loss {last.loss:.3f}; {100 * last.waited:.0f} % of the time spent waiting for data"
        )
    judged = [p for p in done.history if p.dice]
    if judged:
        typer.echo("Dice on validation samples: " + ", ".join(f"{d:.3f}" for d in judged[-1].dice))
    typer.echo(f"bundle {done.metadata.id} {done.metadata.version}: {out}")
    typer.echo(f"log and curve: {out.with_name(out.name + '.training')}")


def _bar() -> Progress:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:.0f}"), TimeRemainingColumn())
    return Progress(*columns)


def register_train(app: typer.Typer) -> None:
    """Enrol the command."""
    app.command("train")(_train)
