"""Reads users' files for an ingest: each once, in worker processes if that pays, with the results in order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from pathlib import Path

from fxloom.run.executors import WorkerDiedError, executor_for, run_in_order
from fxloom.run.executors.processes import free_memory
from fxloom.sources.options import ReadOptions
from fxloom.sources.reading import listing, results_of
from fxloom.sources.records import FileResult, Refused
from fxloom.sources.walk import Entry, Found, Listed, OrderedArchive, opened
from fxloom.stores.addresses import is_database

Progress = Callable[[int, int], None]  # files read, and all that are known so far

BYTES_PER_PROCESS = 32 << 20  # of text; what one process reads in the time that another takes to start
MEMORY_PER_BYTE = 12  # of a file of text, while it is read


def read_files(
    paths: Sequence[str | Path], options: ReadOptions, workers: int | None, on_progress: Progress
) -> Iterator[FileResult]:
    """The results of all files under ``paths``, sorted by path whatever the order of ``paths``; then of databases.

    ``workers``: processes, None for one per processor. A file whose worker dies is refused, the others are read.
    """
    files = listing(path for path in paths if not is_database(path))
    jobs = _Jobs(files)
    done = 0
    on_progress(0, jobs.known)
    with executor_for(workers, _useful_processes(files)) as executor:
        for found, results in run_in_order(executor, partial(results_of, options=options), jobs, _may_start):
            yield from [_died(found, results)] if isinstance(results, WorkerDiedError) else results
            done += 1
            on_progress(done, jobs.known)
    for url in sorted(str(path) for path in paths if is_database(path)):
        from fxloom.stores.postgres.source import read_tables

        yield from read_tables(url, options.pair)


class _Jobs:
    """The files to read; those of an archive that is read from start to end become known one by one."""

    def __init__(self, files: Sequence[Listed]) -> None:
        self.files = files
        self.known = len(files)

    def __iter__(self) -> Iterator[Found]:
        for each in self.files:
            for number, found in enumerate(opened(each.found)):
                self.known += number > 0
                yield found


def _useful_processes(files: Sequence[Listed]) -> int:
    """How many processes have enough to read to be worth starting."""
    readable = [each.found for each in files if isinstance(each.found, Entry | OrderedArchive)]
    enough = sum(found.size for found in readable) // BYTES_PER_PROCESS
    several = any(isinstance(found, OrderedArchive) for found in readable)
    return enough if several else min(enough, len(readable))


def _may_start(job: Found, running: Collection[Found]) -> bool:
    """Whether there is memory to read one more file at the same time."""
    if _memory(job) <= BYTES_PER_PROCESS * MEMORY_PER_BYTE:
        return True
    return _memory(job) + sum(map(_memory, running)) < free_memory()


def _memory(found: Found) -> int:
    return MEMORY_PER_BYTE * found.size if isinstance(found, Entry) else 0


def _died(found: Found, error: WorkerDiedError) -> Refused:
    advice = "end other programs that use much memory, or split the file by month"
    return Refused(str(error), advice, name=found.name)
