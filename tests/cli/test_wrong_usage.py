"""What a new user gets wrong, command by command: each line says what, where and what to do."""

import shlex
from pathlib import Path

import pytest

from dogclips.cli.app import app
from tests.cli.program import dogclips
from tests.sessions import write_session
from tests.videos import steady

TINY = "--config slowfast_tiny"
LISTS = "--train split/train.txt --val split/val.txt"
VIDEO, PROJECT = "dogs/kt/video/020500.mp4", "dogs/kt/via/0205.json"

# What is typed, and what the one line says: what is wrong, and what to do.
WRONG: dict[str, tuple[str, str]] = {
    # cut
    "cut": ("Missing argument", "see `dogclips cut --help`"),
    "cut missing": ("no such folder (missing)", "name a session folder"),
    "cut dogs": ("this is a folder, not a session folder (dogs)", "such as dogs/kt"),
    "cut dogs/kt/video": ("a folder, not a session folder", "the folder that holds it: dogs/kt"),
    "cut dogs/kt/via": ("a folder, not a session folder", "the folder that holds it: dogs/kt"),
    "cut cutting/output": ("the output folder of a session", "the folder that holds it: cutting"),
    f"cut {VIDEO}": ("a video, not a session folder", "name its session folder: dogs/kt"),
    f"cut {PROJECT}": ("an annotation file, not a session", "name its session folder: dogs/kt"),
    "cut run": ("a run folder, not a session folder (run)", "holds video/ and via/"),
    "cut split": ("a folder of lists, not a session folder", "cut already"),
    "cut split/train.txt": ("a list of clips, not a session", "`dogclips split split/train.txt`"),
    "cut my.yaml": ("a settings file, not a session folder", "pass it as --config my.yaml"),
    "cut plain": ("no recordings (plain/video)", "copy the camera's files there"),
    "cut notes.docx": ("a file, not a session folder", "name a folder that holds video/ and via/"),
    "cut dogs/kt --config run": ("this is a folder, not a config file", "such as config.yaml"),
    "cut dogs/kt --config my.yml": ("no such config file", "or one of demo,"),
    "cut dogs/kt --config trainin": ("no such config file", "did you mean training?"),
    f"cut dogs/kt {TINY}": ("unknown config key `model`", "a setting of `dogclips train`"),
    "cut dogs/kt --set short_side": ("--set needs KEY=VALUE (short_side)", "encoder.crf=18"),
    "cut dogs/kt --set quality=20": ("`quality`", "did you mean `encoder.crf`?"),
    "cut dogs/kt --set encoder.quality=20": ("`encoder.quality`", "did you mean `encoder.crf`?"),
    "cut dogs/kt --set fps=10": ("unknown config key `fps`", "did you mean `frame_rate`?"),
    "cut dogs/kt --set background=some": ("has to be of a form such as drop", "correct"),
    "cut dogs/kt --set labels=[a]": ("`labels` has to be keys and values", "labels.rename"),
    "cut dogs/kt --crf 20": ("no such option: --crf", "did you mean --set encoder.crf=VALUE?"),
    "cut dogs/kt --worker 2": ("no such option: --worker", "did you mean --workers?"),
    "cut dogs/kt --workers 0": ("'--workers': has to be at least 1", "see `dogclips cut --help`"),
    # merge
    "merge missing": ("no shards to merge (missing/output)", "run `dogclips cut --shard I/N`"),
    "merge dogs/kt": ("no shards to merge (dogs/kt/output)", "run `dogclips cut --shard I/N`"),
    "merge run": ("a run folder, not a session folder", "holds video/ and via/"),
    # split
    "split": ("Missing argument", "see `dogclips split --help`"),
    "split split/train.txt": ("Missing option '--out'", "see `dogclips split --help`"),
    "split dogs/kt --out s": ("no clips here (dogs/kt)", "cut them first: `dogclips cut dogs/kt`"),
    "split cutting --out s": ("was interrupted (cutting)", "run `dogclips cut cutting` again"),
    "split cutting/output --out s": ("was interrupted (cutting)", "run `dogclips cut cutting`"),
    "split sharded --out s": ("only shards of this session", "run `dogclips merge sharded`"),
    "split run --out s": ("this is a run folder, not a list", "name a list"),
    f"split {VIDEO} --out s": ("a video, not a list of clips", "name a list that `dogclips cut`"),
    f"split {PROJECT} --out s": ("an annotation file, not a list", "name a list"),
    "split my.yaml --out s": ("a settings file, not a list of clips", "name a list"),
    "split none.txt --out s": ("cannot be read (none.txt)", "check the path"),
    "split split/train.txt --out s --keep split": ("cannot be read (split)", "split.json"),
    # train
    f"train --out r {LISTS}": ("no model is chosen", "--config slowfast_tiny"),
    f"train --out r {TINY}": ("no training list (data.train)", "pass --train LIST"),
    f"train --out r {TINY} --train split/train.txt": ("no validation list", "pass --val LIST"),
    f"train --out r {TINY} --train split": ("a folder of lists", "such as split/train.txt"),
    f"train --out r {TINY} --train split/train.txt --val split": (
        "a folder of lists, not a list of clips",
        "such as split/train.txt",
    ),
    f"train --out r {TINY} --train dogs/kt": ("a session folder", "`dogclips cut dogs/kt`"),
    f"train --out r {TINY} --train run": ("a run folder, not a list of clips", "name a list"),
    f"train --out r {TINY} --train {VIDEO}": ("a video, not a list", "name a list"),
    f"train --out r {TINY} --train {PROJECT}": ("an annotation file, not a list", "name a list"),
    f"train --out r {TINY} --train weights.pth": ("a file of weights, not a list", "name a list"),
    f"train --out split/train.txt {TINY} {LISTS}": (
        "this is a list of clips, not a run folder (split/train.txt)",
        "lists go to --train and --val",
    ),
    "train split/train.txt": ("unexpected argument split/train.txt", "go to --train and --val"),
    f"train --out r {LISTS} --config slowfast-r50-8x8": (
        "no such config file",
        "did you mean slowfast_r50_8x8?",
    ),
    f"train --out r {LISTS} --model slowfast": ("no such option: --model", "--set model.name="),
    "train --out r --epochs 3": ("no such option: --epochs", "--set trainer.epochs=VALUE"),
    f"train --out r {LISTS} --set model.name=resnet50": (
        "`model.name`: no network is called 'resnet50'",
        "choose one of timesformer, slowfast",
    ),
    f"train --out r {TINY} {LISTS} --set optimizer.learning_rate=1": (
        "`optimizer.learning_rate`",
        "did you mean `optimizer.lr`?",
    ),
    f"train --out r {TINY} {LISTS} --set model.num_classes=3": (
        "unknown config key `model.num_classes`",
        "the number of classes comes from labels.txt",
    ),
    f"train --out r {TINY} {LISTS} --set batch_size=3": ("`batch_size`", "`data.batch_size`?"),
    f"train --out r {TINY} {LISTS} --set max_epochs=3": ("`max_epochs`", "`trainer.epochs`?"),
    f"train --out r {TINY} {LISTS} --set data.num_frames=3": (
        "`data.num_frames`",
        "`data.sampling.clip_len`?",
    ),
    f"train --out r {TINY} {LISTS} --set model.depths=[1,2]": ("a list of 4 values", "write all"),
    f"train --out r {TINY} {LISTS} --devices two": ("an integer or 'auto'", "correct the value"),
    # lr-find
    "lr-find": ("no model is chosen", "`dogclips models`"),
    f"lr-find {TINY}": ("no training list (data.train)", "pass --train LIST"),
    f"lr-find {TINY} --train split": ("a folder of lists", "such as split/train.txt"),
    # test
    "test run": ("Missing option '--list'", "see `dogclips test --help`"),
    "test split/train.txt --list run": (
        "a list of clips, not a run folder or checkpoint",
        "the run folder comes first: `dogclips test RUN_DIR --list split/train.txt`",
    ),
    "test dogs/kt --list split/test.txt": ("a session folder", "the run folder comes first"),
    "test split --list split/test.txt": ("a folder of lists", "--list split/test.txt"),
    "test plain --list split/test.txt": ("a folder, not a run", "that `dogclips train` wrote"),
    "test none --list split/test.txt": ("no such checkpoint (none)", "check the path"),
    "test run --list split/test.txt": ("no checkpoints/best.ckpt", "`dogclips train --resume`"),
    # repair
    f"repair {VIDEO}": ("Missing option '--out'", "see `dogclips repair --help`"),
    "repair missing.mp4 --out x.mp4": ("no such file (missing.mp4)", "check the path"),
    f"repair {VIDEO} --out {VIDEO}": ("this file is the input", "write to another file"),
    # predict
    "predict run": ("Missing argument", "see `dogclips predict --help`"),
    "predict dogs/kt run --out p": (
        "this is a session folder, not a run folder or checkpoint (dogs/kt)",
        "the run folder comes first: `dogclips predict RUN_DIR dogs/kt --out DIR`",
    ),
    f"predict {VIDEO} run --out p": ("this is a video", "the run folder comes first"),
    "predict split/train.txt dogs/kt --out p": ("this is a list of clips", "comes first"),
    "predict none dogs/kt --out p": ("no such checkpoint (none)", "check the path"),
    "predict run dogs/kt --out p --threshold 1": ("--threshold", "--set threshold=VALUE"),
    "predict run dogs/kt --out p --set stride=1": ("`stride`", "did you mean `stride_seconds`?"),
    "predict run dogs/kt --out p --stride 0": ("`stride_seconds` has to be above 0", "correct"),
    # probe and align
    "probe none.mp4": ("no such file (none.mp4)", "check the path"),
    "probe dogs": ("a folder, not a session folder", "such as dogs/kt"),
    "probe run": ("a run folder, not a session folder", "video/"),
    f"probe {PROJECT}": ("this is an annotation file, not a video", "name a recording"),
    "probe split/train.txt": ("this is a list of clips, not a video", "name a recording"),
    "align dogs/kt": ("not a file (dogs/kt)", "name a video file"),
    f"align {PROJECT}": ("this is an annotation file, not a video", "name a recording"),
    # convert
    "convert dogs/kt o.json --to via": ("a session folder, not an annotation", PROJECT),
    f"convert {VIDEO} o.json --to via": ("a video, not an annotation file", "name a file"),
    # export
    "export dogs/kt --format csv --out e": ("no clips here (dogs/kt)", "`dogclips cut dogs/kt`"),
    "export cutting --format csv --out e": ("was interrupted", "run `dogclips cut cutting` again"),
    "export run --format csv --out e": ("this is a run folder", "name a list"),
    # browse
    "browse dogs/kt --out b.png": ("a session folder, not a list", "`dogclips cut dogs/kt`"),
    "browse split --out b.png": ("a folder of lists", "such as split/train.txt"),
    f"browse {VIDEO} --out b.png": ("a video, not a list of clips", "name a list"),
    # report
    "report cutting --output r.html": ("was interrupted", "run `dogclips cut cutting` again"),
    "report split --output r.html": ("a folder of lists, not a session folder", "cut already"),
    f"report {VIDEO} --output r.html": ("a video, not a session", "session folder: dogs/kt"),
    # weights, models, config, demo
    "weights inspect none.pth": ("no such checkpoint (none.pth)", "check the path"),
    "weights inspect split/train.txt": ("(split/train.txt)", "name the file of weights"),
    "models show slowfast": ("no such model (slowfast)", "did you mean slowfast-r50-8x8?"),
    "models show resnet": ("no such model (resnet)", "`dogclips models` lists all"),
    "config": ("Missing argument", "see `dogclips config --help`"),
    "config test": ("'test' is not one of", "see `dogclips config --help`"),
    "config train --model slowfast_tiny": ("shipped settings", "pass --config slowfast_tiny"),
    "config cut --diff plain": ("no config.yaml in this folder (plain)", "name a settings file"),
    "config cut --schema plain": ("cannot write", "choose another name"),
}


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workplace")
    write_session(folder / "dogs" / "kt", streams=[steady(20)])
    for name, left in (
        ("cutting", "0205/.clip.mp4.part"),
        ("sharded", "manifest.shard-1-of-2.parquet"),
    ):
        for inner in ("video/a.mp4", "via/a.json", f"output/{left}"):
            path = folder / name / inner
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    for name in ("run/run.json", "split/a.mp4", "notes.docx", "weights.pth"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    (folder / "split" / "labels.txt").write_text("walk\n")
    for name in ("train", "val", "test"):
        (folder / "split" / f"{name}.txt").write_text("a.mp4 0\n")
    (folder / "plain").mkdir()
    (folder / "my.yaml").write_text("short_side: 256\n")
    return folder


@pytest.mark.parametrize("typed", WRONG)
def test_a_wrong_call_says_what_is_wrong_and_what_to_do(workplace: Path, typed: str) -> None:
    shown = dogclips(*shlex.split(typed), cwd=workplace)

    what, todo = WRONG[typed]
    [line] = shown.stderr.splitlines()
    assert shown.returncode in {1, 2}
    assert line.startswith("error: ")
    assert what in line
    assert todo in line[line.index(what) + len(what) :]
    assert not (workplace / "r").exists()


def test_every_command_is_called_wrongly_here() -> None:
    commands = {command.name for command in app.registered_commands}
    commands |= {group.name for group in app.registered_groups}
    # `check` shows what is wrong in its table, and `demo` takes nothing that could be.
    assert {typed.split()[0] for typed in WRONG} == commands - {"check", "demo"}
