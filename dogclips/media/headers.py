"""The first bits of packets: whether they hold a picture, and of which kind.

Only what no time tells is read: whether a picture is shown at all (VP8, VP9), is coded at all or
needs others (MPEG-4, H.263), or is a field (H.264). The names in comments are those of the
standards: RFC 6386, the VP9 bitstream specification, ISO/IEC 14496-2 and -10, ITU-T H.263.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np

from dogclips.media.pictures import Role, Seen

_VOP = b"\x00\x00\x01\xb6"  # vop_start_code
_STUB_BYTES = 8
_INTRA, _BOTH_WAYS = 0, 2  # vop_coding_type
_SLICE, _IDR, _SPS = 1, 5, 7  # nal_unit_type
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

    @abstractmethod
    def read(self, data: bytes, *, key: bool) -> None:
        """Read the next packet."""

    def seen(self) -> Seen | None:
        """Return what was read; None if it does not tell the pictures."""
        roles = np.array(self.roles, dtype=np.int8)
        return Seen(roles, None, frozenset(self.false_keys), frozenset(self.torn))


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
        self.roles.append(Role.PICTURE if coded else Role.HELD)

    def seen(self) -> Seen | None:
        """Return what was read; pictures between two others come after both in the file."""
        if self._packed:
            return None
        order, waiting = list[int](), list[int]()
        for number, kind in enumerate(self._kinds):
            if kind == _BOTH_WAYS:
                order.append(number)
            else:
                order += waiting
                waiting = [number]
        order += waiting
        known = np.array(order, dtype=np.int64) if _BOTH_WAYS in self._kinds else None
        return Seen(np.array(self.roles, dtype=np.int8), known, frozenset(self.false_keys))


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
        for unit in _parameter_sets(extradata) if self._sizes else _units(extradata, 0):
            self._read_parameters(unit)

    def read(self, data: bytes, *, key: bool) -> None:  # noqa: ARG002
        """Read the next packet."""
        role = Role.PICTURE
        begins = True
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
        self._count(number, is_first=unit[0] & 31 == _IDR, is_needed=bool(unit[0] & 0x60))
        if not self._fields or not bits.take(1):  # field_pic_flag
            self._open = None
            return False
        own = number, bits.take(1)  # bottom_field_flag
        if self._open == (number, 1 - own[1]):
            self._open = None
            return True
        self._open = own
        return False

    def _count(self, number: int, *, is_first: bool, is_needed: bool) -> None:
        """Note where a picture that others need is missing before this one."""
        before = self._before
        if before is not None and not is_first:
            following = (before + 1) % (1 << self._numbers)
            if number not in (before, following):
                self.torn.append(len(self.roles))
        if is_needed or is_first:
            self._before = number


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
}
