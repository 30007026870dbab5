"""The story of the two streams: half a second found, corrected, and learned from.

    python pipelines/two_streams.py data/two-streams

Makes recordings whose larger stream lacks its first ten frames, shows what the probe finds, cuts
clips by the corrected time, trains and tests a small model on them, and predicts a recording.
"""

import sys
from pathlib import Path

import dogclips


def main(folder: Path, *settings: str) -> None:
    """Run the whole chain in `folder`; `settings` go to the training."""
    base_dir = dogclips.make_session(folder / "Feb" / "2_2_demo")
    recording = base_dir / "video" / "020500.mp4"
    [found] = dogclips.probe(recording, content=True).recordings
    if found.alignment is not None:
        print(f"the larger stream begins {float(found.alignment.offset_s):.2f} s late")

    cut = dogclips.cut(base_dir, "demo")
    print(cut.manifest.groupby(["status", "reason"]).size().to_string())
    lists = folder / "split"
    dogclips.split(base_dir, lists, val=0.2, test=0.25)

    run = dogclips.train(
        folder / "run",
        ["slowfast_tiny", *settings],
        train=lists / "train.txt",
        val=lists / "val.txt",
    )
    tested = dogclips.test(run.run_dir, lists / "test.txt")
    print(f"mAP {tested.report.mean_ap}: {tested.report.protocol}")
    dogclips.predict(run.run_dir, recording, folder / "predicted")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
