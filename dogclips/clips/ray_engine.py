"""Where units of work are cut: on the machines of a Ray cluster. The plan does not know.

All machines see the session folder under the same path and have the same versions of dogclips and
PyAV installed.
"""

import logging
import os
import platform
import re
import socket
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import ModuleType
from typing import Any

from dogclips.clips.rows import MADE_BY
from dogclips.clips.units import Engine, Unit, cut_unit
from dogclips.errors import OutputError, UsageError
from dogclips.media.encoding import ClipOutcome

_RETRIES = 3  # of a unit whose process or machine is lost
_ANSWER_S = 10  # Ray itself waits minutes for a cluster that is not there
_STOP_S = 10  # for tasks that are told to stop
_STORE_BYTES = 256 * 2**20  # what travels is small; Ray would take a third of the memory


def ray_engine(address: str | None = None, workers: int | None = None) -> Engine:
    """Cut in tasks of Ray.

    A unit that loses its process or its machine is cut again, three times at most. A process that
    is already connected to Ray uses that connection and keeps it.

    Parameters
    ----------
    address
        The cluster to join: HOST:PORT of its head, or "auto" for the one that this machine is part
        of. None starts a Ray on this machine for as long as it is needed.
    workers
        How many units are cut at once; None means as many as there are cores.
    """
    if address not in (None, "auto") and not re.fullmatch(r"[^:/\s]+:[0-9]{1,5}", address or ""):
        raise UsageError(
            f"{address!r} is not an address",
            where="--address",
            todo="HOST:PORT of the head, or auto",
        )
    ray = _imported(address)

    def run(units: Sequence[Unit]) -> Generator[list[ClipOutcome]]:
        if units:  # else nothing is worth a cluster
            with _connection(ray, address, workers):
                yield from _cut_all(ray, units, workers or len(units))

    return run


def _imported(address: str | None) -> ModuleType:
    # Ray takes loopback for an outer address, on which anybody in the network could run programs,
    # unless it is told so before it is loaded.
    if address is None or address.startswith(("127.", "localhost:")):
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    try:
        import ray  # noqa: PLC0415 (an extra, and slow to load)
    except ImportError as error:
        raise UsageError(
            "Ray is not installed",
            where="--engine ray",
            todo="install dogclips with its extra `ray`, or use --engine local",
        ) from error
    return ray


@contextmanager
def _connection(ray: ModuleType, address: str | None, workers: int | None) -> Iterator[None]:
    """Connect to Ray, and end what was started for it."""
    if ray.is_initialized():
        yield
        return
    try:
        if address is None:
            _start(ray, workers)
        else:
            _join(ray, address)
        yield
    finally:
        ray.shutdown()


def _start(ray: ModuleType, workers: int | None) -> None:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(
        "local",
        num_cpus=workers or os.cpu_count(),
        object_store_memory=_STORE_BYTES,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        _node_ip_address="127.0.0.1",
    )


def _join(ray: ModuleType, address: str) -> None:
    try:
        if address != "auto":
            host, _, port = address.partition(":")
            socket.create_connection((host, int(port)), timeout=_ANSWER_S).close()
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
    # Ray leaves the program where a port is none of its own.
    except (OSError, OverflowError, RuntimeError, SystemExit) as error:
        raise OutputError(
            f"cannot join a cluster: {error}",
            where=address,
            todo="check the address, and that Ray and Python have the same versions there",
        ) from error


def _cut_all(ray: ModuleType, units: Sequence[Unit], at_once: int) -> Iterator[list[ClipOutcome]]:
    """Cut units, some at once, and yield the outcomes of each as it is finished."""
    task = ray.remote(num_cpus=1, max_retries=_RETRIES)(_cut)
    waiting = deque(units)
    running: dict[Any, Unit] = {}
    try:
        while waiting or running:
            for _ in range(min(at_once - len(running), len(waiting))):
                unit = waiting.popleft()
                running[task.remote(_absolute(unit), MADE_BY)] = unit
            [done], _ = ray.wait(list(running), num_returns=1)
            unit = running.pop(done)
            planned = {path.absolute(): path for path in unit.wanted}  # as the plan knows them
            outcomes = _result(ray, done, unit)
            yield [replace(outcome, path=planned[outcome.path]) for outcome in outcomes]
    finally:
        _stop(ray, list(running))


def _stop(ray: ModuleType, running: list[Any]) -> None:
    """Let tasks end, each of which removes its unfinished files."""
    for task in running:
        ray.cancel(task)
    if running:
        ray.wait(running, num_returns=len(running), timeout=_STOP_S)


def _result(ray: ModuleType, task: Any, unit: Unit) -> list[ClipOutcome]:
    """Return what a task has brought, or raise what it has told."""
    try:
        found: list[ClipOutcome] | OutputError = ray.get(task)
    except ray.exceptions.RayTaskError:
        raise  # a fault of our own, with its traceback
    except ray.exceptions.RayError as error:
        raise OutputError(
            f"the process that cuts these clips was lost {_RETRIES + 1} times",
            where=unit.source,
            todo="check Ray's logs (it may need more memory), then run the same command again",
        ) from error
    if isinstance(found, OutputError):
        raise found
    return found


def _cut(unit: Unit, made_by: str) -> list[ClipOutcome] | OutputError:
    """Cut a unit on whichever machine this is; Ray would wrap our own errors if they were raised.

    The versions of the planning machine are part of each clip's recipe, so they must be ours.
    """
    if made_by != MADE_BY:
        return OutputError(
            f"a machine of the cluster has {MADE_BY}, not {made_by}",
            where=platform.node(),
            todo="install the same versions everywhere",
        )
    try:
        return cut_unit(unit)
    except OutputError as error:
        return error


def _absolute(unit: Unit) -> Unit:
    """Return a unit whose paths do not depend on the folder that a process works in."""
    return replace(
        unit,
        source=unit.source.absolute(),
        jobs=tuple(replace(job, path=job.path.absolute()) for job in unit.jobs),
        wanted=frozenset(path.absolute() for path in unit.wanted),
    )
