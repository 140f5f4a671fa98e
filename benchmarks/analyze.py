"""How long `layer7 experiments analyze` takes for five metrics of a million users, and for four million.

Makes the tables, analyses each in a fresh process, and prints seconds, processor seconds and peak memory; beside
it the same metrics by tea-tasting, where that is installed. Run it with `python benchmarks/analyze.py`.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

METRICS = (
    "converted=binomial:converted",
    "spend=mean:spend",
    "rate=ratio:interviews/applications",
    "minutes=mean:minutes",
    "logins=mean:logins",
)
TEA_TASTING = """
import sys, ibis, tea_tasting as tt
metrics = {name: tt.Mean(name) for name in ("converted", "spend", "minutes", "logins")}
metrics["rate"] = tt.RatioOfMeans("interviews", "applications")
table = ibis.duckdb.connect().read_parquet(sys.argv[1])
tt.Experiment(metrics, variant="variant").analyze(table, control="control")
"""


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, nargs="+", default=[1_000_000, 4_000_000])
    parser.add_argument("--folder", type=Path, default=Path(".layer7-bench"))
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    for users in options.users:
        file = options.folder / f"{users}.parquet"
        _write(file, users)
        asked = [part for metric in METRICS for part in ("--metric", metric)]
        command = ["-m", "layer7", "experiments", "analyze", str(file), "--json", "--unit", "user_id"]
        _timed(f"layer7, {users:,} users", [*command, "--variant", "variant", "--control", "control", *asked])
        if importlib.util.find_spec("tea_tasting"):
            _timed(f"tea-tasting, {users:,} users", ["-c", TEA_TASTING, str(file)])


def _timed(name: str, command: list[str]) -> None:
    began = time.perf_counter()
    child = subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    seconds, busy = time.perf_counter() - began, used.ru_utime + used.ru_stime
    if status:
        raise SystemExit(f"{name} failed")
    print(f"{name:32s} {seconds:6.1f} s   {busy:6.1f} s of processors   peak {used.ru_maxrss / 1024:5.0f} MB")


def _write(file: Path, users: int) -> None:
    """Write one row per user: five metrics, the treatment a little better in two."""
    rng = np.random.default_rng(1)
    arm, sent = rng.integers(0, 2, users), rng.poisson(12, users)
    columns = {
        "user_id": np.arange(users),
        "variant": pa.array(np.array(["control", "treatment"])[arm]).dictionary_encode(),
        "converted": (rng.random(users) < 0.05 + 0.002 * arm).astype("int64"),
        "spend": rng.exponential(20, users) * (rng.random(users) < 0.3),
        "interviews": rng.binomial(sent, 0.05).astype(float),
        "applications": sent.astype(float),
        "minutes": rng.lognormal(3, 1, users),
        "logins": rng.poisson(5 + 0.02 * arm),
    }
    pq.write_table(pa.table(columns), file)


if __name__ == "__main__":
    main()
