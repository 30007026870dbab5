"""What it costs to check ten minutes of two streams by their pixels, against decoding them."""

import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from dogclips.alignment import StreamChoice
from dogclips.clips.recordings import align_recording
from dogclips.media.probe import probe_file
from tests.pairs.rendering import render

ROUNDS = 3
MINUTES = 10
FPS = 20
_LOSS = 10  # frames that the second file's large stream lacks at its head, closed up


def rows() -> list[tuple[str, str, str]]:
    """Return (task, against, ratio and seconds), medians over rounds in which all take turns."""
    found = []
    for name, lost in (("streams agree", 0), ("ten frames lost, closed up", _LOSS)):
        with tempfile.TemporaryDirectory() as folder:
            path = _write_pair(Path(folder), lost)
            rounds = [(_seconds_to_check(path), _seconds_to_decode(path)) for _ in range(ROUNDS)]
        ratio = statistics.median(ours / other for ours, other in rounds)
        seconds = statistics.median(ours for ours, _ in rounds)
        task = f"check {MINUTES} min of 1080p + 360p by pixels, {name}"
        found.append((task, "ffmpeg decodes both", f"{ratio:.2f} ({seconds:.1f} s)"))
    return found


def _write_pair(folder: Path, lost: int) -> Path:
    """Write what a camera would: one noisy sensor, a small stream and a large one."""
    scene = render("yard", 0)
    once, path = folder / "once.mp4", folder / "pair.mp4"
    height, width = scene.shape[1:3]
    large = f"scale=1920:1080,noise=alls=5:allf=t,split[a][b];[a]scale=640:360[s];[b]{_cut(lost)}"
    command = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{width}x{height}", "-r", str(FPS)]
    encoder = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "30", "-g", str(2 * FPS)]
    streams = ["-filter_complex", f"[0:v]{large}[l]", "-map", "[s]", "-map", "[l]"]
    output = [*streams, "-pix_fmt", "yuv420p", *encoder, str(once)]
    _ffmpeg([*command, "-i", "-", *output], scene.tobytes())
    times = round(MINUTES * 60 * FPS / len(scene))
    _ffmpeg(["-stream_loop", str(times - 1), "-i", str(once), "-map", "0", "-c", "copy", str(path)])
    return path


def _cut(lost: int) -> str:
    return f"trim=start_frame={lost},setpts=PTS-STARTPTS" if lost else "null"


def _ffmpeg(arguments: list[str], data: bytes | None = None) -> None:
    command = ["ffmpeg", "-v", "error", "-y", *arguments]
    subprocess.run(command, input=data, check=True)


def _seconds_to_check(path: Path) -> float:
    table = probe_file(path)
    began = time.monotonic()
    choice = StreamChoice(reference=0, target=1)
    recording = align_recording(table, choice, trust="auto", content="always")
    assert recording.measured[1].verified
    return time.monotonic() - began


def _seconds_to_decode(path: Path) -> float:
    began = time.monotonic()
    _ffmpeg(["-i", str(path), "-map", "0:0", "-map", "0:1", "-f", "null", "-"])
    return time.monotonic() - began


if __name__ == "__main__":
    for row in rows():
        print(*row, sep=" | ")
