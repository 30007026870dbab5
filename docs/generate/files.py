"""The page of files: what every command writes, with the meaning of each column and key."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from inspect import getmodule
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from sphinx.pycode import ModuleAnalyzer

from docs.generate.markdown import anchor, code, entry, listed, page
from dogclips.annotations import boris_tables, plain
from dogclips.lists.exporting import EXPORT_KEYS
from dogclips.lists.formats import EXPORTED_TABLE, KINETICS_TABLE
from dogclips.records.columns import Column
from dogclips.records.manifest import MANIFEST_TABLE
from dogclips.records.predictions import (
    CLIP_PREDICTION_TABLE,
    STEP_PREDICTION_TABLE,
    Provenance,
)
from dogclips.records.probe import ProbeRecord
from dogclips.records.run_folder import RunFacts, RunMetrics
from dogclips.records.split import SplitRecord
from dogclips.records.training_run import EpochRecord
from dogclips.reports.tables.predict import AGREEMENT_KEYS, COUNTED_KEYS, SCORES_KEYS


@dataclass(frozen=True)
class Written:
    """A file that a command writes."""

    name: str  #: Its path in the folder, as `fnmatch` takes it
    by: tuple[str, ...]  #: The commands that write it
    meaning: str
    columns: Sequence[Column] = ()
    record: type | None = None  #: The dataclass of a JSON document, or of the rows of a table
    keys: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  #: By part of a document


# By the folder that holds them.
WRITTEN: dict[str, tuple[Written, ...]] = {
    "The output folder of a session": (
        Written(
            "*/*.mp4",
            ("cut",),
            "A clip, in a folder for each annotation file. The name holds date and site, the "
            "recording, the start in annotation time and the class indices.",
        ),
        Written(
            "manifest.parquet",
            ("cut", "merge"),
            "One row for each planned window, cut or not, with everything needed to audit it. What "
            "annotators said of whole recordings follows in columns such as `file:camera`.",
            MANIFEST_TABLE,
        ),
        Written(
            "manifest.csv",
            ("cut", "merge"),
            "The same for people. Lists are joined by ` | `, and no cell runs as a formula "
            "in a spreadsheet.",
        ),
        Written(
            "manifest.shard-*-of-*.parquet",
            ("cut",),
            "The rows of one shard, with their number in the plan in the column `row`; `dogclips "
            "merge` replaces them by one manifest.",
        ),
        Written(
            "dataset.txt",
            ("cut", "merge"),
            "All clips: a line for each, with its path relative to this folder and its class "
            "indices, separated by single spaces.",
        ),
        Written("*/dataset.txt", ("cut", "merge"), "The clips of one annotation file."),
        Written(
            "labels.txt",
            ("cut", "merge"),
            "One class name in each line. The first line is class 0.",
        ),
        Written("config.yaml", ("cut", "merge"), "All settings that were in force."),
        Written(
            "probe.json",
            ("cut", "merge"),
            "What was measured of each recording, and how its streams align. `dogclips probe "
            "--output` writes the same document.",
            record=ProbeRecord,
        ),
    ),
    "A split": (
        Written("train.txt", ("split",), "Clips to learn from; lines as in `dataset.txt`."),
        Written("val.txt", ("split",), "Clips that are scored after every epoch."),
        Written("test.txt", ("split",), "Clips for the final test."),
        Written(
            "*.csv",
            ("split",),
            "The same lists with `--format csv`: the column `path`, and a column of 0 and 1 for "
            "each class. With `--format slowfast`: lines of path and label, as PySlowFast reads.",
        ),
        Written("labels.txt", ("split",), "Class names, as in a session."),
        Written(
            "split.json",
            ("split",),
            "How the split was made, and which clip is where; `--keep` reads it.",
            record=SplitRecord,
        ),
    ),
    "A run folder": (
        Written("config.yaml", ("train",), "All settings that were in force."),
        Written("run.json", ("train",), "What is needed to understand the run.", record=RunFacts),
        Written("metrics.csv", ("train",), "A row for each epoch.", record=EpochRecord),
        Written(
            "metrics.json",
            ("train",),
            "Scores of the best epoch on the validation list. The file exists only after training "
            "has ended.",
            record=RunMetrics,
        ),
        Written(
            "predictions.parquet",
            ("train", "test"),
            "A row for each label of each clip of the validation list, by the best epoch. "
            "`dogclips test --output` writes the same table of its list. Its metadata says where "
            "the numbers come from.",
            CLIP_PREDICTION_TABLE,
            record=Provenance,
        ),
        Written("checkpoints/best.ckpt", ("train",), "Weights of the best epoch."),
        Written(
            "checkpoints/*.ckpt",
            ("train",),
            "`last.ckpt` holds what `--resume` needs; others are the next best epochs, as many as "
            "`trainer.keep` asks for.",
        ),
        Written(
            "plots/*.svg",
            ("train", "test"),
            "Plots of curves, scores, calibration and confusion; `dogclips test --plots` draws "
            "those of its list.",
        ),
        Written("tensorboard/*", ("train",), "Events, where the extra `tensorboard` is installed."),
    ),
    "Predictions": (
        Written(
            "predictions.parquet",
            ("predict",),
            "A row for each label of each step of time.",
            STEP_PREDICTION_TABLE,
        ),
        Written(
            "bouts.csv",
            ("predict", "convert"),
            "A row for each bout, as BORIS exports aggregated events. `dogclips convert --to "
            "boris-csv` writes segments in the same form.",
            boris_tables.WRITTEN_TABLE,
        ),
        Written("config.yaml", ("predict",), "All settings that were in force."),
        Written(
            "via/*.json", ("predict",), "A VIA 3 project of each recording, to look at and correct."
        ),
        Written("timelines/*.svg", ("predict",), "Scores and bouts of each recording, drawn."),
        Written(
            "scores.json",
            ("predict",),
            "How well bouts agree with annotations, where there are any.",
            keys={
                "": SCORES_KEYS,
                "all": AGREEMENT_KEYS,
                "recordings.PATH": AGREEMENT_KEYS,
                "all.seconds": COUNTED_KEYS,
                "all.bouts": COUNTED_KEYS,
            },
        ),
    ),
    "An export": (
        Written("labels.txt", ("export",), "Class names, as in a session."),
        Written(
            "export.json", ("export",), "What was exported, and from where.", keys={"": EXPORT_KEYS}
        ),
        Written("*.txt", ("export",), "`mmaction2`: a list for each split, as `dataset.txt`."),
        Written(
            "*.csv",
            ("export",),
            "A list for each split: `csv` as below with a column of 0 and 1 for each class after "
            "`labels`; `kinetics` as [below](#file-export-kinetics); `slowfast` lines of path and "
            "label.",
            EXPORTED_TABLE,
        ),
        Written("*.parquet", ("export",), "`parquet`: the same table with types."),
        Written(
            "*/metadata.parquet",
            ("export",),
            "`videofolder`: the table beside the clips of each split, their names in the column "
            "`file_name`.",
        ),
        Written(
            "*-*.tar",
            ("export",),
            "`webdataset`: shards with a clip and a JSON document of the columns for each key.",
        ),
        Written(
            "kinetics",
            ("export",),
            "The columns of `kinetics` lists: a row for each clip and label.",
            KINETICS_TABLE,
        ),
    ),
    "Single files": (
        Written(
            "*.csv",
            ("convert",),
            "`dogclips convert --to csv`: a row for each segment. Such a table is read as "
            "annotations, too.",
            plain.WRITTEN_TABLE,
        ),
        Written("*.html", ("report", "align"), "A page that needs no network."),
        Written("*.png, *.mp4", ("browse", "align", "predict"), "Pictures and videos to look at."),
        Written("browse.yaml", ("browse",), "The settings of what was drawn."),
        Written("*.svg", ("lr-find",), "Loss against learning rate."),
        Written("*.safetensors", ("weights convert",), "Weights under our names."),
    ),
}


def pages() -> dict[str, str]:
    """Return the page of files."""
    parts = []
    for folder, files in WRITTEN.items():
        parts.append(f"## {folder}")
        for one in files:
            parts += _file(folder, one)
    return {"files.md": page("Files", _INTRODUCTION, *parts)}


_INTRODUCTION = """Every file is written under a temporary name and renamed when it is whole. Names
that end in `_s` are seconds. Annotation time is what the annotator's player showed. Folders that
earlier versions wrote are read; columns and keys that are added later do not change those that are
there."""


def _file(folder: str, one: Written) -> Iterator[str]:
    own = anchor("file", folder.rsplit(maxsplit=1)[-1], one.name.replace("*", "any"))
    yield f"({own})=\n### {code(one.name)}"
    yield f"{one.meaning} *Written by* {listed(one.by)}."
    for column in one.columns:
        unit = f", {column.unit}" if column.unit else ""
        facts = f"*{column.dtype.replace('object', 'list')}{unit}*"
        yield entry(f"{own}-{anchor(column.name)}", column.name, f"{column.meaning} {facts}")
    if one.record is not None:
        for path, text in keys_of(one.record):
            yield entry(f"{own}-{anchor(path)}", path, text)
    for part, keys in one.keys.items():
        for key, text in keys.items():
            path = f"{part}.{key}" if part else key
            yield entry(f"{own}-{anchor(path)}", path, text)


def keys_of(record: type, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the path and the meaning of every key of a JSON document.

    A list in the path is `[]`, a name that is not fixed `NAME`.
    """
    told = _comments(record)
    for name, kind in get_type_hints(record).items():
        if name not in {one.name for one in fields(record)}:
            continue
        path = f"{prefix}{name}"
        yield path, _sentence(told.get(name, ""))
        for inner, step in _records_in(kind):
            yield from keys_of(inner, f"{path}{step}.")


