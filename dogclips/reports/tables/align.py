"""What `dogclips align` says: three estimates, the verdict, the time map, the path of lags."""

from dataclasses import dataclass
from fractions import Fraction

from rich.console import Group, RenderableType
from rich.text import Text

from dogclips.alignment import OTHER_FILE, estimate
from dogclips.clips.recordings import Recording
from dogclips.reports.pictures.lag_plots import plot_lags
from dogclips.reports.tables.style import filled_table, marked
from dogclips.scores.lags import lags_of
from dogclips.streams import Stream
from dogclips.wording import late_start, seconds_and_frames


@dataclass(frozen=True)
class Sheet:
    """A table without its looks; names of columns with numbers end in `>`."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def alignment_report(file: Recording) -> Group:
    """Return everything that is known about how the streams of a file align."""
    parts: list[RenderableType] = [Text(_title(file), style="bold")]
    parts.extend((Text(verdict_of(file)), Text("")))
    for sheet in sheets_of(file):
        *columns, last = sheet.columns
        parts.append(
            filled_table(sheet.title, (*marked(columns, "|"), last), sheet.rows, sheet.note)
        )
    lags = lags_of(file)
    if lags is not None:
        parts.extend((plot_lags(lags), Text("")))
    parts.extend(Text(f"{message.code} {message.text}") for message in file.messages)
    return Group(*parts)


def _title(file: Recording) -> str:
    if file.original is None:
        return str(file.path)
    return f"{file.path}, cut from {file.original.path}"


def verdict_of(file: Recording) -> str:
    """Return in one sentence whether the streams of a file can be aligned, and by what."""
    table, alignment = file.measured
    if len(table.cameras) < 2 and file.original is None:
        return "There is a single video stream: nothing to align."
    if alignment.method == "identity":
        return f"Reference and target are both stream {alignment.target}: nothing to align."
    return _Pair(file).verdict()


def sheets_of(file: Recording) -> list[Sheet]:
    """Return the tables: estimates, time map, other streams."""
    _, alignment = file.measured
    pair = _Pair(file)
    if alignment.method == "identity":
        return pair.others()
    return [pair.estimates(), *pair.time_map(), *pair.others()]


class _Pair:
    """The reference and the target stream of a file, in words."""

    def __init__(self, file: Recording) -> None:
        self.table, self.alignment = file.measured
        self.reference, self.target = file.streams
        self.original = file.original
        self.names = file.stream_names
        self.known = self.alignment.estimates
        self.codes = [message.code for message in self.alignment.messages]

    def verdict(self) -> str:
        if not self.alignment.trusted:
            return self.not_trusted()
        found = f"{self.names[1]} {self.late(self.alignment.offset_s)}"
        if self.alignment.method == "content":
            return f"Trusted, by the pixels: {self.by_pixels(found)}."
        source = "frame counts" if self.alignment.method == "frame-count" else "timestamps"
        content = self.alignment.content
        contradicted = content is not None and any(
            piece.shift_s or piece.drift for piece in content.pieces
        )
        if source == "frame counts" or "P012" in self.codes or contradicted:
            return f"Trusted only because --trust says so: by {source} {found}."
        if content is not None and content.confident:
            confirmed = "it" if self.original else "its timestamps"
            return f"Trusted: {found}; the pixels confirm {confirmed}."
        if self.original:
            return f"Trusted, but not verified by pixels: {found}, because both are equally long."
        return f"Trusted, but not verified by pixels: {found}, by its timestamps."

    def not_trusted(self) -> str:
        if "P023" in self.codes:
            return "NOT trusted: a clock restarts, so that one time means two moments."
        if "P014" in self.codes:
            return "NOT trusted: the streams run on unrelated clocks."
        if OTHER_FILE in self.codes:
            return "NOT trusted: the two files show different scenes."
        counted_s = self.known.frame_count_s
        return (
            "NOT trusted: by timestamps both streams start together, but their lengths differ by"
            f" {seconds_and_frames(counted_s, self.frames(counted_s))}, and the pixels cannot tell"
            " where frames are missing."
        )

    def by_pixels(self, found: str) -> str:
        drift = self.alignment.content.drift_ppm if self.alignment.content else 0.0
        changes = len(self.alignment.time_map.pieces) - 1
        if drift:
            return (
                f"the clock of {self.names[1]} runs {drift:+.0f} ppm against that of"
                f" {self.names[0]}"
            )
        if changes:
            times = "once" if changes == 1 else f"{changes} times"
            return f"{found}, and frames are lost {times} on the way"
        if self.original:
            return found
        return f"{found}, but its timestamps say that it {self.late(self.known.timestamps_s)}"

    def late(self, offset_s: Fraction) -> str:
        late = late_start(offset_s, self.frames(offset_s))
        return late if offset_s else f"{late} with {self.names[0]}"

    def frames(self, time_s: Fraction) -> int:
        return round(time_s * (self.target.frame_rate or 0))

    def estimates(self) -> Sheet:
        one, other = (float(own.start_s or 0) for own in (self.reference, self.target))
        stamped = f"the first frames are stamped {one:.3f} s and {other:.3f} s"
        if self.original:
            stamped = "taken for granted: clocks of two files have nothing in common"
        offsets = {
            "timestamps": (self.known.timestamps_s, stamped),
            "frame counts": (self.known.frame_count_s, self.from_counts()),
            "content": (self.known.content_s, self.from_content()),
        }
        used = self.alignment.method.replace("-count", " counts") if self.alignment.trusted else ""
        rows = tuple(
            (f"{'>' if how == used else ' '} {how}", *self.offset(offset_s), words)
            for how, (offset_s, words) in offsets.items()
        )
        seen, own = (
            f"{name} {_described(stream)}"
            for name, stream in zip(self.names, (self.reference, self.target), strict=True)
        )
        title = f"how late {own} starts against {seen}"
        return Sheet(title, ("  by", "late s>", "frames>", "because"), rows)

    def offset(self, offset_s: Fraction | None) -> tuple[str, str]:
        if offset_s is None:
            return "?", "?"
        return f"{float(offset_s):+.3f}", f"{self.frames(offset_s):+d}"

    def from_counts(self) -> str:
        counts = f"{self.reference.num_frames} and {self.target.num_frames} frames"
        missing = self.frames(self.known.frame_count_s)
        if not missing:
            return f"{counts}, equally long; frames that either lacks elsewhere do not show"
        return (
            f"{counts}. Lost at the head: {missing:+d}, at the tail: 0, in between: first 0, then"
            f" {missing:+d}. Counts cannot tell which"
        )

    def from_content(self) -> str:
        content = self.alignment.content
        if content is None or not content.confident:
            return content.reason if content else "the pixels were not compared"
        believed = [window for window in content.windows if window.accepted]
        best = max(window.correlation for window in believed)
        unseen = f", at most {content.longest_unseen_s:.1f} s unseen in one piece"
        return (
            f"{len(believed)} of {len(content.windows)} windows believed, motion correlates up to"
            f" {best:.2f}, pictures {content.view.fit:.2f}; looked at {content.looked_s:.1f} s"
            f"{unseen if content.longest_unseen_s else ''}"
        )

    def time_map(self) -> list[Sheet]:
        """Return the pieces; nothing where the streams never run side by side."""
        time_map, begin = self.alignment.time_map, self.target.start_s or Fraction(0)
        rows = []
        for piece in time_map.pieces:
            start, end = piece.reference.start, piece.reference.end
            if end > start:
                times = (start, end, begin + piece(start), begin + piece(end))
                late = self.offset(start - piece.target_start - (self.reference.start_s or 0))
                ppm = float((piece.scale - 1) * 1_000_000)
                rows.append((*(f"{float(time_s):.3f}" for time_s in times), *late, f"{ppm:+.0f}"))
        one, other = self.reference.index, self.target.index
        title = f"time map, container time of streams {one} and {other}"
        if self.original:
            title = f"time map of {self.names[0]} and {self.names[1]}, on the first one's clock"
        title += "" if self.alignment.trusted else " (by timestamps, not trusted)"
        spans = (f"stream {one}\nfrom s>", "to s>", f"stream {other}\nfrom s>", "to s>")
        columns = (*spans, "late s>", "frames>", "clock\nppm>")
        total_s = float(sum(doubt.duration for doubt in time_map.doubts))
        listed = ", ".join(f"{float(d.start):.2f} to {float(d.end):.2f}" for d in time_map.doubts)
        where = f"{total_s:.2f} s of stream {one}"
        doubts = f"in doubt, and nothing is cut there ({where}): {listed} s" if listed else ""
        return [Sheet(title, columns, tuple(rows), doubts)] if rows else []

    def others(self) -> list[Sheet]:
        """Return the streams that are neither reference nor target."""
        rows = []
        for stream in self.table.streams:
            sound = stream.type == "audio"
            if stream is self.reference or stream is self.target:
                continue
            if stream.is_camera or sound:
                known = estimate(self.reference, stream)
                late, _ = self.offset(None if known is None else known.timestamps_s)
                because = "sound has no pixels to compare" if sound else "choose it with --target"
                rows.append((f"{stream.index} {_described(stream)}", late, because))
        names = ("stream", "late s>", "because")
        return [Sheet("other streams, by their timestamps", names, tuple(rows))] if rows else []


def _described(stream: Stream) -> str:
    size = f"{stream.width}x{stream.height}" if stream.type == "video" else stream.type
    return f"({size} {stream.codec})"
