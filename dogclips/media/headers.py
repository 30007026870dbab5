"""The first bits of packets: whether they hold a picture, and of which kind.

Only what no time tells is read: whether a picture is shown at all (VP8, VP9), is coded at all or
needs others (MPEG-4, H.263), is a field (H.264), or comes after a loss (where they are numbered).
The names in comments are those of the standards: RFC 6386, the VP9 bitstream specification, ISO/IEC
14496-2 and -10, ISO/IEC 13818-2, ITU-T H.263 and H.265.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from dogclips.media.pictures import NUMBERED_ANEW, Role, Seen
from dogclips.timebase import Pts

_VOP = b"\x00\x00\x01\xb6"  # vop_start_code
_STUB_BYTES = 8
_INTRA, _FORWARD, _BOTH_WAYS = 0, 1, 2  # vop_coding_type
_FAR = 1 << 30  # pictures since a keyframe; nothing lost can be so far
_TURNS = 4  # pictures that take turns in rounding for one that does not
_SLICE, _IDR, _SPS = 1, 5, 7  # nal_unit_type
# nal_unit_type of H.265: the first after the slices; IDR_W_RADL and IDR_N_LP; the first that can
# be decoded alone; those that are shown before such a one.
_HEVC_PARAMETERS, _HEVC_SPS, _HEVC_PPS = 32, 33, 34
_HEVC_KINDS = (_BOTH_WAYS, _FORWARD, _INTRA)
_HEVC_IDR, _HEVC_IRAP, _HEVC_LEADING = (19, 20), 16, range(6, 10)
# Profiles whose sequence parameter sets describe the sampling of colours.
_HIGH = (100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135)


class Bits:
    """Bits of a packet, read from the first one on; behind the end they are 0."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        """Return the number that the next bits are."""
        self._left -= count
        if self._left < 0:
            return 0
        return self._value >> self._left & ((1 << count) - 1)

    def golomb(self) -> int:
        """Return the next number in Exp-Golomb code, ue(v)."""
        zeros = 0
        while self._left > 0 and not self.take(1):
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)


class Headers(ABC):
    """What the packets of one stream say, read one after another."""

    def __init__(self, extradata: bytes) -> None:
        self.extradata = extradata
        self.roles: list[Role] = []
        self.false_keys: list[int] = []
        self.torn: list[int] = []
        self.linked: list[int] = []
        self.since: list[int] = []  # for each packet, if anything tells

    @abstractmethod
    def read(self, data: bytes, *, key: bool) -> None:
        """Read the next packet."""

    def seen(self) -> Seen | None:
        """Return what was read; None if it does not tell the pictures."""
        roles = np.array(self.roles, dtype=np.int8)
        marked = frozenset(self.false_keys), frozenset(self.torn), frozenset(self.linked)
        return Seen(roles, None, *marked, since=self._distances)

    @property
    def _distances(self) -> Pts | None:
        return np.array(self.since, dtype=np.int64) if self.since else None


class Vp8Headers(Headers):
    """VP8: show_frame in the frame tag."""

    def read(self, data: bytes, *, key: bool) -> None:  # noqa: ARG002
        """Read the next packet."""
        self.roles.append(Role.PICTURE if data[0] >> 4 & 1 else Role.UNSEEN)


class Vp9Headers(Headers):
    """VP9: show_frame of any frame in a superframe."""

    def read(self, data: bytes, *, key: bool) -> None:  # noqa: ARG002
        """Read the next packet."""
        shown = any(_is_shown(frame[:4]) for frame in _frames(data))
        self.roles.append(Role.PICTURE if shown else Role.UNSEEN)


def _frames(data: bytes) -> Iterator[bytes]:
    """Yield the frames of a superframe, which ends in an index of their sizes; or the only one."""
    marker = data[-1]
    count, length = (marker & 7) + 1, (marker >> 3 & 3) + 1
    size = 2 + count * length
    if marker & 0xE0 != 0xC0 or len(data) < size or data[-size] != marker:
        yield data
        return
    begin = 0
    for number in range(count):
        place = len(data) - size + 1 + number * length
        stop = begin + int.from_bytes(data[place : place + length], "little")
        if stop > begin:
            yield data[begin:stop]
        begin = stop


def _is_shown(frame: bytes) -> bool:
    bits = Bits(frame)
    bits.take(2)  # frame_marker
    if bits.take(2) == 3:  # both bits of the profile
        bits.take(1)
    if bits.take(1):  # show_existing_frame
        return True
    bits.take(1)  # frame_type
    return bool(bits.take(1))


class Mpeg4Headers(Headers):
    """MPEG-4 part 2: vop_coding_type and vop_coded."""

    def __init__(self, extradata: bytes) -> None:
        super().__init__(extradata)
        self._kinds: list[int] = []
        self._packed = False
        self._time_bits = _time_bits(extradata)
        self._rounding: int | None = None  # of the last picture that others need

    def read(self, data: bytes, *, key: bool) -> None:
        """Read the next packet."""
        self._time_bits = _time_bits(data) or self._time_bits
        found = data.find(_VOP)
        # Where packets hold two pictures, one that holds none stands for the second of another.
        self._packed = self._packed or data.find(_VOP, found + 4) > found >= 0
        bits = Bits(data[found + 4 : found + 24] if found >= 0 else b"")
        kind = bits.take(2)
        if key and kind != _INTRA:
            self.false_keys.append(len(self.roles))
        self._kinds.append(kind)
        while bits.take(1):  # modulo_time_base
            pass
        bits.take(1 + (self._time_bits or 0) + 1)
        coded = self._time_bits is None or bool(bits.take(1))
        if found < 0:  # a stub that stands for nothing, or damage
            coded = len(data) > _STUB_BYTES
        rounding = bits.take(1) if kind == _FORWARD else 0
        if coded and kind in (_INTRA, _FORWARD):
            self._turn(kind, rounding)
        # A keyframe does not round; the first picture after it does.
        self.since.append((1 if rounding else 2) if coded and kind == _FORWARD else _FAR)
        self.roles.append(Role.PICTURE if coded else Role.HELD)

    def _turn(self, kind: int, rounding: int) -> None:
        """Note whether a picture rounds in another way than the one before it, as encoders do."""
        if kind == _FORWARD and self._rounding is not None:
            alike = rounding == self._rounding
            (self.torn if alike else self.linked).append(len(self.roles))
        self._rounding = rounding

    def seen(self) -> Seen | None:
        """Return what was read; pictures between two others come after both in the file."""
        if self._packed:
            return None
        known = _order_of(self._kinds) if _BOTH_WAYS in self._kinds else None
        # Encoders that never take turns tell nothing.
        tells = len(self.linked) > _TURNS * len(self.torn)
        torn, linked = (self.torn, self.linked) if tells else ([], [])
        marked = frozenset(self.false_keys), frozenset(torn), frozenset(linked)
        since = self._distances if tells else None
        return Seen(np.array(self.roles, dtype=np.int8), known, *marked, since=since)


def _order_of(kinds: Sequence[int]) -> Pts:
    """Return packets as they are shown: those between two others come after both in the file."""
    order, waiting = list[int](), list[int]()
    for number, kind in enumerate(kinds):
        if kind == _BOTH_WAYS:
            order.append(number)
        else:
            order += waiting
            waiting = [number]
    return np.array(order + waiting, dtype=np.int64)


def _time_bits(data: bytes) -> int | None:
    """Return how long vop_time_increment is, from a video object layer; None if there is none."""
    found = data.find(b"\x00\x00\x01")
    while found >= 0 and not 0x20 <= data[found + 3 : found + 4].ljust(1, b"\0")[0] <= 0x2F:
        found = data.find(b"\x00\x00\x01", found + 3)
    if found < 0:
        return None
    bits = Bits(data[found + 4 : found + 40])
    bits.take(1 + 8)  # random_accessible_vol, video_object_type_indication
    if bits.take(1):  # is_object_layer_identifier
        bits.take(4 + 3)
    if bits.take(4) == 15:  # aspect_ratio_info: extended_PAR
        bits.take(16)
    if bits.take(1):  # vol_control_parameters
        bits.take(2 + 1)
        if bits.take(1):  # vbv_parameters
            bits.take(79)
    bits.take(2 + 1)  # video_object_layer_shape
    resolution = bits.take(16)
    return max((resolution - 1).bit_length(), 1) if resolution else None


class H263Headers(Headers):
    """H.263: the picture coding type."""

    def read(self, data: bytes, *, key: bool) -> None:
        """Read the next packet."""
        bits = Bits(data[:12])
        bits.take(22 + 8 + 2 + 3)  # PSC, TR, and what PTYPE begins with
        if bits.take(3) != 7:  # source format; else PLUSPTYPE
            intra = not bits.take(1)
        else:
            if bits.take(3) == 1:  # UFEP
                bits.take(18)
            intra = bits.take(3) == 0
        if key and not intra:
            self.false_keys.append(len(self.roles))
        self.roles.append(Role.PICTURE)


class H264Headers(Headers):
    """H.264: frame_num, field_pic_flag and bottom_field_flag."""

    def __init__(self, extradata: bytes) -> None:
        super().__init__(extradata)
        self._sizes = (extradata[4] & 3) + 1 if extradata[:1] == b"\x01" else 0
        self._numbers, self._fields, self._planes = 4, False, False
        self._open: tuple[int, int] | None = None  # a field that waits for its second one
        self._before: int | None = None  # frame_num of the last picture that others need
        self._key: tuple[int, int] | None = None  # the last keyframe: packet and idr_pic_id
        for unit in _parameter_sets(extradata) if self._sizes else _units(extradata, 0):
            self._read_parameters(unit)

    def read(self, data: bytes, *, key: bool) -> None:  # noqa: ARG002
        """Read the next packet."""
        role = Role.PICTURE
        begins = True
        self.since.append(_FAR)
        for unit in _units(data, self._sizes):
            kind = unit[0] & 31
            if kind == _SPS:
                self._read_parameters(unit)
            elif kind in (_SLICE, _IDR) and unit[1] & 0x80:  # first_mb_in_slice is 0
                completes = self._read_slice(unit)
                if begins and completes:
                    role = Role.SECOND_FIELD
                begins = False
        self.roles.append(role)

    def _read_parameters(self, unit: bytes) -> None:
        if not unit or unit[0] & 31 != _SPS:
            return
        bits = Bits(unit[1:].replace(b"\x00\x00\x03", b"\x00\x00"))
        profile = bits.take(8)
        bits.take(16)
        bits.golomb()  # seq_parameter_set_id
        self._planes = profile in _HIGH and _pass_colours(bits)
        self._numbers = bits.golomb() + 4  # log2_max_frame_num_minus4
        order = bits.golomb()  # pic_order_cnt_type
        if order == 0:
            bits.golomb()
        elif order == 1:
            bits.take(1)
            for _ in range(2):
                bits.golomb()
            for _ in range(bits.golomb()):
                bits.golomb()
        bits.golomb()  # max_num_ref_frames
        bits.take(1)
        bits.golomb()
        bits.golomb()
        self._fields = not bits.take(1)  # frame_mbs_only_flag

    def _read_slice(self, unit: bytes) -> bool:
        """Return whether a picture's first slice completes the field before it."""
        bits = Bits(unit[1:24].replace(b"\x00\x00\x03", b"\x00\x00"))
        for _ in range(3):
            bits.golomb()  # first_mb_in_slice, slice_type, pic_parameter_set_id
        if self._planes:
            bits.take(2)
        number = bits.take(self._numbers)  # frame_num
        is_field = self._fields and bool(bits.take(1))  # field_pic_flag
        bottom = bits.take(1) if is_field else 0  # bottom_field_flag
        is_first, is_needed = unit[0] & 31 == _IDR, bool(unit[0] & 0x60)
        if is_first and not bottom:
            self._pass_key(bits.golomb())  # idr_pic_id
        self._count(number, is_first=is_first, is_needed=is_needed, is_field=is_field)
        if not is_field:
            self._open = None
            return False
        own = number, bottom
        if self._open == (number, 1 - own[1]):
            self._open = None
            return True
        self._open = own
        return False

    def _pass_key(self, own: int) -> None:
        """Note that no keyframe is lost since the last one, if both are numbered in turn."""
        here = len(self.roles)
        if self._key is not None:
            last, before = self._key
            if own in (before + 1, 1 - before):
                self.since[last:here] = [_FAR] * (here - last)
        self._key = here, own

    def _count(self, number: int, *, is_first: bool, is_needed: bool, is_field: bool) -> None:
        """Note where a picture that others need is missing before this one.

        Both fields of a picture have its number.
        """
        before = self._before
        if not is_first:
            self.since[-1] = number or 1 << self._numbers
        if before is not None and not is_first:
            following = (before + 1) % (1 << self._numbers)
            if number != following and not (is_field and number == before):
                self.torn.append(len(self.roles))
        if is_needed or is_first:
            self._before = number


