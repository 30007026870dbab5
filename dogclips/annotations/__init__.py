"""Importers: turn an annotation file into segments. One file per format."""

from dogclips.annotations.formats import read_annotations, read_dataset
from dogclips.annotations.issues import Issue, grouped
from dogclips.annotations.project import Media, Project

__all__ = ["Issue", "Media", "Project", "grouped", "read_annotations", "read_dataset"]
