"""ELAN annotation documents (`.eaf`): tiers of annotations over a common list of time slots.

Follows the EAF 3.0 schema. A tier is a task, its annotations are segments; one that refers to
another has that one's times. Those of a tier of the type Symbolic_Subdivision share them
(https://www.mpi.nl/corpus/html/elan/ch02.html): ELAN draws them one after the other, all of one
length, in the order of their PREVIOUS_ANNOTATION. Slots count milliseconds; those without a time
are put at equal steps between their neighbours.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from dogclips.annotations.documents import twice
from dogclips.annotations.project import Importer, Media, Project

_MS = re.compile(r"-?[0-9]{1,15}")
_SUBDIVISION = "Symbolic_Subdivision"
_ALIGNED, _REFERENCE = "ALIGNABLE_ANNOTATION", "REF_ANNOTATION"


def read_elan(path: Path, root: Element) -> Project | None:
    """Return the annotations of a document as segments, with all that is wrong with them.

    None where an XML document is not one of ELAN.
    """
    if root.tag != "ANNOTATION_DOCUMENT":
        return None
    reader = _Reader()
    media = reader.read_header(root)
    reader.read_slots(root)
    aligned = root.findall(f"TIER/ANNOTATION/{_ALIGNED}")
    references = root.findall(f"TIER/ANNOTATION/{_REFERENCE}")
    names = [entry.get("ANNOTATION_ID", "") for entry in (*aligned, *references)]
    reader.entries = dict(zip(names, (*aligned, *references), strict=True))
    reader.refuse_twins("annotation", names)
    reader.read_subdivisions(root)
    rows = [row for tier in root.findall("TIER") for row in reader.rows(tier)]
    counts = {"segments": len(aligned), "references": len(references)}
    main = (*media, "")[0]
    return reader.project(path, rows, map(Media, media), counts=counts, media_name=main)


@dataclass
class _Reader(Importer):
    """Walks one document and collects what is odd about it."""

    format = "elan"
    slots: dict[str, Fraction] = field(default_factory=dict)  # seconds
    guessed: set[str] = field(default_factory=set)  # slots without a time of their own
    entries: dict[str, Element] = field(default_factory=dict)
    #: Of each annotation that shares its parent's times: its place among them, and their number.
    parts: dict[str, tuple[int, int]] = field(default_factory=dict)

    def read_header(self, root: Element) -> list[str]:
        """Return the document's recordings; the first one is that which the segments are of."""
        units = [header.get("TIME_UNITS", "milliseconds") for header in root.iter("HEADER")]
        if set(units) - {"milliseconds"}:
            self.refuse("V010", "HEADER.TIME_UNITS", f"times in {units[0]!r}, not ms")
        found = [one for one in root.findall("HEADER/MEDIA_DESCRIPTOR") if _url(one)]
        if not found:
            self.refuse("V005", "HEADER", "no MEDIA_DESCRIPTOR", "link the video in ELAN")
            return []
        videos = [one for one in found if one.get("MIME_TYPE", "").startswith("video/")]
        main = (videos or found)[0]
        shift = main.get("TIME_ORIGIN", "0").strip()
        if not _MS.fullmatch(shift) or int(shift):
            # Nobody could tell us for certain whether ELAN adds or subtracts it.
            text = f"{_url(main)!r} is shifted by {shift[:40]!r} ms"
            todo = "in ELAN, set the offset of this file to 0 and correct the times"
            self.refuse("V010", "MEDIA_DESCRIPTOR.TIME_ORIGIN", text, todo)
        return list(dict.fromkeys(_url(one) for one in (main, *found)))

    def read_slots(self, root: Element) -> None:
        """Read the times of all slots; place those without one between their neighbours."""
        order = root.findall("TIME_ORDER/TIME_SLOT")
        names = [slot.get("TIME_SLOT_ID", "") for slot in order]
        texts = [slot.get("TIME_VALUE", "").strip() for slot in order]
        self.refuse_twins("time slot", names)
        given = [Fraction(int(text), 1000) if _MS.fullmatch(text) else None for text in texts]
        for name, text, time in zip(names, texts, given, strict=True):
            if text and time is None:
                self.refuse("V052", name, f"the time is {text[:40]!r}, not milliseconds")
        filled = zip(names, _filled(given), strict=True)
        self.slots = {name: time for name, time in filled if time is not None}
        self.guessed = {name for name, time in zip(names, given, strict=True) if time is None}

    def read_subdivisions(self, root: Element) -> None:
        """Note which annotations share the times of the one that they refer to."""
        kinds = {
            one.get("LINGUISTIC_TYPE_ID", "")
            for one in root.findall("LINGUISTIC_TYPE")
            if one.get("CONSTRAINTS", "") == _SUBDIVISION
        }
        for tier in root.findall("TIER"):
            if tier.get("LINGUISTIC_TYPE_REF", "") not in kinds:
                continue
            children: defaultdict[str, list[Element]] = defaultdict(list)
            for entry in tier.findall(f"ANNOTATION/{_REFERENCE}"):
                children[entry.get("ANNOTATION_REF", "")].append(entry)
            for own in children.values():
                names = _in_chain(own)
                if len(own) > 1:
                    self.parts |= {name: (place, len(own)) for place, name in enumerate(names)}
            divided = sum(len(own) for own in children.values() if len(own) > 1)
            if divided:
                text = (
                    f"{divided} annotations without times of their own share those of their parents"
                    " in equal parts, as ELAN draws them"
                )
                self.warn("V093", tier.get("TIER_ID", ""), text)

    def refuse_twins(self, kind: str, names: list[str]) -> None:
        for name in twice(names):
            self.refuse("V002", name, f"{kind} {name!r} appears twice")

    def rows(self, tier: Element) -> Iterator[dict[str, Any]]:
        """Yield what a tier's annotations say, one row each."""
        task = tier.get("TIER_ID", "").strip()
        if not task:
            self.refuse("V005", "TIER", "a tier without a TIER_ID")
            return
        for entry in tier.findall("ANNOTATION/*"):
            name = entry.get("ANNOTATION_ID", "")
            label = entry.findtext("ANNOTATION_VALUE", "").strip()
            times = self._times(f"{task}.{name}", entry)
            if not label:
                self.warn("V048", f"{task}.{name}", "the segment has no label; skipped")
            elif times is not None:
                subject, observer = (tier.get(key, "") for key in ("PARTICIPANT", "ANNOTATOR"))
                who = {"subject": subject.strip(), "observer": observer.strip()}
                yield {"source_id": name, "task": task, "label": label, **who, **times}

    def _times(self, place: str, entry: Element) -> dict[str, Any] | None:
        aligned = self._aligned(place, entry)
        if aligned is None:
            return None
        names = [aligned.get(key, "") for key in ("TIME_SLOT_REF1", "TIME_SLOT_REF2")]
        missing = [name for name in names if name not in self.slots]
        for name in missing:
            text = f"time slot {name!r} has no time, and no neighbours to place it between"
            self.refuse("V052", place, text, "align the annotation in ELAN")
        if missing:
            return None
        start, end = map(float, self._part(entry, *(self.slots[name] for name in names)))
        if start < 0:
            self.refuse("V053", place, f"time {start} s is before the start of the video")
        elif self.has_length(place, start, end):
            if self.guessed.isdisjoint(names):
                shared = any(
                    one.get("ANNOTATION_ID", "") in self.parts for one in self._chain(entry)
                )
                flags = "interpolated" if shared else ""
                return {"t_start": start, "t_end": end, "flags": flags}
            self.warn("V074", place, "a time slot without a time; placed between its neighbours")
            return {"t_start": start, "t_end": end, "flags": "interpolated"}
        return None

    def _part(self, entry: Element, start: Fraction, end: Fraction) -> tuple[Fraction, Fraction]:
        """Return the times of an annotation; what it refers to in the end has the given ones."""
        for one in reversed(self._chain(entry)):
            number, count = self.parts.get(one.get("ANNOTATION_ID", ""), (0, 1))
            length = (end - start) / count
            start, end = start + number * length, start + (number + 1) * length
        return start, end

    def _chain(self, entry: Element) -> list[Element]:
        """Return an annotation and all that it refers to, up to the one with times."""
        found = [entry]
        while found[-1].tag == _REFERENCE:
            found.append(self.entries[found[-1].get("ANNOTATION_REF", "")])
        return found

    def _aligned(self, place: str, entry: Element) -> Element | None:
        """Return the annotation with times that an annotation refers to in the end, or itself."""
        seen: set[str] = set()
        while entry.tag == _REFERENCE:
            name = entry.get("ANNOTATION_REF", "")
            if name in seen or name not in self.entries:
                why = "in a circle" if name in seen else "which does not exist"
                self.refuse("V050", place, f"refers to annotation {name!r}, {why}")
                return None
            seen.add(name)
            entry = self.entries[name]
        return entry


