"""`dogclips test`: score a run or a checkpoint on a list, by a stated protocol."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

import dogclips
from dogclips.cli.console import Show, print_document, print_result
from dogclips.cli.options import AS_TRAINED, OUTPUT, Json

SCORING = "Scoring"

EXAMPLES = """
  Score a run on the test list of its split:
  $ dogclips test runs/first --list split/test.txt

  Average over 2 views of each clip; write predictions and plots:
  $ dogclips test runs/first --list split/test.txt --views 2 \\
        --output test.parquet --plots plots
"""


def test(
    source: Annotated[Path, Argument(metavar="RUN", help="Run folder, or a checkpoint (.ckpt).")],
    list_path: Annotated[
        Path,
        Option("--list", metavar="LIST", help="Clips to score.", rich_help_panel=SCORING),
    ],
    views: Annotated[
        int | None,
        Option(
            metavar="N",
            min=1,
            help="Number of views in time per clip (setting: evaluation.views).",
            show_default=AS_TRAINED,
            rich_help_panel=SCORING,
        ),
    ] = None,
    crops: Annotated[
        int | None,
        Option(
            metavar="1|3",
            min=1,
            help="Number of crops per view (setting: evaluation.crops).",
            show_default=AS_TRAINED,
            rich_help_panel=SCORING,
        ),
    ] = None,
    as_json: Json = False,
    output: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            help="Write the predictions to FILE, as Parquet.",
            show_default="not written",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    plots: Annotated[
        Path | None,
        Option(
            metavar="DIR",
            help="Write plots to DIR, as SVG.",
            show_default="not written",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
) -> None:
    """Score a trained model on a list of clips.

    Shows AP, F1 and more for each class, their means, and how the clips were scored.
    """
    from dogclips.reports.tables.train import report_document, result_table

    result = dogclips.test(
        source, list_path, views=views, crops=crops, output=output, plots=plots, progress=Show()
    )
    if as_json:
        document = report_document(result.report, result.predictions.attrs, result.skipped)
        print_document("test", document, result)
    else:
        print_result(result_table(result.report))
