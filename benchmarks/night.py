"""How long a full night takes, and a night over one more day; run it with `make bench`.

Makes a log of about ten million events (a job market of 31,500 people over 26 weeks), takes it in, runs the
first night, adds one more day of events and runs the next night. Prints seconds, events a second and peak
memory, each in a fresh process, and the share of the second night in the first.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from layer7.simulation import SCENARIOS, events, simulate, write_events

START = date(2026, 3, 2)
WEEKS = 26


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=31_500)
    parser.add_argument("--folder", type=Path, default=Path(".layer7-bench"))
    parser.add_argument("--format", choices=("parquet", "jsonl"), default="parquet")
    options = parser.parse_args()
    shutil.rmtree(options.folder, ignore_errors=True)
    log, day, home = (options.folder / name for name in ("log", "day", "home"))
    _write(log, people=options.people, seed=1, kind=options.format)
    _write(day, people=max(options.people // (7 * WEEKS), 1), seed=2, kind=options.format)
    end = START + timedelta(weeks=WEEKS)
    first = {
        "ingest": _layer7(home, "ingest", str(log)),
        "first night": _layer7(home, "nightly", "--as-of", str(end)),
        "ingest one more day": _layer7(home, "ingest", str(day)),
        "next night": _layer7(home, "nightly", "--as-of", str(end + timedelta(days=1))),
    }
    for name, (seconds, gigabytes, answer) in first.items():
        accepted = answer.get("accepted")
        speed = f", {accepted / seconds:,.0f} events/s of {accepted:,}" if accepted else ""
        print(f"{name:22s} {seconds:7.1f} s   peak {gigabytes:4.1f} GB{speed}")
    share = first["next night"][0] / first["first night"][0]
    print(f"the next night takes {share:.1%} of the first")


def _write(folder: Path, *, people: int, seed: int, kind: str) -> None:
    began = time.perf_counter()
    simulation = simulate(
        SCENARIOS["default"], people=people, weeks=WEEKS, start=START, rng=np.random.default_rng(seed)
    )
    write_events(events(simulation), folder, format=kind)
    print(f"wrote {folder} in {time.perf_counter() - began:.0f} s", file=sys.stderr)


def _layer7(home: Path, *command: str) -> tuple[float, float, dict[str, int]]:
    """Run a command of its own process; gives its seconds, its peak memory in GB, and its answer."""
    probe = (
        "import resource, subprocess, sys;"
        "done = subprocess.run(sys.argv[1:], capture_output=True, text=True);"
        "print(done.stdout); print(done.stderr, file=sys.stderr);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(done.returncode)"
    )
    arguments = [sys.executable, "-m", "layer7", *command, "--home", str(home), "--json"]
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", probe, *arguments], capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        sys.exit(done.stderr or done.stdout)
    *lines, peak = done.stdout.strip().splitlines()
    return seconds, int(peak) / 1e6, json.loads("\n".join(lines))


if __name__ == "__main__":
    main()
