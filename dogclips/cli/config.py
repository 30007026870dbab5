"""`dogclips config`: all settings of a command, to be read, changed and used with --config."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

from dogclips.cli.console import print_document, print_line
from dogclips.cli.options import OUTPUT, SETTINGS, ConfigFiles, Json, Overrides, chosen_settings
from dogclips.errors import UsageError

EXAMPLES = """
  Print all settings of cut with comments; add "> cut.yaml" to save them:
  $ dogclips config cut --set short_side=256

  See what the settings that come with dogclips for training on a CPU change:
  $ dogclips config train --config tiny_cpu
"""


def config(
    command: Annotated[
        Literal["cut", "train", "predict"],
        Argument(metavar="cut|train|predict", help="Command to print the settings of."),
    ],
    config_files: ConfigFiles = None,
    set_: Overrides = None,
    model: Annotated[
        str | None,
        Option(
            metavar="NAME",
            help="Network of `train`, as `dogclips models` lists it, or an architecture.",
            show_default="slowfast_tiny",
            rich_help_panel=SETTINGS,
        ),
    ] = None,
    diff: Annotated[
        Path | None,
        Option(
            metavar="FILE|DIR",
            help="Print only what a settings file, session or run folder changes.",
            show_default="none",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    schema: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            help="Write a JSON schema for editors, and name it in the YAML.",
            show_default="none",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Print all settings of a command, with comments, as YAML.

    Save the output, change it, and pass it to the command with --config.
    """
    from dogclips.steps.config import compare_settings, list_settings

    if diff is not None:
        if config_files or set_ or model or schema:
            what = "--diff compares one file with the defaults"
            raise UsageError(what, where="--diff", todo="remove the other options")
        compared = compare_settings(command, diff)
        if as_json:
            rows = [asdict(one) for one in compared.differences]
            found = {"settings_of": command, "file": str(compared.file), "differences": rows}
            print_document("config", found, compared)
            return
        for difference in compared.differences:
            print_line(str(difference))
        return
    settings = chosen_settings(config_files, set_, {})
    listed = list_settings(command, settings, model=model, schema=schema)
    if as_json:
        found = {"settings_of": command, "settings": [asdict(one) for one in listed.facts]}
        print_document("config", found, listed)
    else:
        print_line(listed.text.rstrip())
