"""Thousands of clips, each frame of them against the truth.

    python -m tests.cuts --cases 2000 --seed 1

Draws recordings until so many clips are cut and read by all readers; every third is one whose
packets are not pictures of their own times. Prints every fault with the case that makes it again,
and the seed at which another run goes on. Exit code 1 if there is any.
"""

import argparse
import os
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import count, islice

from tests.cuts.cases import CutCase, draw_case
from tests.cuts.harness import Report, report_of, shown_faults
from tests.cuts.odd import OddCase, OddReport, draw_odd, report_of_odd
from tests.cuts.readers import READERS

_AT_ONCE = 40  # cases; few enough to end soon after the last clip


def main() -> int:
    """Run the cases and print what became of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.cuts")
    parser.add_argument("--cases", type=int, default=2000, help="clips to check")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    print(f"{options.cases} clips from seed {options.seed}, by {', '.join(READERS)}", flush=True)
    total, faulty, num_cases = Counter[str](), 0, 0
    for report in _reports(options.seed, options.cases):
        num_cases += 1
        faulty += bool(report.faults)
        total += report.outcomes
        if isinstance(report, Report):
            total["(unsure)"] += report.num_unsure
        total[f"codec {report.case.codec}"] += report.num_clips
        total[f"container {report.case.container}"] += report.num_clips
        if report.faults:
            print(f"WRONG {shown_faults([report])}", flush=True)
    for name, number in sorted(total.items()):
        print(f"{name:24} {number}")
    print(f"{faulty} of {num_cases} recordings with a fault")
    return int(faulty > 0)


def _draw(seed: int) -> CutCase | OddCase:
    return draw_odd(seed) if seed % 3 == 0 else draw_case(seed)


def _report(case: CutCase | OddCase) -> Report | OddReport:
    return report_of_odd(case) if isinstance(case, OddCase) else report_of(case)


def _failed(case: CutCase | OddCase, error: BaseException) -> Report | OddReport:
    if isinstance(case, OddCase):
        return OddReport(case, faults=[repr(error)])
    return Report(case, faults=[repr(error)])


def _reports(seed: int, num_clips: int) -> Iterator[Report | OddReport]:
    """Yield what became of case after case until so many clips are checked."""
    seeds, found = count(seed), 0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        while found < num_clips:
            numbers = list(islice(seeds, _AT_ONCE))
            cases = [_draw(number) for number in numbers]
            futures = [pool.submit(_report, case) for case in cases]
            for case, future in zip(cases, futures, strict=True):
                error = future.exception()
                report = _failed(case, error) if error else future.result()
                found += report.num_clips
                yield report
            print(f"{found} clips; go on with --seed {numbers[-1] + 1}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
