"""Small files as `torch.save` writes them, and what is in them.

    pip install -r requirements.txt && python torch_files.py

writes beside this file `zip.pth` and `legacy.pth` (the same tensors in both formats), `checkpoint.pth` (a
training checkpoint around a module's state) and `torch_files.json` (names, types, shapes and values).

In the old format storages are named by their addresses, which differ from run to run. Here they are given numbers
instead, and the storages follow in the order of these; torch reads the result and finds the same.
"""

import collections
import io
import json
import pathlib
import pickle
import re

import torch

HERE = pathlib.Path(__file__).parent


def tensors():
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6) / 8
    return collections.OrderedDict(
        [
            ("plain.f32", base),
            ("view.transposed", base.t()),
            ("view.column", base[:, 2]),
            ("view.rows", base[1:3]),
            ("half.f16", torch.tensor([1.5, -2.25, 1024.0]).half()),
            ("half.bf16", torch.tensor([[1.5], [-3.0]]).bfloat16()),
            ("wide.f64", torch.tensor([1 / 3, -1e300], dtype=torch.float64)),
            ("whole.i64", torch.tensor([2**40, -5])),
            ("whole.i32", torch.tensor([7, -8], dtype=torch.int32)),
            ("whole.i16", torch.tensor([300, -301], dtype=torch.int16)),
            ("whole.i8", torch.tensor([-128, 127], dtype=torch.int8)),
            ("whole.u8", torch.tensor([0, 255], dtype=torch.uint8)),
            ("truth", torch.tensor([True, False, True])),
            ("scalar", torch.tensor(2.5)),
            ("empty", torch.zeros(0, 3)),
            ("parameter", torch.nn.Parameter(torch.tensor([0.25, 0.5]))),
        ]
    )


def checkpoint():
    module = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 2), torch.nn.BatchNorm2d(2))
    with torch.no_grad():
        for idx, tensor in enumerate(module.state_dict().values()):
            tensor.copy_(torch.arange(tensor.numel()).reshape(tensor.shape) + idx)
    return {"epoch": 3, "lr": 0.125, "note": "made up", "state_dict": module.state_dict()}


def numbered(data, names):
    """The old format with other names for the storages."""
    stream = io.BytesIO(data)
    for _ in ("magic number", "version", "system"):
        pickle.load(stream)
    skip_object(stream)
    head = data[: stream.tell()]
    keys = pickle.load(stream)
    storages = {}
    for key in keys:
        n = stream.read(8)
        storages[key] = n + stream.read(int.from_bytes(n, "little") * names[key][1])
    assert stream.read() == b""
    order = sorted(keys, key=lambda key: names[key][0])
    for key in keys:
        old = b"X" + len(key).to_bytes(4, "little") + key.encode()
        new = names[key][0].encode()
        head = head.replace(old, b"X" + len(new).to_bytes(4, "little") + new)
    tail = pickle.dumps([names[key][0] for key in order], protocol=2)
    return head + tail + b"".join(storages[key] for key in order)


def skip_object(stream):
    """Reads over the pickle of the tensors."""

    class Skipping(pickle.Unpickler):
        def persistent_load(self, key):
            return torch.UntypedStorage(0)

        def find_class(self, module, name):
            return collections.OrderedDict if name == "OrderedDict" else lambda *_: None

    Skipping(stream).load()


def legacy(state):
    stream = io.BytesIO()
    torch.save(state, stream, _use_new_zipfile_serialization=False)
    names = {}
    for tensor in state.values():
        key = str(tensor.untyped_storage()._cdata)
        # Backwards, so that the order of the storages is not that of the tensors.
        names.setdefault(key, (str(900 - len(names)), tensor.element_size()))
    present = set(re.findall(rb"X....(\d{9,})", stream.getvalue(), re.S))
    assert present == {key.encode() for key in names}, "storages are named in another way"
    return numbered(stream.getvalue(), names)


def facts(state):
    return {
        name: {
            "dtype": str(tensor.dtype).removeprefix("torch."),
            "shape": list(tensor.shape),
            "values": tensor.detach().reshape(-1).to(torch.float64).tolist()
            if tensor.dtype.is_floating_point
            else tensor.reshape(-1).to(torch.int64).tolist(),
        }
        for name, tensor in sorted(state.items())
    }


def main():
    state = tensors()
    torch.save(state, HERE / "zip.pth")
    (HERE / "legacy.pth").write_bytes(legacy(state))
    again = torch.load(HERE / "legacy.pth", weights_only=True)
    assert facts(again) == facts(state)
    whole = checkpoint()
    torch.save(whole, HERE / "checkpoint.pth")
    found = {"tensors": facts(state), "checkpoint": facts(whole["state_dict"])}
    (HERE / "torch_files.json").write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
