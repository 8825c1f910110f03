"""load: everything save wrote, NumPy's files, torch's refused in words, and broken or hostile files that do nothing."""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tinyrnn
from tinyrnn import nn


def saved(obj: Any) -> io.BytesIO:
    file = io.BytesIO()
    tinyrnn.save(obj, file)
    file.seek(0)
    return file


def around(obj: Any, **options: Any) -> Any:
    return tinyrnn.load(saved(obj), **options)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Linear(3, 3)
        self.decoder = nn.Linear(3, 3)
        self.decoder.weight = self.encoder.weight
        self.register_buffer("mean", tinyrnn.arange(3))

    def forward(self, x: Any) -> Any:
        return self.decoder(self.encoder(x).tanh())


# what save wrote


def test_a_tree_comes_back() -> None:
    tree = {"model": Net().state_dict(), "epoch": 3, "losses": [0.5, float("nan")], 0: (None, np.float32(2)), "s": "é"}
    loaded = around(tree)
    assert list(loaded) == list(tree)
    assert list(loaded["model"]) == list(tree["model"])
    for name, value in tree["model"].items():
        assert loaded["model"][name].tolist() == value.tolist()
        assert loaded["model"][name].dtype == value.dtype
    assert loaded["losses"][0] == 0.5
    assert np.isnan(loaded["losses"][1])
    assert loaded[0] == (None, 2)
    assert type(loaded[0][1]) is np.float32


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (1,), (2, 3, 4), (700_000,)])
@pytest.mark.parametrize("dtype", ["f4", "f8", "?", ">i2", "c16", "U3", "M8[s]"])
def test_arrays_of_every_shape_and_dtype(shape: Any, dtype: str, order: Any) -> None:
    x = np.asarray(np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype), order=order)
    y = around([x])[0]
    assert (y.dtype, y.shape, y.flags.f_contiguous) == (x.dtype, x.shape, x.flags.f_contiguous)
    assert y.tobytes() == x.tobytes()
    assert y.flags.writeable


def test_numbers_come_back_bit_for_bit() -> None:
    bits = np.random.default_rng(0).integers(0, 2**32, 5000, np.uint32)  # NaNs with payloads, infinities, subnormals
    x = tinyrnn.from_numpy(bits.view(np.float32))
    assert around(x).numpy().tobytes() == bits.tobytes()


