"""What digital studies and cohorts cost: CPU time and memory.

Run with ``python benchmarks/cohort_cost.py [--patients 100]``; some ten minutes. Prints the CPU seconds and peak memory
of one four-sequence study at 1 mm in a fresh process (compiled code from its cache), and wall time, CPU time and the
peak of a worker for a cohort at 2 mm with four visits, written by two workers. Times depend on the machine; the limits
are 30 CPU-s, 10 minutes, and 2 GiB.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ONE = """
import resource, time
from tumorboard.simulate.subject import Kind, draw_member, studies
start = time.process_time()
made = next(studies(5, draw_member(5, {number}, Kind.GLIOMA, 3, 1), 1.0))
print(time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, *made.truth.data.shape)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Cost of digital cohorts.")
    parser.add_argument("--patients", type=int, default=100)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        count = str(wanted.patients)
        words = ["simulate", "--out", f"{place}/c", "--patients", count, "--sites", "3", "--workers", "2"]
        start = time.perf_counter()
        subprocess.run([str(Path(sys.executable).parent / "tumorboard"), *words], check=True, capture_output=True)
        wall = time.perf_counter() - start
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        size = sum(p.stat().st_size for p in Path(place).rglob("*") if p.is_file()) / 2**30
    print(f"{wanted.patients} patients of 4 visits at 2 mm, 2 workers: {wall / 60:.1f} min, ", end="")
    print(
        f"{used.ru_utime + used.ru_stime:.0f} CPU-s, largest process {used.ru_maxrss / 2**20:.2f} GiB, {size:.1f} GiB"
    )
    for number in (0, 0, 1, 2):
        words = [sys.executable, "-c", ONE.format(number=number)]
        cpu, peak, *shape = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
        print(f"one study at 1 mm, {'x'.join(shape)} around the brain: {float(cpu):.1f} CPU-s, {float(peak):.2f} GiB")


if __name__ == "__main__":
    main()
