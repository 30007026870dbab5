"""A real folder of sessions: from raw recordings and VIA projects to a tested model.

    python pipelines/sessions.py dog_video/Feb data/runs/feb

Every folder in the first one that has `video/` and `via/` is a session. Sessions never part: the
model is tested on sessions that it has never seen.
"""

import sys
from pathlib import Path

from rich import print as show

import dogclips
from dogclips.annotations import read_dataset
from dogclips.clips.config import CutConfig
from dogclips.clips.execution import cut_plan
from dogclips.clips.plan import measure_session, plan_session
from dogclips.clips.session import find_session
from dogclips.config import load_config
from dogclips.lists.sessions import write_session_lists
from dogclips.reports.tables.cut import window_table
from dogclips.reports.tables.split import split_table
from dogclips.reports.tables.train import result_table
from dogclips.training.config import TrainConfig
from dogclips.training.run import train
from dogclips.training.testing import test

CONFIGS = Path(__file__).parents[1] / "configs"


def main(folder: Path, out: Path, *settings: str) -> None:
    """Cut all sessions of `folder`, split by session, train and test; `settings` go to training."""
    cut_config = load_config(CutConfig, [CONFIGS / "cut" / "short_recordings.yaml"])
    base_dirs = sorted(path.parent for path in folder.glob("*/via"))
    for base_dir in base_dirs:
        session = find_session(base_dir)
        projects, _ = read_dataset(session.projects)
        recordings = measure_session(session, projects, cut_config)
        plan = plan_session(session, projects, recordings, cut_config)
        manifest = cut_plan(plan)
        write_session_lists(session.output, manifest, plan.classes)
        show(window_table(manifest, str(base_dir)))

    found = dogclips.split(base_dirs, out / "split", val=0.2, test=0.2, group_by="session")
    show(split_table(found.made))

    lists = [f"data.{split}={out}/split/{split}.txt" for split in ("train", "val")]
    model = CONFIGS / "train" / "slowfast_tiny.yaml"
    train(load_config(TrainConfig, [model], [*lists, *settings]), out / "run")
    show(result_table(test(out / "run", out / "split" / "test.txt").report))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
