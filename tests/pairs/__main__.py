"""Thousands of made pairs: no label on a wrong frame without a warning.

    python -m tests.pairs --cases 5000 --seed 1

Prints every silent error with the case that makes it again, and how often answers were exact by
the margin of the believed windows: what `Content.confidence` promises. Exit code 1 if any answer
that called itself verified is wrong.
"""

import argparse
import os
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise

from tests.pairs.cases import draw_case
from tests.pairs.harness import Outcome, outcome_of
from tests.pairs.scenes import deceiving_names, footage_names, is_verifiable, rendered_names

_MARGINS = (0.1, 0.2, 0.3, 0.4, 0.6, 1.0)


def main() -> int:
    """Run the cases and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.pairs")
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    print(f"{options.cases} cases from seed {options.seed}", flush=True)
    seeds = range(options.seed, options.seed + options.cases)
    outcomes = []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for number, outcome in enumerate(pool.map(_outcome, seeds, chunksize=8), start=1):
            outcomes.append(outcome)
            if outcome.wrong and outcome.answer == "verified":
                print(f"WRONG {outcome.case!r}\n      {'; '.join(outcome.wrong)}", flush=True)
            if number % 500 == 0:
                print(f"{number} cases", flush=True)
    _print_summary(outcomes)
    return int(any(outcome.is_silent_error for outcome in outcomes))


def _outcome(seed: int) -> Outcome:
    return outcome_of(draw_case(seed, [*rendered_names(), *footage_names(), *deceiving_names()]))


def _print_summary(outcomes: Sequence[Outcome]) -> None:
    counts = Counter(
        (is_verifiable(outcome.case.scene), outcome.answer, bool(outcome.wrong))
        for outcome in outcomes
    )
    for (verifiable, answer, wrong), count in sorted(counts.items()):
        scene = "natural" if verifiable else "deceiving"
        print(f"{scene:10} {answer:10} {'wrong' if wrong else 'right':6} {count}")
    verified = [outcome for outcome in outcomes if outcome.answer == "verified"]
    for low, high in pairwise(_MARGINS):
        own = [outcome for outcome in verified if low <= outcome.margin < high]
        exact = sum(not outcome.wrong for outcome in own)
        print(f"mean margin {low:.1f} to {high:.1f}: {exact} of {len(own)} verified answers exact")
    share = sum(outcome.unanswered for outcome in verified) / max(len(verified), 1)
    print(f"in doubt within verified answers: {share:.1%} of instants")
    silent = sum(outcome.is_silent_error for outcome in outcomes)
    print(f"silent errors: {silent} of {len(outcomes)}")


if __name__ == "__main__":
    raise SystemExit(main())