def test_loaded_tensors_may_be_changed_and_learned() -> None:
    x = around(tinyrnn.ones(2))
    x += 1
    x.requires_grad_()
    (x * x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [4, 4]


def test_where_the_file_stands_does_not_matter_but_its_end_does() -> None:
    file = saved({"a": 1})
    assert tinyrnn.load(file) == {"a": 1}
    file.seek(0, io.SEEK_END)
    with pytest.raises(EOFError, match=r"nothing to read in the file.*seek"):
        tinyrnn.load(file)


def test_whole_modules_need_weights_only_false(tmp_path: Path) -> None:
    model, x = Net(), tinyrnn.randn(2, 3)
    optimizer = tinyrnn.optim.SGD(model.parameters(), lr=0.1)
    tinyrnn.save({"model": model, "optimizer": optimizer}, tmp_path / "x.pt")
    with pytest.raises(pickle.UnpicklingError, match=r"Net at \['model'\].*weights_only=False"):
        tinyrnn.load(tmp_path / "x.pt")
    loaded = tinyrnn.load(tmp_path / "x.pt", weights_only=False)
    assert loaded["model"](x).tolist() == model(x).tolist()
    assert loaded["model"].decoder.weight is loaded["model"].encoder.weight
    assert loaded["optimizer"].param_groups[0]["params"][0] is loaded["model"].encoder.weight


OTHER = """
import sys
import tinyrnn
model = tinyrnn.load(sys.argv[1], weights_only=False, map_location="cpu")
print(model(tinyrnn.ones(1, 3)).tolist(), model.training)
"""


def test_a_whole_module_in_another_process(tmp_path: Path) -> None:
    model = nn.Linear(3, 2).eval()
    tinyrnn.save(model, tmp_path / "x.pt")
    done = subprocess.run(
        [sys.executable, "-c", OTHER, str(tmp_path / "x.pt")], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"{model(tinyrnn.ones(1, 3)).tolist()} False"


def test_a_module_that_holds_what_it_computed_last() -> None:
    model = nn.Linear(2, 1)
    model.last = model(tinyrnn.ones(1, 2))  # no leaf: torch saves its numbers, and loads a leaf
    loaded = around(model, weights_only=False)
    assert loaded.last.tolist() == model.last.tolist()
    assert loaded.last.is_leaf
    assert loaded.last.requires_grad


def test_weights_only_false_reads_what_needs_no_pickle_as_well() -> None:
    assert around({"a": 1}, weights_only=False) == {"a": 1}
    assert around({"a": 1}, weights_only=None) == {"a": 1}


class Planted:
    """Its pickle makes a folder when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def test_nothing_of_a_pickle_is_run_unless_it_is_asked_for(tmp_path: Path) -> None:
    file = saved([Planted(tmp_path / "ran")])
    with pytest.raises(pickle.UnpicklingError, match="Planted"):
        tinyrnn.load(file)
    assert not (tmp_path / "ran").exists()
    file.seek(0)
    tinyrnn.load(file, weights_only=False)
    assert (tmp_path / "ran").exists()


def test_a_pickle_module_of_ones_own() -> None:
    class Counting:
        Pickler = pickle.Pickler
        options: Any = None

        @classmethod
        def load(cls, file: Any, **options: Any) -> Any:
            cls.options = options
            return pickle.load(file)

    assert around(range(3), weights_only=False, pickle_module=Counting, encoding="latin1") == range(3)
    assert Counting.options == {"encoding": "latin1"}
    with pytest.raises(RuntimeError, match="pickle_module is given, which weights_only=True"):
        around(1, pickle_module=pickle)


@pytest.mark.parametrize("location", [None, "cpu", "cpu:0", {"cuda:0": "cpu"}, lambda storage, name: storage, {}])
def test_every_way_to_name_the_cpu(location: Any) -> None:
    assert around([1], map_location=location) == [1]
    assert around([1], map_location=tinyrnn.device("cpu"), mmap=True) == [1]


@pytest.mark.parametrize("location", ["cuda", "cuda:1", {"cpu": "cuda"}, "mps"])
def test_other_devices_are_refused(location: Any) -> None:
    with pytest.raises((ValueError, RuntimeError), match=r"load: .*cpu"):
        around([1], map_location=location)


# resuming

RESUME = """
import sys
import tinyrnn
from tinyrnn import nn

def train(path, first, last, stop):
    tinyrnn.manual_seed(0 if first == 0 else 99)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.3), nn.Linear(8, 1))
    optimizer = tinyrnn.optim.Adam(model.parameters(), lr=0.01)
    if first:
        state = tinyrnn.load(path)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        tinyrnn.set_rng_state(state["rng"])
        assert state["epoch"] == first
    for epoch in range(first, last):
        x = tinyrnn.randn(16, 4)
        loss = ((model(x) - x.sum(1, keepdim=True)) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if epoch + 1 == stop:
            tinyrnn.save(
                {
                    "model": model.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "epoch": epoch + 1,
                    "rng": tinyrnn.get_rng_state(),
                },
                path,
            )
    return b"".join(p.detach().numpy().tobytes() for p in model.parameters()).hex()

if __name__ == "__main__":
    print(train(sys.argv[1], 5, 12, None))
"""


def test_training_goes_on_bit_for_bit_in_another_process(tmp_path: Path) -> None:
    if not all(hasattr(nn, name) for name in ("Sequential", "Tanh", "Dropout")):
        pytest.fail("nn lacks what this program needs")
    space: dict[str, Any] = {"__name__": "here"}
    exec(RESUME, space)
    path = str(tmp_path / "checkpoint.pt")
    straight = space["train"](path, 0, 12, stop=5)
    resumed = subprocess.run([sys.executable, "-c", RESUME, path], capture_output=True, text=True, check=True).stdout
    assert resumed.strip() == straight


# NumPy's files, and torch's


def test_npz_and_npy(tmp_path: Path) -> None:
    w, words = np.arange(6, dtype=np.float32).reshape(2, 3), np.array(["a", "b"])
    for write in (np.savez, np.savez_compressed):
        write(tmp_path / "x.npz", **{"rnn.weight": w, "step": np.array(3), "swapped": w.astype(">f8"), "words": words})
        loaded = tinyrnn.load(tmp_path / "x.npz")
        assert list(loaded) == ["rnn.weight", "step", "swapped", "words"]
        assert type(loaded["step"]) is tinyrnn.Tensor
        assert (loaded["rnn.weight"].tolist(), loaded["rnn.weight"].dtype) == (w.tolist(), w.dtype)
        assert (loaded["swapped"].tolist(), loaded["swapped"].dtype) == (w.tolist(), np.float64)
        assert loaded["words"] is not None
        assert loaded["words"].tolist() == ["a", "b"]
    np.save(tmp_path / "x.npy", w.T)
    assert tinyrnn.load(tmp_path / "x.npy").tolist() == w.T.tolist()


def test_objects_in_numpys_files_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.array([Planted(tmp_path / "ran")], object))
    np.save(tmp_path / "x.npy", np.array([Planted(tmp_path / "ran")], object), allow_pickle=True)
    for name in ("x.npz", "x.npy"):
        with pytest.raises(pickle.UnpicklingError, match=r"dtype object.*allow_pickle=True"):
            tinyrnn.load(tmp_path / name)
    assert not (tmp_path / "ran").exists()


def test_a_model_of_torchs_comes_over_as_the_error_says(torch: ModuleType, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    torch.save(theirs.state_dict(), "model.pt")
    with pytest.raises(RuntimeError, match=r"load: model\.pt was written by torch") as refused:
        tinyrnn.load("model.pt")
    command = str(refused.value).partition("with ")[2].partition(" or safetensors")[0]
    exec(command, {"numpy": np, "torch": torch})
    ours = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    ours.load_state_dict(tinyrnn.load("model.npz"))
    x = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    expected = theirs(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(ours(tinyrnn.from_numpy(x)).detach().numpy(), expected, rtol=0, atol=1e-6)


def test_a_recurrent_model_of_torchs_by_safetensors(torch: ModuleType, tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    theirs, ours = torch.nn.RNN(3, 5), nn.RNN(3, 5)
    safetensors.save_file(theirs.state_dict(), tmp_path / "rnn.safetensors")
    ours.load_state_dict(tinyrnn.load(tmp_path / "rnn.safetensors"))
    x = np.random.default_rng(0).normal(size=(4, 2, 3)).astype(np.float32)
    expected = theirs(torch.from_numpy(x))[0].detach().numpy()
    np.testing.assert_allclose(ours(tinyrnn.from_numpy(x))[0].detach().numpy(), expected, rtol=0, atol=1e-6)


def test_torch_reads_our_weights_through_numpy(torch: ModuleType, tmp_path: Path) -> None:
    ours, theirs = nn.Linear(3, 2), torch.nn.Linear(3, 2)
    tinyrnn.save(ours.state_dict(), tmp_path / "x.npz")
    with np.load(tmp_path / "x.npz") as arrays:
        theirs.load_state_dict({name: torch.from_numpy(arrays[name]) for name in theirs.state_dict()})
    assert theirs.weight.tolist() == ours.weight.tolist()


def test_torchs_older_format_is_told_apart(torch: ModuleType, tmp_path: Path) -> None:
    torch.save({"w": torch.ones(2)}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    with pytest.raises(RuntimeError, match=r"is a pickle, as torch before 1\.6"):
        tinyrnn.load(tmp_path / "old.pt")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_numbers_numpy_does_not_have(torch: ModuleType, tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    safetensors.save_file({"w": torch.ones(2, dtype=torch.bfloat16)}, tmp_path / "x.safetensors")
    with pytest.raises(RuntimeError, match=r"kind 'BF16', which NumPy does not have.*float32"):
        tinyrnn.load(tmp_path / "x.safetensors")


# broken and hostile files


def archive(entries: dict[str, Any], compression: int = zipfile.ZIP_STORED) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as zip_file:
        for name, content in entries.items():
            zip_file.writestr(name, content if isinstance(content, bytes | str) else json.dumps(content))
    file.seek(0)
    return file


def npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def header(shape: Any, descr: Any = "<f4", data: bytes = b"") -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"shape": shape, "fortran_order": False, "descr": descr})
    return file.getvalue() + data


def described(tree: Any = None, tensors: Any = (), **more: Any) -> dict[str, Any]:
    return {"tinyrnn.json": {"tinyrnn": 1, "tree": tree, "tensors": list(tensors), **more}}


A = {"array": "x"}
BROKEN: dict[str, Any] = {
    "no json": {"tinyrnn.json": "{"},
    "json of another kind": {"tinyrnn.json": "[]"},
    "not even text": {"tinyrnn.json": b"\xff\xfe\xfa"},
    "no tree": {"tinyrnn.json": {"tinyrnn": 1}},
    "no version": {"tinyrnn.json": {}},
    "a tree of another kind": described({"module": "os"}),
    "very deep": {"tinyrnn.json": '{"tinyrnn": 1, "tensors": [], "tree": ' + "[" * 100_000 + "]" * 100_000 + "}"},
    "a long number": {"tinyrnn.json": '{"tinyrnn": 1, "tensors": [], "tree": ' + "1" * 5000 + "}"},
    "an array that is not there": described(A),
    "a name of another kind": described({"array": {}}),
    "no array": described(A) | {"x.npy": b"nothing"},
    "an empty array file": described(A) | {"x.npy": b""},
    "half a header": described(A) | {"x.npy": npy(np.ones(3))[:20]},
    "half an array": described(A) | {"x.npy": npy(np.ones(3))[:-1]},
    "more than an array": described(A) | {"x.npy": npy(np.ones(3)) + b"0"},
    "an absurd shape": described(A) | {"x.npy": header((2**40, 2**40))},
    "a large shape": described(A) | {"x.npy": header((10**12,), data=b"1234")},
    "negative sizes": described(A) | {"x.npy": header((-1, -1), data=b"1234")},
    "sizes of another kind": described(A) | {"x.npy": header((1.0,), data=b"1234")},
    "code for a header": described(A) | {"x.npy": b"\x93NUMPY\x01\x00\x20\x00" + b"__import__('os').mkdir('ran')   \n"},
    "a version of npy to come": described(A) | {"x.npy": b"\x93NUMPY\x09\x00" + b" " * 90},
    "text in a tensor": described({"tensor": 0}, [["x", False, "Tensor"]]) | {"x.npy": npy(np.array(["a"]))},
    "ints that shall learn": described({"tensor": 0}, [["x", True, "Tensor"]]) | {"x.npy": npy(np.array([1]))},
    "npz with half an array": {"x.npy": npy(np.ones(3))[:-1]},
}


@pytest.mark.parametrize("entries", BROKEN.values(), ids=BROKEN)
def test_broken_files(entries: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RuntimeError, match="load: the file is damaged or cut short"):
        tinyrnn.load(archive(entries))
    assert os.listdir() == []


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (described() | {"tinyrnn.json": {"tinyrnn": 2}}, "is of version 2, this tinyrnn reads 1"),
        ({"readme.txt": "hello"}, r"a zip file of \['readme.txt'\]"),
        ({"model/data.pkl": b"", "model/data/0": b""}, "was written by torch"),
    ],
)
def test_other_zip_files(entries: dict[str, Any], message: str) -> None:
    with pytest.raises(RuntimeError, match=message):
        tinyrnn.load(archive(entries))


def test_objects_in_an_array_are_refused(tmp_path: Path) -> None:
    planted = npy(np.array([Planted(tmp_path / "ran")], object))
    for x in (planted, header((1,), "|O", b"12345678"), header((1,), [("a", "|O")], b"12345678")):
        with pytest.raises(pickle.UnpicklingError, match="holds objects or records"):
            tinyrnn.load(archive(described(A) | {"x.npy": x}), weights_only=True)
    assert not (tmp_path / "ran").exists()


def test_a_pickle_that_nobody_announced_is_not_read(tmp_path: Path) -> None:
    planted = pickle.dumps(Planted(tmp_path / "ran"))
    assert tinyrnn.load(archive(described(1) | {"tinyrnn.pickle": planted}), weights_only=False) == 1
    assert not (tmp_path / "ran").exists()


def test_every_cut_of_a_file_is_an_error() -> None:
    whole = saved({"w": tinyrnn.arange(5), "n": 1}).getvalue()
    for n in range(1, len(whole), 7):
        with pytest.raises(RuntimeError, match="load: the file"):
            tinyrnn.load(io.BytesIO(whole[:n]))


def test_every_changed_byte_is_an_error_or_without_effect() -> None:
    """A zip file has checksums, but not over its own tables."""
    whole = saved({"w": tinyrnn.arange(3), "n": 1}).getvalue()
    harmless = 0
    for n in range(0, len(whole), 3):
        changed = bytearray(whole)
        changed[n] ^= 0x55
        try:
            loaded = tinyrnn.load(io.BytesIO(changed))
        except RuntimeError:  # and no other
            continue
        harmless += 1
        assert loaded["w"].tolist() == [0, 1, 2]
        assert loaded["n"] == 1
    assert harmless < len(whole) / 6  # of a third of the bytes


def test_a_size_that_is_not_there_takes_no_memory() -> None:
    content = header((2**28,))  # and a directory of the archive that lies likewise
    file = archive(described(A) | {"x.npy": content})
    size = len(content).to_bytes(4, "little")
    lie = (len(content) + 2**30).to_bytes(4, "little")
    data = file.getvalue().replace(size + size, lie + lie)
    with pytest.raises(RuntimeError, match=r"announces 1073.* bytes, which are not there"):
        tinyrnn.load(io.BytesIO(data))


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused(compression: int) -> None:
    with pytest.raises(RuntimeError, match="is compressed, in a way that save or"):
        tinyrnn.load(archive({"x.npy": npy(np.zeros(9))}, compression))


def test_a_description_that_unfolds_is_refused() -> None:
    bomb = {"tinyrnn.json": '{"tinyrnn": 1, "tensors": [], "tree": "' + "0" * 10_000_000 + '"}'}
    with pytest.raises(RuntimeError, match=r"tinyrnn\.json is compressed"):
        tinyrnn.load(archive(bomb, zipfile.ZIP_DEFLATED))


def test_an_npz_file_that_unfolds_is_refused() -> None:
    """A megabyte that becomes a gigabyte: refused by what it announces, before anything is unfolded."""
    size = 80 << 20
    bomb = archive({"x.npy": header((size,), "|u1", bytes(size))}, zipfile.ZIP_DEFLATED)
    assert len(bomb.getvalue()) < size / 900
    with pytest.raises(RuntimeError, match=r"announce 8388\d+, more than 100 times as many: if you trust"):
        tinyrnn.load(bomb)
    half = {f"{k}.npy": header((size // 2,), "|u1", bytes(size // 2)) for k in range(2)}
    with pytest.raises(RuntimeError, match="more than 100 times as many"):
        tinyrnn.load(archive(half, zipfile.ZIP_DEFLATED))


def test_zeros_of_a_usual_size_and_numbers_of_any_may_be_compressed() -> None:
    file = io.BytesIO()
    np.savez_compressed(file, zeros=np.zeros(1 << 20), numbers=np.random.default_rng(0).random(1 << 18))
    file.seek(0)
    loaded = tinyrnn.load(file)
    assert not loaded["zeros"].any()
    assert loaded["numbers"].shape == (1 << 18,)


@pytest.mark.parametrize(
    "entries", [{"a.npy": npy(np.ones(2)), "b.npy": npy(np.ones(2))}, described(A) | {"x.npy": npy(1), "y.npy": npy(2)}]
)
def test_an_entry_that_is_given_twice_is_refused(entries: dict[str, Any]) -> None:
    *_, first, second = entries
    data = archive(entries).getvalue().replace(second.encode(), first.encode())
    with pytest.raises(RuntimeError, match=f"ValueError: {first} is given twice"):
        tinyrnn.load(io.BytesIO(data))


def test_entries_that_overlap_are_refused() -> None:
    data = npy(np.ones(1000))
    file = archive({"a.npy": data, "b.npy": b"0"}).getvalue()
    size = len(data).to_bytes(4, "little")
    where = file.rindex(b"PK\1\2")  # what the directory says of the second
    lie = file[:where] + file[where:].replace((1).to_bytes(4, "little") * 2, size + size)
    with pytest.raises(RuntimeError, match="its entries overlap"):
        tinyrnn.load(io.BytesIO(lie))


def test_a_description_that_says_something_twice_is_refused() -> None:
    with pytest.raises(RuntimeError, match="'tree' is given twice"):
        tinyrnn.load(archive({"tinyrnn.json": '{"tinyrnn": 1, "tensors": [], "tree": 1, "tree": 2}'}))


def test_several_archives_in_one_file() -> None:
    file = io.BytesIO()
    tinyrnn.save("first", file)
    second = file.tell()
    tinyrnn.save("second", file)
    file.seek(0)
    with pytest.raises(RuntimeError, match=f"several archives, of which the last begins at byte {second}: seek there"):
        tinyrnn.load(file)
    file.seek(second)
    assert tinyrnn.load(file) == "second"


def test_names_are_never_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    entries = described({"array": "../../x"}) | {"../../x.npy": npy(np.ones(1)), "/etc/y.npy": npy(np.ones(1))}
    assert tinyrnn.load(archive(entries)).tolist() == [1]
    assert os.listdir() == []


@pytest.mark.parametrize(
    ("f", "error", "message"),
    [
        (io.BytesIO(), EOFError, "nothing to read in the file"),
        (io.BytesIO(b"hello world"), RuntimeError, "begins with b'hello wor'"),
        (io.BytesIO(b"PK\3\4"), RuntimeError, "damaged or cut short"),
        (io.BytesIO(pickle.dumps(1)), RuntimeError, "is a pickle"),
        (io.BytesIO(b"\x93NUMPY"), RuntimeError, "damaged or cut short"),
        (io.StringIO("x"), TypeError, "opened for text"),
        (3, TypeError, "load: f is int, expected a path"),
    ],
)
def test_what_is_no_source(f: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        tinyrnn.load(f)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="load: the path is empty, expected the name of a file"):
        tinyrnn.load("")
    with pytest.raises(FileNotFoundError):
        tinyrnn.load(tmp_path / "missing")
    with pytest.raises((IsADirectoryError, PermissionError)):
        tinyrnn.load(tmp_path)

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    with pytest.raises(TypeError, match=r"io\.BytesIO\(f\.read\(\)\)"):
        tinyrnn.load(Pipe(b"x"))