class NumberedHeaders(Headers):
    """Pictures that are numbered in the order shown; some of them begin again at 0."""

    def __init__(self, extradata: bytes) -> None:
        super().__init__(extradata)
        self._numbers_of: list[int] = []
        self._kinds: list[int] = []
        self._begin = 0

    def _add(self, number: int, kind: int, *, anew: bool) -> None:
        """Note the number of the next packet's picture, and whether it needs one after it."""
        self._begin += anew * NUMBERED_ANEW
        self._numbers_of.append(self._begin + number)
        self._kinds.append(kind)
        self.roles.append(Role.PICTURE)

    def seen(self) -> Seen | None:
        """Return what was read."""
        roles, kinds = np.array(self.roles, dtype=np.int8), np.array(self._kinds)
        # Some encoders call all of them pictures that may need those after them.
        between = (kinds == _BOTH_WAYS) & bool((kinds == _FORWARD).any())
        numbers = np.array(self._numbers_of, dtype=np.int64)
        return Seen(roles, numbers=numbers, between=between)


class Mpeg2Headers(NumberedHeaders):
    """MPEG-1 and MPEG-2: temporal_reference."""

    def read(self, data: bytes, *, key: bool) -> None:  # noqa: ARG002
        """Read the next packet."""
        found = data.find(b"\x00\x00\x01\x00")  # picture_start_code
        bits = Bits(data[found + 4 : found + 8] if found >= 0 else b"")
        number, kind = bits.take(10), bits.take(3) - 1  # picture_coding_type
        group = data.find(b"\x00\x00\x01\xb8")  # group_start_code
        self._add(number, kind, anew=0 <= group < found)

    def seen(self) -> Seen | None:
        """Return what was read."""
        found = super().seen()
        return None if found is None else replace(found, order=_order_of(self._kinds))


