"""Thousands of windows, each frame of their clips against the truth.

    python -m tests.cuts --cases 5000 --seed 1

Draws recordings until so many windows are cut or refused, and all clips are read by all readers.
Three of four are odd: their packets are not pictures, or their pictures are not shown as they are
stored. Prints every fault with the case that makes it again, and at the end what became of the
windows of each kind. With `--state FILE` a run goes on where another one ended, whatever ended it,
and the table is of both. Exit code 1 if there is any fault.
"""

import argparse
import json
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import count, islice
from pathlib import Path

from tests.cuts.cases import CutCase, draw_case
from tests.cuts.harness import Report, report_of, shown_faults
from tests.cuts.odd import OddCase, draw_odd
from tests.cuts.readers import READERS
from tests.cuts.verdicts import COLUMNS, OddReport, Tally, report_of_odd, table_of

_AT_ONCE = 40  # cases; few enough to end soon after the last window
_ODD_OF = 4  # cases, of which one is plain


def main() -> int:
    """Run the cases and print what became of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.cuts")
    parser.add_argument("--cases", type=int, default=5000, help="windows to judge")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--state", type=Path, help="file that another run goes on from")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    options = parser.parse_args()
    tallies = _read(options.state) if options.state else []
    seed = max((own.seed for own in tallies), default=options.seed - 1) + 1
    left = options.cases - sum(len(own.windows) for own in tallies)
    print(f"{left} windows from seed {seed}, by {', '.join(READERS)}", flush=True)
    for report in _reports(seed, left, options.processes):
        if report.faults:
            print(f"WRONG {shown_faults([report])}", flush=True)
        tallies.append(report.tally)
        if options.state:
            with options.state.open("a") as file:
                file.write(json.dumps(tallies[-1].as_json()) + "\n")
    print(shown(tallies))
    return int(any(own.num_faults for own in tallies))


def _read(path: Path) -> list[Tally]:
    """Return what an earlier run has found; a line that a kill broke off is none."""
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [Tally.of_json(json.loads(line)) for line in lines if line.endswith("\n")]


def shown(tallies: Sequence[Tally]) -> str:
    """Return the table of all kinds, in Markdown."""
    head = [f"| {' | '.join(COLUMNS)} |", f"|{' --- |' * len(COLUMNS)}"]
    faulty = sum(own.num_faults > 0 for own in tallies)
    last = f"{faulty} of {len(tallies)} recordings with a fault"
    return "\n".join([*head, *(f"| {' | '.join(row)} |" for row in table_of(tallies)), "", last])


def _draw(seed: int) -> CutCase | OddCase:
    return draw_odd(seed) if seed % _ODD_OF else draw_case(seed)


def _report(case: CutCase | OddCase) -> Report | OddReport:
    return report_of_odd(case) if isinstance(case, OddCase) else report_of(case)


def _failed(case: CutCase | OddCase, error: BaseException) -> Report | OddReport:
    if isinstance(case, OddCase):
        return OddReport(case, faults=[repr(error)])
    return Report(case, faults=[repr(error)])


def _reports(seed: int, num_windows: int, processes: int) -> Iterator[Report | OddReport]:
    """Yield what became of case after case until so many windows are judged."""
    seeds, found = count(seed), 0
    with ProcessPoolExecutor(processes) as pool:
        while found < num_windows:
            numbers = list(islice(seeds, _AT_ONCE))
            cases = [_draw(number) for number in numbers]
            futures = [pool.submit(_report, case) for case in cases]
            for case, future in zip(cases, futures, strict=True):
                error = future.exception()
                report = _failed(case, error) if error else future.result()
                found += len(report.tally.windows)
                yield report
            print(f"{found} windows; go on with --seed {numbers[-1] + 1}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
