"""Numbers that Python and Rust both make from a name alone, so that no weights and no inputs are kept in the tree.

`tests/it/harness/formula.rs` is the same in Rust, bit for bit. The reference programs beside this file import it.
Run as a program it does nothing.
"""

import json
import pathlib

import numpy as np
import torch
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).resolve().parent


def values(name, shape, scale=1.0):
    """Uniform in [-scale, scale): a hash of the name's FNV-1a and of each element's index."""
    key = 0x811C9DC5
    for byte in name.encode():
        key = (key ^ byte) * 0x01000193 % 2**32
    x = np.arange(int(np.prod(shape, dtype=np.int64)), dtype=np.uint32) * np.uint32(0x9E3779B1) ^ np.uint32(key)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x85EBCA6B)
    x ^= x >> np.uint32(13)
    x *= np.uint32(0xC2B2AE35)
    x ^= x >> np.uint32(16)
    unit = (x >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-23) - np.float32(1.0)
    return torch.from_numpy((unit * np.float32(scale)).reshape(shape))


def weight(name, shape):
    """A weight: matrices and kernels keep the variance of their input, vectors called `weight` or `scale` are near 1."""
    if len(shape) >= 2:
        fan_in = int(np.prod(shape[1:], dtype=np.int64))
        return values(name, shape, float(np.float32(np.sqrt(3.0 / fan_in))))
    near = values(name, shape, 0.1)
    return near + 1.0 if name.endswith(("weight", ".scale")) else near


def fill(module):
    """Gives every parameter of the module its formula weight; returns the shapes by name."""
    shapes = {}
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.copy_(weight(name, tuple(parameter.shape)))
            shapes[name] = list(parameter.shape)
    return shapes


def write(stem, facts, tensors):
    """`<stem>.json` has the configurations and the shapes of weights, `<stem>.safetensors` the outputs."""
    (HERE / f"{stem}.json").write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n")
    save_file({name: tensor.detach().contiguous().clone() for name, tensor in tensors.items()}, HERE / f"{stem}.safetensors")
