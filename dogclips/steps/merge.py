"""Merge: merge the shards of a cut into one result."""

from dogclips.clips.session import OUTPUT_DIR
from dogclips.clips.shards import merging
from dogclips.errors import DogclipsError
from dogclips.events import Feed, Progress
from dogclips.files import Paths, paths_of
from dogclips.lists.sessions import write_session_lists
from dogclips.records.manifest import write_manifest
from dogclips.steps.cut import CutResult, SessionCut


def merge(base_dirs: Paths, *, progress: Progress | None = None) -> CutResult:
    """Merge the shards of `cut(..., shard="I/N")`, as if one run had cut everything.

    Writes what `cut` writes beside its clips, and deletes the manifests of the shards.

    Parameters
    ----------
    base_dirs
        Session folders; one or several.
    progress
        Called with each event; a `SessionCut` follows each finished session.

    Returns
    -------
    result
        A session that cannot be merged, because a shard is missing or unfinished, is a failure
        and does not stop the others.
    """
    feed, base_dirs = Feed(progress), paths_of(base_dirs)
    done = []
    for base_dir in base_dirs:
        output = base_dir / OUTPUT_DIR
        try:
            with merging(output) as merged:
                write_manifest(merged.table, output)
                write_session_lists(output, merged.table, merged.classes, merged.documents)
        except DogclipsError as error:
            feed.fail(error)
            continue
        done.append(SessionCut(base_dir, merged.classes, merged.table))
        feed.failures.extend(done[-1].failures)
        feed.tell(done[-1])
    outputs = tuple(base_dir / OUTPUT_DIR for base_dir in base_dirs)
    return CutResult(tuple(done), outputs, 0.0, **feed.kept)
