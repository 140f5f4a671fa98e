"""How fast jobs are ranked over HTTP; run it with `python benchmarks/ranking.py`.

Makes a home of 1,000 people who have applied for some weeks, learns how likely interviews are, serves it in a
process of its own, and asks over one connection for rankings of 200 jobs: once for each of some people that
the server has not met (cold), and then again and again for all of them (hot). Prints milliseconds, as the
caller waits and as the server's processor worked. With `--beside SRC` another version of the package is
asked in turns, each with a copy of the home: so the two can be compared beside other work.
"""

import argparse
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np

from layer7.nightly import applications
from layer7.nightly.measuring import measure
from layer7.nightly.night import Night
from layer7.nightly.predicting import predict
from layer7.simulation import SCENARIOS, events, levels, simulate, write_events
from layer7.storage.database.state import Act
from layer7.storage.database.tokens import Scope
from layer7.storage.home import Home, open_home
from layer7.storage.warehouse.reading import Horizon

START = date(2026, 3, 2)
IN_TURN = 25
"""Rankings that one server is asked for before the next one is."""


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_000)
    parser.add_argument("--weeks", type=int, default=4)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--requests", type=int, default=1_000)
    parser.add_argument("--folder", type=Path, default=Path(".layer7-bench"))
    parser.add_argument("--beside", type=Path, help="folder `src` of another version, asked in turns")
    options = parser.parse_args()
    home = _home(options.folder, people=options.people, weeks=options.weeks)
    act = Act("bench", "token.create", "", datetime.now(UTC), "to measure")
    secret, _ = home.tokens.create("bench", [Scope.READ], act=act)
    versions = {"": None} if options.beside is None else {"now": None, "beside": options.beside.resolve()}
    servers = {
        name: _Server(shutil.copytree(home.path, options.folder / f"served-{name}"), secret, source)
        for name, source in versions.items()
    }
    try:
        body = _jobs(options.jobs)
        people = [f"user-{at:06}" for at in range(options.people)]
        _ask(servers, "cold", people, body)
        dice = np.random.default_rng(1)
        _ask(servers, "hot", [people[at] for at in dice.integers(0, len(people), options.requests)], body)
    finally:
        used = {name: server.stop() for name, server in servers.items()}
    for name, seconds in used.items():
        each = 1000 * seconds / (options.people + options.requests)
        print(f"processor of the server {name}, start included: {each:.1f} ms a ranking")


def _ask(servers: dict[str, "_Server"], state: str, people: list[str], body: bytes) -> None:
    """Ask for rankings, some of one server and then as many of the next, and tell how long they took."""
    seconds: dict[str, list[float]] = {name: [] for name in servers}
    for start in range(0, len(people), IN_TURN):
        for name, server in servers.items():
            server.caller.wait()
            seconds[name] += [server.caller.rank(user, body) for user in people[start : start + IN_TURN]]
    for name, each in seconds.items():
        _tell(f"{state} {name}", each)


class _Server:
    """A server in a process of its own, and one who asks it."""

    def __init__(self, home: Path, secret: str, source: Path | None) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [sys.executable, "-m", "layer7", "serve", "--port", str(port), "--home", str(home)]
        known = {} if source is None else {"PYTHONPATH": str(source)}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen(command, env=os.environ | known, **quiet)
        self.caller = _Caller(port, secret)
        self.caller.wait()
        self.caller.rank("user-nobody", _jobs(1))

    def stop(self) -> float:
        """Stop it; gives the seconds that its processor worked."""
        self._process.terminate()
        used = os.wait4(self._process.pid, 0)[2]
        return used.ru_utime + used.ru_stime


def _home(folder: Path, *, people: int, weeks: int) -> Home:
    shutil.rmtree(folder, ignore_errors=True)
    history = simulate(
        SCENARIOS["default"], people=people, weeks=weeks, start=START, rng=np.random.default_rng(1)
    )
    write_events(events(history), folder / "log", format="parquet")
    home, end = open_home(folder / "home"), START + timedelta(weeks=weeks)
    now = datetime.now(UTC)
    home.ingest.files([folder / "log"], now=lambda: now, progress=lambda _name, _size: None)
    horizon = Horizon(end, now)
    number = home.runs.begin(end, known_at=now, at=now)
    night = Night(home, horizon, number, lambda: now, lambda _share: None)
    report = {stage.__name__: dict(stage(night).report) for stage in (applications, measure, predict)}
    home.runs.end(number, status="done", report=report, at=now)
    print(f"{report['predict']['reason']}", file=sys.stderr)
    return home


def _jobs(count: int) -> bytes:
    dice = np.random.default_rng(2)
    jobs = [
        {
            "job_id": f"job-{at}",
            "title": levels.ROLES[at % len(levels.ROLES)],
            "company": f"Company {at}",
            "seniority": levels.SENIORITIES[at % 4],
            "industry": levels.INDUSTRIES[at % 10],
            "company_type": levels.COMPANY_TYPES[at % 5],
            "company_size": levels.COMPANY_SIZES[at % 5],
            "location": levels.REGIONS[at % 10],
            "channel": levels.CHANNELS[at % 4],
            "category": levels.CATEGORIES[at % 3],
            "fit_score": round(float(dice.uniform(30, 100)), 1),
            "resume_score": 72.0,
            "applicants": int(dice.integers(5, 300)),
            "posted_at": str(START + timedelta(days=int(dice.integers(0, 20)))),
        }
        for at in range(count)
    ]
    return json.dumps({"jobs": jobs, "slots": 10}).encode()


class _Caller:
    """One caller with one connection that stays open."""

    def __init__(self, port: int, secret: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}

    def wait(self) -> None:
        """Wait until the server answers, over a new connection: it closes those that are not used."""
        self._connection.close()
        for _ in range(600):
            try:
                self._connection.request("GET", "/health")
                self._connection.getresponse().read()
            except OSError:
                self._connection.close()
                time.sleep(0.1)
            else:
                return
        sys.exit("the server does not answer")

    def rank(self, user: str, body: bytes) -> float:
        """Ask for one ranking; gives seconds."""
        began = time.perf_counter()
        self._connection.request("POST", f"/v1/users/{user}/rank", body, self._headers)
        answer = self._connection.getresponse()
        text = answer.read()
        seconds = time.perf_counter() - began
        if answer.status != 200:
            sys.exit(text.decode())
        return seconds


def _tell(name: str, seconds: list[float]) -> None:
    low, middle, most = (1000 * float(np.quantile(seconds, at)) for at in (0.5, 0.9, 0.99))
    print(
        f"{name:11s} {len(seconds):6,} rankings   50 %: {low:6.1f} ms   90 %: {middle:6.1f} ms   99 %: {most:6.1f} ms"
    )


if __name__ == "__main__":
    main()
