"""A real folder of sessions: from raw recordings and VIA projects to a tested model.

    python pipelines/sessions.py dog_video/Feb data/runs/feb

Every folder in the first one that has `video/` and `via/` is a session. Sessions never part: the
model is tested on sessions that it has never seen.
"""

import sys
from pathlib import Path

import dogclips


def main(folder: Path, out: Path, *settings: str) -> None:
    """Cut all sessions of `folder`, split by session, train and test; `settings` go to training."""
    base_dirs = sorted(path.parent for path in folder.glob("*/via"))
    cut = dogclips.cut(base_dirs, "short_recordings")
    print(cut.manifest.groupby(["status", "reason"]).size().to_string())

    lists = out / "split"
    dogclips.split(base_dirs, lists, val=0.2, test=0.2, group_by="session")
    run = dogclips.train(
        out / "run",
        ["slowfast_tiny", *settings],
        train=lists / "train.txt",
        val=lists / "val.txt",
    )
    tested = dogclips.test(run.run_dir, lists / "test.txt")
    print(f"mAP {tested.report.mean_ap}: {tested.report.protocol}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
