"""List files that trainers read, and splits that do not leak."""

from dogclips.lists.listfile import (
    ClipList,
    ListedClip,
    read_labels,
    read_list,
    write_labels,
    write_list,
)

__all__ = ["ClipList", "ListedClip", "read_labels", "read_list", "write_labels", "write_list"]
