"""Files of weights, whole and damaged: read as data or refused in one line, and never run."""

import json
import os
import pickle
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from dogclips.errors import CheckpointError
from dogclips.models.weights.files import read_checkpoint, read_file
from dogclips.models.weights.fitting import inspect_weights

STATE = {
    "time_embed": torch.arange(8.0).view(1, 2, 4),
    "blocks.0.temporal_fc.weight": torch.randn(4, 4),
    "head.weight": torch.randn(3, 4),
}


def zip_file(path: Path) -> None:
    torch.save({"model_state": STATE, "epoch": 3, "cfg": "DATA: {}"}, path)


def old_file(path: Path) -> None:
    torch.save({"model_state": STATE}, path, _use_new_zipfile_serialization=False)


def safetensors_file(path: Path) -> None:
    save_file(STATE, path, {"format": "pt"})


def blobs_file(path: Path) -> None:
    blobs = {name.replace(".", "_"): value.numpy() for name, value in STATE.items()}
    path.write_bytes(pickle.dumps({"blobs": blobs | {"lr": np.float32(0.1)}}, protocol=2))


WRITERS = {
    "PyTorch file": zip_file,
    "PyTorch file of the old kind": old_file,
    "safetensors file": safetensors_file,
    "pickle of arrays": blobs_file,
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    for kind, write in WRITERS.items():
        write(folder / kind)
    return {kind: (folder / kind).read_bytes() for kind in WRITERS}


@pytest.mark.parametrize("kind", WRITERS)
def test_a_file_is_known_by_what_it_begins_with(
    kind: str, whole: dict[str, bytes], tmp_path: Path
) -> None:
    (tmp_path / "weights").write_bytes(whole[kind])
    assert read_file(tmp_path / "weights").kind == kind
    assert inspect_weights(tmp_path / "weights").kind == kind


@pytest.mark.parametrize("kind", WRITERS)
def test_a_file_cut_off_anywhere_is_refused_as_incomplete(
    kind: str, whole: dict[str, bytes], tmp_path: Path
) -> None:
    data = whole[kind]
    for size in sorted({*range(1, len(data), 37), len(data) - 1, len(data) // 2}):
        path = tmp_path / "cut.pth"
        path.write_bytes(data[:size])
        with pytest.raises(CheckpointError) as caught:
            read_checkpoint(path)
        line = str(caught.value)
        assert "cut.pth" in line
        assert "\n" not in line
        if size > 600:
            assert f"incomplete or damaged ({path}, {size} bytes): copy or download" in line


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "none.pth").touch()
    with pytest.raises(CheckpointError, match=r"empty file \(.*none\.pth\)"):
        read_checkpoint(tmp_path / "none.pth")


@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    kind=st.sampled_from(sorted(WRITERS)),
    changes=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=9)),
        min_size=1,
        max_size=4,
    ),
)
def test_damage_anywhere_ends_in_a_reading_or_in_our_own_error(
    kind: str,
    changes: list[tuple[float, bytes]],
    whole: dict[str, bytes],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    data = bytearray(whole[kind])
    for share, new in changes:
        at = int(share * len(data))
        data[at : at + len(new)] = new
    path = tmp_path_factory.getbasetemp() / "damaged.bin"
    path.write_bytes(data)
    with suppress(CheckpointError):
        assert inspect_weights(path).num_tensors


@settings(max_examples=100, deadline=None)
@given(
    data=st.binary(max_size=600), start=st.sampled_from([b"", b"\x80\x02", b"PK\x03\x04", b"(d"])
)
def test_any_bytes_end_in_our_own_error(
    data: bytes, start: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.bin"
    path.write_bytes(start + data)
    with pytest.raises(CheckpointError, match=r"any\.bin"):
        inspect_weights(path)


def test_a_flipped_bit_is_noticed_where_a_file_has_checksums(
    whole: dict[str, bytes], tmp_path: Path
) -> None:
    data = bytearray(whole["PyTorch file"])
    at = data.index(STATE["head.weight"].numpy().tobytes()) + 5
    data[at] ^= 1
    (tmp_path / "flipped.pth").write_bytes(data)
    with pytest.raises(CheckpointError, match="incomplete or damaged"):
        read_checkpoint(tmp_path / "flipped.pth")


class Trap:
    """What an attacker would pickle: leaves a file behind when it is run."""

    def __init__(self, call: Callable[..., Any], *arguments: Any) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call, self.arguments


def traps(mark: Path) -> dict[str, Any]:
    code = f"open({str(mark)!r}, 'w')"
    return {
        "os.system": Trap(os.system, f"touch {mark}"),
        "eval": Trap(eval, code),
        "exec": Trap(exec, code),
        "open": Trap(open, str(mark), "w"),
        "import": Trap(__import__, "os"),
        "pathlib": Trap(Path.touch, mark),
    }


@pytest.mark.parametrize("name", ["os.system", "eval", "exec", "open", "import", "pathlib"])
@pytest.mark.parametrize("how", ["zip", "old", "protocol 0", "protocol 2", "protocol 4"])
@pytest.mark.parametrize("place", ["inside", "beside"])
def test_code_in_a_checkpoint_is_refused_and_never_run(
    name: str, how: str, place: str, tmp_path: Path
) -> None:
    mark, path = tmp_path / "was-run", tmp_path / "trap.pth"
    trap = traps(mark)[name]
    weights = {"conv1_w": np.zeros(3, np.float32)}
    tensors = {"conv1.weight": torch.zeros(3)}
    inside = trap if place == "inside" else tensors
    if how in ("zip", "old"):
        held = {"state_dict": inside, "more": trap}
        torch.save(held, path, _use_new_zipfile_serialization=how == "zip")
    else:
        blobs = trap if place == "inside" else weights
        path.write_bytes(pickle.dumps({"blobs": blobs, "more": trap}, protocol=int(how[-1])))
    with pytest.raises(CheckpointError, match=r"asks for \S+, which is not run.*trap\.pth"):
        inspect_weights(path)
    assert not mark.exists()


RAW = {
    "an object by its class": b"\x80\x02cos\nPathLike\n)\x81.",
    "the old way to call": b"(S'true'\nios\nsystem\n.",
    "a name with dots": b"\x80\x04\x8c\x05numpy\x8c\x0bcore.os.syst\x93.",
    "a name by number": b"\x80\x02\x82\x01.",
    "an object kept elsewhere": b"\x80\x02U\x01aQ.",
    "an attribute of a stand-in": b"\x80\x02cnumpy\ndtype\n}U\x08__call__K\x01s\x86b.",
    "a huge memo": b"\x80\x02Nr\xff\xff\xff\xff.",
    "a huge text": b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x00a.",
    "a huge array": b"\x80\x02cnumpy\nndarray\n(J\xff\xff\xff\x7fJ\xff\xff\xff\x7ft\x85R.",
    "a container of itself": b"\x80\x02}q\x00U\x05blobsh\x00s.",
}


@pytest.mark.parametrize("name", RAW)
def test_pickles_written_by_hand_to_deceive_are_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "raw.pkl").write_bytes(RAW[name])
    with pytest.raises(CheckpointError, match=r"raw\.pkl"):
        inspect_weights(tmp_path / "raw.pkl")


def test_containers_that_double_at_every_level_cost_no_time(tmp_path: Path) -> None:
    held: Any = "x"
    for _ in range(60):
        held = [held, held]
    (tmp_path / "many.pkl").write_bytes(pickle.dumps({"blobs": {"a": held}}, protocol=2))
    with pytest.raises(CheckpointError, match="no weights by name"):
        inspect_weights(tmp_path / "many.pkl")


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
def test_arrays_of_every_kind_come_out_of_a_pickle_as_they_were(
    protocol: int, tmp_path: Path
) -> None:
    arrays = {
        "plain": np.arange(6, dtype=np.float32).reshape(2, 3),
        "by columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "other byte order": np.arange(4, dtype=">f4"),
        "empty": np.zeros((0, 3), np.float32),
        "whole": np.arange(-2, 2),
        "true": np.array([True, False]),
    }
    ordered = OrderedDict(arrays, number=np.float64(0.5))
    (tmp_path / "w.pkl").write_bytes(pickle.dumps({"blobs": ordered}, protocol=protocol))
    read = read_checkpoint(tmp_path / "w.pkl")["blobs"]
    assert read.pop("number") == 0.5
    assert read.keys() == arrays.keys()
    for name, array in arrays.items():
        assert read[name].dtype == array.dtype.newbyteorder("=")
        assert np.array_equal(read[name], array)


def by_python_2(array: "np.ndarray[Any, Any]") -> bytes:
    """Return what numpy under Python 2 pickled: its bytes are what Python 3 takes for text."""
    shape = b"".join(b"J" + size.to_bytes(4, "little") for size in array.shape)
    data = array.tobytes()
    return b"".join(
        [
            b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R",
            b"(K\x01(" + shape + b"tcnumpy\ndtype\nU\x02f4K\x00K\x01\x87R",
            b"(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb",
            b"\x89T" + len(data).to_bytes(4, "little") + data + b"tb",
        ]
    )


def test_blobs_that_python_2_pickled_are_read_byte_by_byte(tmp_path: Path) -> None:
    array = np.frombuffer(bytes(range(256)), np.float32).reshape(4, 16)
    held = b"\x80\x02}(U\x05blobs}(U\x07conv1_w" + by_python_2(array) + b"uu."
    (tmp_path / "w.pkl").write_bytes(held)
    read = read_checkpoint(tmp_path / "w.pkl")["blobs"]["conv1_w"]
    assert read.shape == array.shape
    assert read.tobytes() == array.tobytes()


def test_the_log_that_mmengine_keeps_beside_weights_is_not_in_the_way(tmp_path: Path) -> None:
    class HistoryBuffer:
        def __init__(self) -> None:
            self.values = np.arange(3.0)
            self.mean = self.values.mean  # a method of an object: pickled as getattr of it

    HistoryBuffer.__module__ = "mmengine.logging.history_buffer"
    HistoryBuffer.__qualname__ = "HistoryBuffer"
    with pytest.MonkeyPatch.context() as patched:
        for name in ("mmengine", "mmengine.logging", "mmengine.logging.history_buffer"):
            module = ModuleType(name)
            module.HistoryBuffer = HistoryBuffer  # type: ignore[attr-defined]
            patched.setitem(sys.modules, name, module)
        held = {"state_dict": STATE, "message_hub": {"loss": HistoryBuffer(), "n": np.float64(1)}}
        torch.save(held, tmp_path / "epoch_1.pth")
    assert inspect_weights(tmp_path / "epoch_1.pth").num_tensors == 3


def npz(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, a=np.zeros(3))


def torchscript(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/constants.pkl", b"")
        archive.writestr("net/data.pkl", b"")


def compressed(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net/data.pkl", bytes(10**6))


@pytest.mark.parametrize(
    ("held", "says"),
    [
        pytest.param(b"<!DOCTYPE html><html>", "a web page", id="login page"),
        pytest.param(b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull", id="LFS"),
        pytest.param(b'{"model": "timesformer"}', "a text", id="JSON"),
        pytest.param(b"\x89HDF\r\n\x1a\n" + bytes(99), "HDF5", id="Keras"),
        pytest.param(b"\x1f\x8b\x08" + bytes(99), "gzip", id="gzip"),
        pytest.param(bytes(257) + b"ustar" + bytes(99), "tar archive", id="tar"),
        pytest.param(b"\0\0\0\x20ftypisom" + bytes(99), "a video", id="MP4"),
        pytest.param(b"GGUF" + bytes(99), "GGUF", id="GGUF"),
        pytest.param(bytes(600), "no checkpoint of a known kind", id="zeros"),
        pytest.param(npz, "a zip archive, not a checkpoint", id="numpy archive"),
        pytest.param(torchscript, "TorchScript", id="TorchScript"),
        pytest.param(compressed, "a compressed archive", id="compressed"),
        pytest.param(lambda p: torch.save([1, 2], p), "no weights by name", id="list"),
        pytest.param(lambda p: torch.save({"epoch": 1}, p), "no weights by name", id="no tensors"),
        pytest.param(lambda p: p.mkdir(), "the folder holds no weights", id="empty folder"),
    ],
)
def test_a_file_of_another_kind_is_called_by_its_kind(
    held: bytes | Callable[[Path], None], says: str, tmp_path: Path
) -> None:
    path = tmp_path / "weights.pth"
    if isinstance(held, bytes):
        path.write_bytes(held)
    else:
        held(path)
    with pytest.raises(CheckpointError, match=says) as caught:
        inspect_weights(path)
    assert "weights.pth" in str(caught.value)


def test_a_name_with_a_digest_is_compared_with_the_file(tmp_path: Path) -> None:
    zip_file(tmp_path / "w.pth")
    data = (tmp_path / "w.pth").read_bytes()
    digest = sha256(data).hexdigest()[:8]
    right = tmp_path / f"timesformer_20220815-{digest}.pth"
    right.write_bytes(data)
    assert read_file(right).kind == "PyTorch file"
    right.write_bytes(data[:-10])
    with pytest.raises(CheckpointError, match=f"its name says {digest}.*download it again"):
        read_file(right)


def test_a_date_at_the_end_of_a_name_is_no_digest(tmp_path: Path) -> None:
    zip_file(tmp_path / "run-20260131.pth")
    assert read_file(tmp_path / "run-20260131.pth").kind == "PyTorch file"
    zip_file(tmp_path / "run-20261331.pth")  # no such month
    with pytest.raises(CheckpointError, match="SHA-256"):
        read_file(tmp_path / "run-20261331.pth")


def test_a_broken_config_beside_weights_is_named(tmp_path: Path) -> None:
    safetensors_file(tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text('{"id2label": ')
    with pytest.raises(CheckpointError, match=r"not readable as JSON \(.*config\.json\)"):
        inspect_weights(tmp_path)


def test_the_config_of_another_program_beside_a_file_is_not_read(tmp_path: Path) -> None:
    zip_file(tmp_path / "slowfast.pth")
    (tmp_path / "config.json").write_text("// no JSON")
    assert inspect_weights(tmp_path / "slowfast.pth").num_tensors == 3


@pytest.mark.parametrize(
    "config",
    [
        {"id2label": []},
        {"id2label": {"0": 3}},
        {"pretrained_cfg": {"mean": "abc", "std": [0, 0, 0]}},
        {"pretrained_cfg": {"mean": [1, 2], "std": None}},
        [],
    ],
)
def test_facts_that_make_no_sense_are_not_there(config: object, tmp_path: Path) -> None:
    safetensors_file(tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(config))
    facts = inspect_weights(tmp_path)
    assert facts.labels == ()
    assert facts.said_by == "TimeSformer's configurations"


def test_a_few_bytes_that_pretend_to_be_a_huge_tensor_are_refused(tmp_path: Path) -> None:
    torch.save({"conv1.weight": torch.zeros(1).expand(10**6, 10**6)}, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=r"not plain numbers, such as conv1\.weight"):
        inspect_weights(tmp_path / "w.pth")


@pytest.mark.parametrize(
    "tensor",
    [torch.zeros(3).to_sparse(), torch.zeros(3, device="meta")],
    ids=["sparse", "without data"],
)
def test_tensors_of_other_kinds_are_refused(tensor: torch.Tensor, tmp_path: Path) -> None:
    torch.save({"conv1.weight": tensor}, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=r"w\.pth"):
        inspect_weights(tmp_path / "w.pth")
