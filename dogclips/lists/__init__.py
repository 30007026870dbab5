"""List files that trainers read, and splits that do not leak."""

from dogclips.lists.listfile import ClipList, ListedClip, read_list, write_list
from dogclips.records.class_names import read_labels, write_labels

__all__ = ["ClipList", "ListedClip", "read_labels", "read_list", "write_labels", "write_list"]