def _records_in(kind: Any) -> Iterator[tuple[type, str]]:
    """Yield the dataclasses in a type, and how the path goes on to them."""
    origin, arguments = get_origin(kind), get_args(kind)
    if isinstance(kind, type) and is_dataclass(kind):
        yield kind, ""
    elif origin in (Union, UnionType):
        for one in arguments:
            if one is not NoneType:
                yield from _records_in(one)
    elif origin is tuple:
        yield from ((inner, f"[]{step}") for inner, step in _records_in(arguments[0]))
    elif len(arguments) == 2:
        yield from ((inner, f".NAME{step}") for inner, step in _records_in(arguments[1]))


def _comments(record: type) -> dict[str, str]:
    """Return what the comments say of the fields of a dataclass, those of its bases included."""
    found: dict[str, str] = {}
    for kind in reversed(record.__mro__):
        module = getmodule(kind)
        if not is_dataclass(kind) or module is None:
            continue
        analyzer = ModuleAnalyzer.for_module(module.__name__)
        for (owner, name), lines in analyzer.find_attr_docs().items():
            if owner == kind.__qualname__:
                found[name] = " ".join(lines).strip()
    return found


def _sentence(text: str) -> str:
    text = text.replace("None ", "null ").replace("True ", "true ").replace("False ", "false ")
    return text if not text or text.endswith(".") else f"{text}."