class HevcHeaders(NumberedHeaders):
    """H.265: slice_pic_order_cnt_lsb."""

    def __init__(self, extradata: bytes) -> None:
        super().__init__(extradata)
        self._sizes = (extradata[21] & 3) + 1 if extradata[:1] == b"\x01" else 0
        self._apart, self._numbers, self._extra, self._says_output = False, 8, 0, False
        self._last = 0  # PicOrderCntVal of the last picture that all others may need
        for unit in _hevc_parameter_sets(extradata) if self._sizes else _units(extradata, 0):
            self._read_parameters(unit)

    def read(self, data: bytes, *, key: bool) -> None:  # noqa: ARG002
        """Read the next packet."""
        number, shown, anew = None, _INTRA, False
        for unit in _units(data, self._sizes):
            kind = unit[0] >> 1 & 63
            if kind < _HEVC_PARAMETERS and number is None and unit[2:3] >= b"\x80":
                anew = kind in _HEVC_IDR
                number, shown = self._order(unit, kind)
            else:
                self._read_parameters(unit)
        self._add(-1 if number is None else number, shown, anew=anew)

    def _order(self, unit: bytes, kind: int) -> tuple[int, int]:
        """Return PicOrderCntVal and kind of a picture, from its first slice."""
        if kind in _HEVC_IDR:
            self._last = 0
            return 0, _INTRA
        bits = Bits(_unescaped(unit[2:24]))
        bits.take(2 if kind >= _HEVC_IRAP else 1)
        bits.golomb()  # slice_pic_parameter_set_id
        bits.take(self._extra)
        shown = _HEVC_KINDS[bits.golomb() % 3]  # slice_type
        bits.take(self._says_output + 2 * self._apart)
        span = 1 << self._numbers
        low = bits.take(self._numbers)
        number = self._last + (low - self._last + span // 2) % span - span // 2
        is_needed = kind >= _HEVC_IRAP or (kind % 2 and kind not in _HEVC_LEADING)
        if is_needed and unit[1] & 7 == 1:  # TemporalId 0
            self._last = number
        return number, shown

    def _read_parameters(self, unit: bytes) -> None:
        kind = unit[0] >> 1 & 63 if unit else 0
        bits = Bits(_unescaped(unit[2:]))
        if kind == _HEVC_PPS:
            bits.golomb()
            bits.golomb()
            bits.take(1)  # dependent_slice_segments_enabled_flag
            self._says_output, self._extra = bool(bits.take(1)), bits.take(3)
        elif kind == _HEVC_SPS:
            bits.take(4)
            _pass_levels(bits, bits.take(3))
            bits.golomb()  # sps_seq_parameter_set_id
            self._apart = bits.golomb() == 3 and bool(bits.take(1))
            bits.golomb()  # pic_width_in_luma_samples
            bits.golomb()
            for _ in range(4 if bits.take(1) else 0):  # conformance_window_flag
                bits.golomb()
            bits.golomb()  # bit_depth_luma_minus8
            bits.golomb()
            self._numbers = bits.golomb() + 4  # log2_max_pic_order_cnt_lsb_minus4


def _pass_levels(bits: Bits, sub_layers: int) -> None:
    """Read over sps_temporal_id_nesting_flag and profile_tier_level."""
    bits.take(1 + 88 + 8)
    flags = [(bits.take(1), bits.take(1)) for _ in range(sub_layers)]
    bits.take(2 * (8 - sub_layers) if sub_layers else 0)
    for profile, level in flags:
        bits.take(88 * profile + 8 * level)


def _unescaped(data: bytes) -> bytes:
    return data.replace(b"\x00\x00\x03", b"\x00\x00")


def _hevc_parameter_sets(extradata: bytes) -> Iterator[bytes]:
    """Yield the parameter sets of an HEVCDecoderConfigurationRecord."""
    begin = 23
    for _ in range(extradata[22] if len(extradata) > 22 else 0):
        count = int.from_bytes(extradata[begin + 1 : begin + 3], "big")
        begin += 3
        for _ in range(count):
            length = int.from_bytes(extradata[begin : begin + 2], "big")
            yield extradata[begin + 2 : begin + 2 + length]
            begin += 2 + length


def _pass_colours(bits: Bits) -> bool:
    """Read over what the high profiles say of colours; return whether planes are coded apart."""
    apart = bits.golomb() == 3 and bool(bits.take(1))  # chroma_format_idc
    bits.golomb()
    bits.golomb()
    bits.take(1)
    for number in range(8 if bits.take(1) else 0):  # seq_scaling_matrix_present_flag
        last = following = 8
        for _ in range(16 if number < 6 else 64) if bits.take(1) else ():
            if following:
                delta = bits.golomb()
                following = (last + (delta + 1 >> 1) * (1 if delta & 1 else -1)) % 256
                last = following or last
    return apart


def _units(data: bytes, sizes: int) -> Iterator[bytes]:
    """Yield the beginnings of the NAL units of a packet, behind sizes or start codes."""
    begin = 0
    while sizes and begin + sizes < len(data):
        length = int.from_bytes(data[begin : begin + sizes], "big")
        if length:
            yield data[begin + sizes : begin + sizes + min(length, 512)]
        begin += sizes + length
    begin = -1 if sizes else data.find(b"\x00\x00\x01")
    while begin >= 0:
        unit = data[begin + 3 : begin + 515]
        if len(unit) > 1:
            yield unit
        begin = data.find(b"\x00\x00\x01", begin + 3)


def _parameter_sets(extradata: bytes) -> Iterator[bytes]:
    """Yield the sequence parameter sets of an AVCDecoderConfigurationRecord."""
    begin = 6
    for _ in range(extradata[5] & 31 if len(extradata) > 5 else 0):
        length = int.from_bytes(extradata[begin : begin + 2], "big")
        yield extradata[begin + 2 : begin + 2 + length]
        begin += 2 + length


HEADERS: dict[str, type[Headers]] = {
    "vp8": Vp8Headers,
    "vp9": Vp9Headers,
    "mpeg4": Mpeg4Headers,
    "h263": H263Headers,
    "h264": H264Headers,
    "hevc": HevcHeaders,
    "mpeg1video": Mpeg2Headers,
    "mpeg2video": Mpeg2Headers,
}
