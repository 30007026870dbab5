"""Importers: an annotation file becomes segments. One file a format."""

from dogclips.annotations.project import Issue, Project
from dogclips.annotations.via import read_via

__all__ = ["Issue", "Project", "read_via"]
