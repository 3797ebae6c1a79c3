"""The commands beside the chain: ``demo`` and ``evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DemoOut = Annotated[Path, typer.Option("--out", "-o", help="Folder for the digital patient and its results.")]
Seed = Annotated[int, typer.Option("--seed", help="Another seed makes another patient.")]
Reference = Annotated[Path, typer.Argument(help="Reference label map.", show_default=False)]
Predicted = Annotated[Path, typer.Argument(help="Label map to be judged.", show_default=False)]
RefScheme = Annotated[str, typer.Option("--scheme", help="Scheme of the reference.")]
PredScheme = Annotated[str, typer.Option("--pred-scheme", help="Scheme of the prediction.")]
Json = Annotated[Path | None, typer.Option("--json", help="Write the result here too.", show_default=False)]


def _demo(out: DemoOut = Path("demo-output"), seed: Seed = 7) -> None:
    """Make a digital patient with three studies, run the whole chain on it, and compare with the truth."""
    from tumorboard.cli.demo import demo

    demo(out, seed)


def _evaluate(
    reference: Reference,
    predicted: Predicted,
    scheme: RefScheme = "tumorboard",
    pred_scheme: PredScheme = "tumorboard",
    json: Json = None,
) -> None:
    """Compare two label maps region by region: Dice, surface distances, volumes."""
    from tumorboard.cli.judge import judge

    judge(reference, predicted, (scheme, pred_scheme), json)


def register_tools(app: typer.Typer) -> None:
    """Enrol ``demo`` and ``evaluate``."""
    app.command("demo")(_demo)
    app.command("evaluate")(_evaluate)
