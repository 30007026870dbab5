"""The recording that is cut and loaded: 720p, as a camera writes it."""

import subprocess
from pathlib import Path


def write_recording(path: Path, seconds: int) -> Path:
    """Write moving noise, a keyframe every two seconds."""
    path.parent.mkdir(parents=True)
    scene = "testsrc2=size=1280x720:rate=20,noise=alls=3:allf=t"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", scene, "-t", str(seconds)]
    command += ["-c:v", "libx264", "-preset", "veryfast", "-g", "40", "-bf", "2", str(path)]
    subprocess.run(command, check=True)
    return path
