"""Options that several commands share, each defined once."""

from pathlib import Path
from typing import Annotated

import typer

ConfigFiles = Annotated[
    list[Path] | None,
    typer.Option("--config", metavar="FILE", help="YAML settings; repeatable, later wins."),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="One setting, such as encoder.crf=18."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
