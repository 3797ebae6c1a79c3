"""What a run leaves behind to be looked at: a table, a log for TensorBoard, and a picture of the curve.

Why it exists: a curve is seen, a table is read by programs, and TensorBoard is what model builders have open.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence as Listed
from pathlib import Path

import numpy as np

from tumorboard.learn.loop import Progress

SMOOTH = 0.95
"""Weight of the past in the smoothed loss of the picture."""


class Recorder:
    """Writes the progress of a run into a folder.

    Parameters
    ----------
    folder : Path
        Gets ``log.csv``, ``events.out…`` and ``curve.png``.
    regions : sequence of str
        Names of the columns of validation.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as d:
    ...     recorder = Recorder(Path(d), ["WT"])
    ...     recorder.close([Progress(1, 2.0, 1e-3, 0.1, (0.5,)), Progress(2, 1.0, 1e-3, 0.1)])
    ...     sorted(p.suffix for p in Path(d).iterdir() if p.suffix in (".csv", ".png"))
    ['.csv', '.png']
    """

    def __init__(self, folder: Path, regions: Listed[str]) -> None:
        self.folder, self.regions = folder, tuple(regions)
        folder.mkdir(parents=True, exist_ok=True)

    def close(self, history: Listed[Progress]) -> None:
        """Write everything."""
        self._table(history)
        self._events(history)
        self._picture(history)

    def _table(self, history: Listed[Progress]) -> None:
        with (self.folder / "log.csv").open("w", newline="", encoding="utf-8") as stream:
            table = csv.writer(stream)
            table.writerow(["step", "loss", "learning_rate", "waited_share", *(f"dice_{r}" for r in self.regions)])
            for p in history:
                table.writerow([p.step, f"{p.loss:.6f}", f"{p.learning_rate:.3e}", f"{p.waited:.3f}", *p.dice])

    def _events(self, history: Listed[Progress]) -> None:
        from tensorboardX import SummaryWriter

        for old in self.folder.glob("events.out.*"):
            old.unlink()
        with SummaryWriter(str(self.folder)) as writer:
            for p in history:
                writer.add_scalar("loss", p.loss, p.step)
                for name, value in zip(self.regions, p.dice, strict=False):
                    writer.add_scalar(f"dice/{name}", value, p.step)

    def _picture(self, history: Listed[Progress]) -> None:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9, 4), layout="constrained")
        loss, dice = figure.subplots(1, 2)
        steps = [p.step for p in history]
        loss.plot(steps, smoothed([p.loss for p in history]), color="#1f4e79")
        loss.set(title="Loss (smoothed)", xlabel="step")
        judged = [p for p in history if p.dice]
        for n, name in enumerate(self.regions):
            dice.plot([p.step for p in judged], [p.dice[n] for p in judged], marker=".", label=name)
        dice.set(title="Dice on digital samples kept apart", xlabel="step", ylim=(0, 1))
        if judged:
            dice.legend(loc="lower right")
        figure.savefig(self.folder / "curve.png", dpi=110)


def smoothed(values: Listed[float]) -> list[float]:
    """Return an exponentially smoothed series that starts at its first value.

    Examples
    --------
    >>> smoothed([1.0, 1.0])
    [1.0, 1.0]
    """
    out: list[float] = []
    for value in values:
        out.append(value if not out else SMOOTH * out[-1] + (1 - SMOOTH) * value)
    return [float(np.round(v, 6)) for v in out]
