"""`dogclips predict`: a trained model gives recordings what annotators gave them: labelled time."""

from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

import dogclips
from dogclips.cli.console import Show, leave, print_document, print_result
from dogclips.cli.options import (
    ConfigFiles,
    Json,
    MaybeAnnotatedIn,
    MaybeReference,
    MaybeTarget,
    Overrides,
    chosen_settings,
)


def predict(
    run: Annotated[Path, Argument(metavar="RUN_DIR_OR_CKPT", help="A trained model.")],
    inputs: Annotated[
        list[Path], Argument(metavar="VIDEO|BASE_DIR...", help="Recordings, or sessions.")
    ],
    out: Annotated[Path, Option(metavar="DIR", help="Folder for everything.")],
    config: ConfigFiles = None,
    set_: Overrides = None,
    stride: Annotated[
        float | None, Option(help="Seconds between windows [a quarter of one].")
    ] = None,
    clip_seconds: Annotated[
        float | None, Option(help="Length of a window [that of the training's clips].")
    ] = None,
    batch: Annotated[int | None, Option(min=1, help="Windows at a time.")] = None,
    views: Annotated[int | None, Option(min=1, help="Views in time of a window.")] = None,
    crops: Annotated[int | None, Option(min=1, help="1 or 3 crops for each view.")] = None,
    precision: Annotated[str | None, Option(help="auto, 32-true, bf16-mixed ...")] = None,
    smooth: Annotated[
        Literal["none", "median", "hysteresis"] | None,
        Option(help="Smooth the scores [none].", show_default=False),
    ] = None,
    min_bout: Annotated[float | None, Option(help="Drop bouts of fewer seconds [0].")] = None,
    merge_gap: Annotated[
        float | None, Option(help="Fill gaps of fewer seconds within a label [0].")
    ] = None,
    reference: MaybeReference = None,
    target: MaybeTarget = None,
    annotated_in: MaybeAnnotatedIn = None,
    overlay: Annotated[
        Path | None, Option(metavar="FILE.mp4", help="Write the video with bouts drawn in.")
    ] = None,
    top: Annotated[int, Option(min=1, help="Labels to show of a short recording.")] = 5,
    as_json: Json = False,
) -> None:
    """Predict bouts in whole recordings, on the annotator's time base; compare them if annotated.

    Writes predictions.parquet, bouts.csv, a VIA project and a timeline for each recording. What is
    not said here is as in the training: streams, length of a window, views.

    Example: dogclips predict runs/first dog_video/Feb/2_2_kt --out predicted
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
