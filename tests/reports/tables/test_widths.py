"""Every table at 80 and at 120 columns: no number is torn, nothing is cut off, pipes get text."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console, RenderableType

from dogclips.alignment import StreamChoice
from dogclips.annotations import Issue, Media, Project
from dogclips.clips.checks import check_project
from dogclips.clips.recordings import Recording, align_recording
from dogclips.lists.groups import Grouping
from dogclips.lists.splits import MadeSplit
from dogclips.records.manifest import manifest_table
from dogclips.records.models import Layer, ModelFacts
from dogclips.records.training_run import ClassResult, TestReport
from dogclips.records.weights import WeightsFacts
from dogclips.reports.tables.align import alignment_report
from dogclips.reports.tables.check import file_report, files_report, labels_report
from dogclips.reports.tables.cut import SKIP_REASONS, cut_label_table, window_table
from dogclips.reports.tables.models import layers_report, models_report
from dogclips.reports.tables.probe import probe_table
from dogclips.reports.tables.split import fold_table, split_table
from dogclips.reports.tables.train import result_table
from dogclips.reports.tables.weights import facts_table
from dogclips.segments import segment_table
from dogclips.streams import Stream, StreamTable
from tests.cli.program import dogclips
from tests.sessions import write_project

WIDE = 2000
NUMBER = re.compile(r"[-+~]?\d[\d,.]*%?")
LABELS = ("sits on the old sofa", "sniffs", "an unbroken_name_that_is_longer_than_its_column", "x")
HOURS_12 = 12 * 3600


def camera(index: int, first: int, width: int, height: int, rate: int = 30) -> Stream:
    """Return a stream of twelve hours: no real number is longer."""
    step = 90000 // rate
    pts = np.arange(first, HOURS_12 * rate, dtype=np.int64) * step
    return Stream(
        index=index,
        type="video",
        codec="mpeg2video",
        time_base=Fraction(1, 90000),
        pts=pts,
        end_pts=int(pts[-1]) + step,
        num_frames=len(pts),
        width=width,
        height=height,
        default=True,
    )


@pytest.fixture(scope="module")
def recording() -> Recording:
    path = Path("dog_video/Feb/2_2_kt/video/020500 a camera with a long name.mp4")
    streams = (camera(0, 0, 1280, 720), camera(11, 1000, 3840, 2160))
    table = StreamTable(path, "mov,mp4", None, streams)
    return align_recording(table, StreamChoice(), trust="auto", content="never")


def cut_tables(_: Recording) -> list[RenderableType]:
    skipped = [{"status": "skipped", "reason": reason} for reason in SKIP_REASONS]
    failed = {"status": "failed", "source": "video/020500.mp4", "reason": "no frames " * 20}
    kept = [{"status": "cut", "label_indices": [n % 4, (n + 1) % 4]} for n in range(12345)]
    manifest = manifest_table([*kept, *skipped, failed])
    annotated = dict.fromkeys(LABELS, (123456, Fraction(1234567, 10)))
    return [
        cut_label_table(manifest, LABELS, "2_2_kt: labels", annotated),
        window_table(manifest, "2_2_kt: windows of 4 s"),
    ]


def split_tables(_: Recording) -> list[RenderableType]:
    sizes = {"train": 100000, "val": 1000, "test": 1345}
    number = sum(sizes.values())
    shown = [(0, 1), *((3,) if n % 8 else (0,) for n in range(1, number))]  # one never
    clips = pd.DataFrame({"labels": shown})
    clips = clips.assign(recording=[f"r{n % 1500}" for n in range(number)])
    grouping = Grouping("recording", clips["recording"], pd.DataFrame(), 0)
    tables: list[RenderableType] = []
    for names, table in (
        (("train", "val", "test"), split_table),
        (("fold1", "fold2", "test"), fold_table),
    ):
        splits = pd.Series(np.repeat(list(names), list(sizes.values())))
        shares = dict.fromkeys(names, 1 / 3)
        tables.append(table(MadeSplit(clips, LABELS, splits, shares, grouping)))
    return tables


def model_tables(_: Recording) -> list[RenderableType]:
    values = (0.48145466, 0.4578275, 0.40821073)
    facts = ModelFacts(
        name="timesformer-joint-8x32",
        architecture="timesformer",
        num_params=1_429_721_000,
        num_classes=400,
        multiply_adds=12_379_900_000_000,
        clip_len=96,
        interval=32,
        size=448,
        mean=values,
        std=values,
        paper="Bertasius et al., ICML 2021, arXiv 2102.05095",
        licence="CC-BY-NC-4.0",
    )
    leaf = Layer(
        "pathway0_res10", "MultiscaleAttention", ((1, 25089, 2048, 56, 56),) * 2, 123456789
    )
    twin = Layer("pathway0_res11", leaf.kind, leaf.shapes, leaf.num_params)
    tree = Layer("", "", (), 0, (Layer("s2", "Stage", (), 10**9, (leaf, twin)),))
    weights = WeightsFacts(
        path=Path("weights") / ("a long name " * 9),
        kind="PyTorch checkpoint",
        source="PySlowFast",
        architecture="slowfast",
        num_tensors=1234,
        num_parameters=1_234_567_890,
        num_classes=400,
        labels=LABELS * 10,
        mean=values,
        std=values,
        said_by="its own settings",
        unknown=tuple(f"blocks.{number}.fc.bias" for number in range(20)),
        notes=("a note " * 30,),
    )
    return [models_report([facts] * 2), layers_report(facts, tree, 2), facts_table(weights)]


def check_tables(_: Recording) -> list[RenderableType]:
    name = "020500 a camera with a long name.mp4"
    rows = [
        {"media_name": name, "task": task, "label": label, "t_start": 0, "t_end": HOURS_12 + 0.125}
        for task in ("behaviour of the first dog", "place")
        for label in LABELS
    ]
    issues = (Issue("V048", "metadata.1_Qh3fXk2A", "the segment has no label; skipped " * 5),)
    path = Path("dog_video/Feb/2_2_kt/via/0205.json")
    file = check_project(Project(path, "via3", segment_table(rows), (Media(name),), issues))
    return [file_report(file), labels_report([file]), files_report([file])]


def result_tables(_: Recording) -> list[RenderableType]:
    classes = tuple(ClassResult(label, 12345, 0.123, 1.0) for label in LABELS)
    report = TestReport(
        num_clips=102345,
        loss=0.5,
        mean_ap=0.75,
        mean_f1=0.5,
        classes=classes,
        protocol="10 views x 3 crops",
    )
    return [result_table(report)]


TABLES: dict[str, Callable[[Recording], list[RenderableType]]] = {
    "probe": lambda recording: [probe_table(recording)],
    "align": lambda recording: [alignment_report(recording)],
    "cut": cut_tables,
    "split": split_tables,
    "models and weights": model_tables,
    "check": check_tables,
    "test": result_tables,
}


def printed(tables: list[RenderableType], width: int) -> str:
    console = Console(file=StringIO(), width=width, highlight=False)
    for table in tables:
        console.print(table)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def letters(text: str) -> Counter[str]:
    return Counter("".join(text.split()).replace("─", ""))


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("command", TABLES)
def test_no_number_is_torn_and_nothing_is_lost(
    command: str, width: int, recording: Recording
) -> None:
    tables = TABLES[command](recording)

    whole, narrow = printed(tables, WIDE), printed(tables, width)

    assert max(map(len, narrow.splitlines())) <= width
    assert letters(narrow) == letters(whole)
    numbers = (Counter(filter(NUMBER.fullmatch, text.split())) for text in (whole, narrow))
    assert next(numbers) - next(numbers) == Counter()
    rows = [line.split() for line in narrow.splitlines()]
    assert not any(len(row) == 1 and len(row[0]) < 2 for row in rows)  # a column of letters


def on_terminal(width: int, *arguments: Any) -> str:
    """Return what the program shows on a terminal, with all that steers it."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    environment = {
        key: value for key, value in os.environ.items() if key not in ("COLUMNS", "LINES")
    }
    with subprocess.Popen(
        [sys.executable, "-m", "dogclips", *map(str, arguments)],
        stdin=follower,
        stdout=follower,
        stderr=subprocess.DEVNULL,
        env=environment | {"TERM": "xterm-256color"},
    ):
        os.close(follower)
        shown = b""
        with suppress(OSError):  # the terminal closes with the program
            while part := os.read(leader, 65536):
                shown += part
    os.close(leader)
    return shown.decode()


def test_tables_are_as_wide_as_the_terminal_and_plain_in_a_pipe(tmp_path: Path) -> None:
    path = write_project(tmp_path, "0205", {"020500.mp4": [(0, 4, "0"), (4, 8, "a label " * 20)]})

    shown = on_terminal(80, "check", "--no-videos", path)
    piped = dogclips("check", "--no-videos", path).stdout

    assert "\x1b[" in shown
    assert "\x1b" not in piped
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).replace("\r", "")
    assert max(map(len, plain.splitlines())) <= 80 < max(map(len, piped.splitlines()))
    assert letters(plain) == letters(piped)