def _in_chain(own: list[Element]) -> list[str]:
    """Return the annotations of one parent from first to last, as each names the one before it.

    Those that no chain reaches follow in the order of the file.
    """
    after: dict[str, str] = {}
    for one in own:
        after.setdefault(one.get("PREVIOUS_ANNOTATION", ""), one.get("ANNOTATION_ID", ""))
    found: dict[str, None] = {}
    name = after.get("")
    while name is not None and name not in found:
        found[name] = None
        name = after.get(name)
    return list(found | dict.fromkeys(one.get("ANNOTATION_ID", "") for one in own))


def _url(descriptor: Element) -> str:
    relative = descriptor.get("RELATIVE_MEDIA_URL", "").strip()
    return relative or descriptor.get("MEDIA_URL", "").strip()


def _filled(times: list[Fraction | None]) -> list[Fraction | None]:
    """Return times with those missing put at equal steps between their neighbours.

    Neighbours that stand in the wrong order, as other programs write them, say nothing.

    >>> [str(time) for time in _filled([Fraction(0), None, None, Fraction(1), None])]
    ['0', '1/3', '2/3', '1', 'None']
    """
    filled = list(times)
    given = [(i, time) for i, time in enumerate(times) if time is not None]
    for (left, low), (right, high) in pairwise(given):
        for i in range(left + 1, right if low <= high else 0):
            filled[i] = low + (high - low) * Fraction(i - left, right - left)
    return filled
