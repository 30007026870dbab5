"""`dogclips predict`: find the bouts in whole recordings with a trained model."""

from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

import dogclips
from dogclips.cli.console import Show, leave, print_document, print_result
from dogclips.cli.options import (
    AS_TRAINED,
    OUTPUT,
    ConfigFiles,
    Json,
    MaybeAnnotatedIn,
    MaybeReference,
    MaybeTarget,
    Overrides,
    chosen_settings,
)

WINDOWS = "Windows"
BOUTS = "Bouts"
MACHINE = "Machine"

EXAMPLES = """
  Predict bouts in all recordings of a session; compare with annotations:
  $ dogclips predict runs/first Feb/2_2_kt --out predicted

  Predict in steps of 1 s, remove bouts under 2 s, draw bouts into a video:
  $ dogclips predict runs/first Feb/2_2_kt/video/020500.mp4 --out one \\
        --stride 1 --min-bout 2 --overlay seen.mp4
"""


def predict(
    run: Annotated[Path, Argument(metavar="RUN", help="Run folder, or a checkpoint (.ckpt).")],
    inputs: Annotated[
        list[Path],
        Argument(metavar="INPUT", help="Recordings, or sessions with all of theirs."),
    ],
    out: Annotated[
        Path, Option(metavar="DIR", help="Folder for the results.", rich_help_panel=OUTPUT)
    ],
    config: ConfigFiles = None,
    set_: Overrides = None,
    stride: Annotated[
        float | None,
        Option(
            metavar="SECONDS",
            help="Time from one window to the next (setting: stride_seconds).",
            show_default="a quarter of a window",
            rich_help_panel=WINDOWS,
        ),
    ] = None,
    clip_seconds: Annotated[
        float | None,
        Option(
            metavar="SECONDS",
            help="Length of a window (setting: clip_seconds).",
            show_default=AS_TRAINED,
            rich_help_panel=WINDOWS,
        ),
    ] = None,
    views: Annotated[
        int | None,
        Option(
            metavar="N",
            min=1,
            help="Number of views in time per window (setting: views).",
            show_default=AS_TRAINED,
            rich_help_panel=WINDOWS,
        ),
    ] = None,
    crops: Annotated[
        int | None,
        Option(
            metavar="1|3",
            min=1,
            help="Number of crops per view (setting: crops).",
            show_default=AS_TRAINED,
            rich_help_panel=WINDOWS,
        ),
    ] = None,
    batch: Annotated[
        int | None,
        Option(
            metavar="N",
            min=1,
            help="Number of windows per batch (setting: batch_size).",
            show_default=AS_TRAINED,
            rich_help_panel=MACHINE,
        ),
    ] = None,
    precision: Annotated[
        str | None,
        Option(
            metavar="PRECISION",
            help="Precision: auto, 32-true, 16-mixed or bf16-mixed (setting: precision).",
            show_default=AS_TRAINED,
            rich_help_panel=MACHINE,
        ),
    ] = None,
    smooth: Annotated[
        Literal["none", "median", "hysteresis"] | None,
        Option(
            help="How to smooth the scores (setting: smooth).",
            show_default="none",
            rich_help_panel=BOUTS,
        ),
    ] = None,
    min_bout: Annotated[
        float | None,
        Option(
            metavar="SECONDS",
            help="Remove shorter bouts (setting: min_bout_seconds).",
            show_default="0",
            rich_help_panel=BOUTS,
        ),
    ] = None,
    merge_gap: Annotated[
        float | None,
        Option(
            metavar="SECONDS",
            help="Fill shorter gaps between bouts of a label (setting: merge_gap_seconds).",
            show_default="0",
            rich_help_panel=BOUTS,
        ),
    ] = None,
    reference: MaybeReference = None,
    target: MaybeTarget = None,
    annotated_in: MaybeAnnotatedIn = None,
    overlay: Annotated[
        Path | None,
        Option(
            metavar="FILE.mp4",
            help="Write the recording with its bouts drawn in. For one recording only.",
            show_default="not written",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    top: Annotated[
        int,
        Option(
            metavar="N",
            min=1,
            help="Number of labels to show for a recording shorter than a window.",
            rich_help_panel=OUTPUT,
        ),
    ] = 5,
    as_json: Json = False,
) -> None:
    """Predict bouts in whole recordings.

    Times are those that the annotator sees. Writes predictions.parquet, bouts.csv, a VIA project
    and a timeline for each recording; scores the bouts where there are annotations.
    """
    from dogclips.reports.tables.predict import predict_document, prediction_tables

    options = {
        "stride_seconds": stride,
        "clip_seconds": clip_seconds,
        "batch_size": batch,
        "views": views,
        "crops": crops,
        "precision": precision,
        "smooth": smooth,
        "min_bout_seconds": min_bout,
        "merge_gap_seconds": merge_gap,
        "reference": reference,
        "target": target,
        "annotated_in": annotated_in,
    }
    settings = chosen_settings(config, set_, options)
    result = dogclips.predict(run, inputs, out, settings, overlay=overlay, progress=Show())
    shown = result.predictions, result.unpredicted, result.protocol, top
    if as_json:
        print_document("predict", predict_document(*shown), result)
    else:
        print_result(*prediction_tables(*shown))
    leave(result)
