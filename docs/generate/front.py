"""The first page of the reference."""

from collections.abc import Collection

from docs.generate.markdown import page, toctree

_ORDER = (
    "commands",
    "settings-cut",
    "settings-train",
    "settings-models",
    "settings-predict",
    "codes",
    "files",
    "python",
)


def pages(found: Collection[str]) -> dict[str, str]:
    """Return the page that lists the others."""
    others = sorted({name.removesuffix(".md") for name in found if "/" not in name} - {*_ORDER})
    return {"index.md": page("Reference", _INTRODUCTION, toctree([*_ORDER, *others]))}


_INTRODUCTION = """This reference is the contract with scripts and users: commands, options,
settings, codes, files, columns and functions that stand here keep their names and meanings, and a
change is announced in the changelog. It is generated from the code of the version that you read
about. Texts of messages and tables for people may change."""
