"""Wall time of ``import tumorboard`` and ``tumorboard --help``, beside an empty Python in the same run.

Run with ``python benchmarks/start.py``; a few seconds. Limits: 0.3 s and 1 s.
"""

from __future__ import annotations

import subprocess
import sys
import time

RUNS = 7
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import tumorboard": ["-c", "import tumorboard"],
    "tumorboard --help": ["-c", "import sys; sys.argv = ['tumorboard', '--help']; "
                          "from tumorboard.cli.main import main; main()"],
}  # fmt: skip


def best_of(arguments: list[str]) -> float:
    """Return the shortest wall time of several runs, s."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    for name, arguments in COMMANDS.items():
        print(f"{name:20}{best_of(arguments):7.3f} s, best of {RUNS}")
