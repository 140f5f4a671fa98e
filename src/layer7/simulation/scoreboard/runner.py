"""Runs the replications of the scoreboard, in as many processes as asked."""

import multiprocessing
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

import numpy as np

from layer7.errors import Layer7Error
from layer7.simulation.scoreboard.measure import Measure, Pair, Trial
from layer7.simulation.scoreboard.verdict import Line, judge

Progress = Callable[[int, int], None]
"""Is told how many replications are done, and how many there are."""

_Task = tuple[Trial, int]


def run(
    measures: Sequence[Measure],
    *,
    short: bool = False,
    replications: int | None = None,
    jobs: int = 1,
    progress: Progress = lambda _done, _all: None,
) -> tuple[Line, ...]:
    """Measures lines of the scoreboard.

    Lines of one trial are measured on the same logs. The seed of a replication comes from the trial's name
    and the replication's number alone: the same line gives the same figures, whatever runs beside it, in
    however many processes.

    Args:
        measures: the lines.
        short: whether to run the short form.
        replications: of each trial, at least 1; None for the trial's own number.
        jobs: processes, at least 1.
        progress: is told how far it is.

    Returns:
        The lines in the order given.

    Raises:
        Layer7Error: ``bad_replications``, ``bad_jobs``.
    """
    if replications is not None and replications < 1:
        raise Layer7Error("bad_replications", f"{replications} replications; a figure needs at least 1.")
    if jobs < 1:
        raise Layer7Error("bad_jobs", f"{jobs} processes; the scoreboard needs at least 1.")
    trials = tuple(dict.fromkeys(measure.trial for measure in measures))
    counts = [replications or (trial.short if short else trial.full) for trial in trials]
    tasks = [(trial, i) for trial, count in zip(trials, counts, strict=True) for i in range(count)]
    found: dict[_Task, Mapping[str, Pair]] = {}
    for done, (task, pairs) in enumerate(_results(tasks, jobs), start=1):
        found[task] = pairs
        progress(done, len(tasks))
    return tuple(
        judge(measure, [found[task][measure.key] for task in tasks if task[0] == measure.trial])
        for measure in measures
    )


def seed_of(trial: Trial, replication: int) -> int:
    """Gives the seed of a replication.

    Args:
        trial: the trial.
        replication: its number, from 0 on.

    Example:
        >>> trial = Trial(name="dice", run=lambda seed: {}, short=1, full=2)
        >>> seed_of(trial, 0) != seed_of(trial, 1)
        True
    """
    words = np.random.SeedSequence([zlib.crc32(trial.name.encode()), replication]).generate_state(
        1, np.uint64
    )
    return int(words[0])


def _results(tasks: Sequence[_Task], jobs: int) -> Iterator[tuple[_Task, Mapping[str, Pair]]]:
    if jobs == 1:
        for task in tasks:
            yield task, _once(task)
        return
    # A forked process would inherit the engine's threads in an unknown state.
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=jobs, mp_context=fresh) as pool:
        futures = {pool.submit(_once, task): task for task in tasks}
        for future in as_completed(futures):
            yield futures[future], future.result()


def _once(task: _Task) -> Mapping[str, Pair]:
    trial, replication = task
    return trial.run(seed_of(trial, replication))
