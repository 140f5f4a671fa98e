"""How many applications a second `layer7 simulate` writes; run it with `make bench`.

Runs the whole command in a process of its own: drawing the market, its events, writing them, and writing the
truth. What a command takes before it does anything is the same for any size: it is measured with one person
in one week, and told apart. Seconds are those of the processor, of the best of some runs, since a core that
does other things as well says nothing about this.
"""

import argparse
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=4_000)
    parser.add_argument("--weeks", type=int, default=26)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(".layer7-bench"))
    parser.add_argument("--format", choices=("parquet", "jsonl", "jsonl.gz"), default="parquet")
    options = parser.parse_args()
    size = ("--people", str(options.people), "--weeks", str(options.weeks))
    start = min(_seconds(options.folder, "--people", "1", "--weeks", "1") for _ in range(options.runs))
    whole = min(_seconds(options.folder, *size, "--format", options.format) for _ in range(options.runs))
    count = pq.read_metadata(options.folder / "truth" / "applications.parquet").num_rows
    size_of_events = sum(file.stat().st_size for file in (options.folder / "events").iterdir())
    print(f"start-up {start:.2f} s; {count:,} applications in {whole - start:.2f} s more")
    print(f"{count / (whole - start):,.0f} applications a second, {count / whole:,.0f} with start-up")
    print(f"{size_of_events / 1e6:,.0f} MB of events")


def _seconds(folder: Path, *options: str) -> float:
    """Simulate in a process of its own; gives its seconds of processor."""
    shutil.rmtree(folder, ignore_errors=True)
    before = _used()
    command = [sys.executable, "-m", "layer7", "simulate", "--scenario", "S1", "--out", str(folder), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr or done.stdout)
    return _used() - before


def _used() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
