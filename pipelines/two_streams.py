"""The story of the two streams: half a second found, corrected, and learned from.

    python pipelines/two_streams.py data/two-streams

Makes recordings whose larger stream lacks its first ten frames, shows what the probe finds, cuts
clips by the corrected time, and trains and tests a small model on them.
"""

import sys
from pathlib import Path

from rich import print as show

from dogclips.annotations import read_dataset
from dogclips.clips.config import CutConfig
from dogclips.clips.execution import cut_plan
from dogclips.clips.plan import measure_session, plan_session
from dogclips.clips.session import find_session
from dogclips.config import load_config
from dogclips.demo.recordings import make_session
from dogclips.lists.sessions import read_clips, write_session_lists
from dogclips.lists.splits import assign_splits, write_split
from dogclips.reports.tables.cut import window_table
from dogclips.reports.tables.train import result_table
from dogclips.training.config import TrainConfig
from dogclips.training.run import train
from dogclips.training.testing import test

CONFIGS = Path(__file__).parents[1] / "configs"
SHARES = {"train": 0.55, "val": 0.2, "test": 0.25}


def main(folder: Path, *settings: str) -> None:
    """Run the whole chain in `folder`; `settings` go to the training."""
    session = find_session(make_session(folder / "Feb" / "2_2_demo"))
    cut_config = load_config(CutConfig, [CONFIGS / "cut" / "demo.yaml"])
    projects, _ = read_dataset(session.projects)
    recordings = measure_session(session, projects, cut_config)
    plan = plan_session(session, projects, recordings, cut_config)
    manifest = cut_plan(plan)
    write_session_lists(session.output, manifest, plan.classes)
    show(window_table(manifest, "windows"))

    clips, names = read_clips([session.base_dir])
    splits = assign_splits(clips, len(names), SHARES)
    lists = folder / "split"
    write_split(lists, clips, splits, names, settings={"shares": SHARES})

    config = load_config(
        TrainConfig,
        [CONFIGS / "train" / "slowfast_tiny.yaml"],
        [f"data.train={lists}/train.txt", f"data.val={lists}/val.txt", *settings],
    )
    train(config, folder / "run")
    show(result_table(test(folder / "run", lists / "test.txt").report))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
