"""H.264 whose fields are pictures of their own (PAFF), which no encoder at hand writes.

Every macroblock is stored as its samples (I_PCM), so that a writer is a page long. Names in
comments are those of ISO/IEC 14496-10.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]

_SIDE = 16  # of a macroblock, in samples
_I_PCM = 25  # mb_type in an I slice


class _Bits:
    def __init__(self) -> None:
        self._bits: list[str] = []
        self._length = 0

    def put(self, value: int, count: int) -> "_Bits":
        self._bits.append(f"{value:0{count}b}")
        self._length += count
        return self

    def golomb(self, *values: int) -> "_Bits":
        """Append numbers in Exp-Golomb code, ue(v)."""
        for value in values:
            self.put(value + 1, 2 * (value + 1).bit_length() - 1)
        return self

    def align(self) -> "_Bits":
        return self.put(0, -self._length % 8) if self._length % 8 else self

    def samples(self, data: bytes) -> "_Bits":
        return self.align().put(int.from_bytes(data, "big"), 8 * len(data))

    def unit(self, head: int) -> bytes:
        """Return a NAL unit behind its start code."""
        self.put(1, 1).align()
        text = "".join(self._bits)
        payload = int(text, 2).to_bytes(len(text) // 8, "big")
        out, zeros = bytearray([head]), 0
        for byte in payload:
            if zeros >= 2 and byte <= 3:
                out.append(3)  # emulation_prevention_three_byte
                zeros = 0
            out.append(byte)
            zeros = zeros + 1 if byte == 0 else 0
        return b"\x00\x00\x00\x01" + bytes(out)


def parameter_sets(width: int, height: int) -> bytes:
    """Return what describes pictures of this size, multiples of 16 and 32."""
    sequence = _Bits().put(77, 8).put(0, 8).put(30, 8)  # Main profile, level 3
    sequence.golomb(0, 0, 2, 1).put(0, 1)  # log2_max_frame_num 4, order of output as decoded
    sequence.golomb(width // _SIDE - 1, height // (2 * _SIDE) - 1)
    sequence.put(0b0_0_1_0_0, 5)  # frame_mbs_only_flag 0, direct_8x8_inference_flag 1
    picture = _Bits().golomb(0, 0).put(0, 2).golomb(0, 0, 0).put(0, 3).golomb(0, 0, 0)
    picture.put(0b100, 3)  # deblocking_filter_control_present_flag
    return sequence.unit(0x67) + picture.unit(0x68)


def fields(picture: Gray, number: int, keyframe_frames: int) -> Iterator[bytes]:
    """Yield the two fields of a picture, the upper first; keyframes bear their parameter sets."""
    place = number % keyframe_frames
    height, width = picture.shape
    for bottom in (0, 1):
        key = place == 0 and not bottom
        head = 0x65 if key else 0x61  # nal_ref_idc 3, coded slice of an IDR picture or not
        bits = _Bits().golomb(0, 7, 0).put(place % 16, 4).put(1, 1).put(bottom, 1)
        if key:
            bits.golomb(number // keyframe_frames % 2).put(0, 2)
        else:
            bits.put(0, 1)
        bits.golomb(0, 1)  # slice_qp_delta, disable_deblocking_filter_idc
        own = picture[bottom::2]
        for row in range(0, height // 2, _SIDE):
            for column in range(0, width, _SIDE):
                block = own[row : row + _SIDE, column : column + _SIDE].tobytes()
                bits.golomb(_I_PCM).samples(block + bytes([128]) * (_SIDE * _SIDE // 2))
        unit = bits.unit(head)
        yield parameter_sets(width, height) + unit if key else unit
