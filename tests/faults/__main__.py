"""Kills at random moments: afterwards everything is as if nothing had happened.

    python -m tests.faults --kills 100 --stops 50 --seed 1

Exit code 1, with the difference, if it is not, or if a run that is told to stop, or loses a
process, takes longer than three seconds to end.
"""

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.kills import kill_often
from tests.faults.stops import LIMIT_S, stop_often, write_long_units


def main() -> int:
    """Kill and stop, and print what became of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--stops", type=int, default=50, help="of each kind")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    print(f"{options.kills} kills from seed {options.seed}", flush=True)
    with TemporaryDirectory() as folder:
        done = kill_often(Path(folder), options.kills, options.seed)
    print(f"{done.hits} runs killed, {done.ends} had ended before; all as in an unbroken run")
    print(f"the longest that a process outlived its run: {done.outlived_s:.2f} s", flush=True)
    with TemporaryDirectory() as folder:
        base_dir = write_long_units(Path(folder) / "2_2_kt")
        stopping = stop_often(base_dir, options.stops, options.seed)
    print(*stopping.lines(), sep="\n")
    return int(stopping.slowest_s > LIMIT_S)


if __name__ == "__main__":
    raise SystemExit(main())
