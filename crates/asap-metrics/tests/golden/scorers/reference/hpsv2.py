"""HPSv2's own image transform, without the rest of its package, which wants to be on a network.

`transform(side, antialias)` is what `create_model_and_transforms(light_augmentation=True)` gives for evaluation.
torchvision before 0.17 resized tensors without antialias; today's does so when it is told.
"""

import functools
import importlib
import importlib.util
import pathlib
import sys
import types

import torchvision.transforms.functional as functional

_FOLDER = pathlib.Path(importlib.util.find_spec("hpsv2").origin).parent / "src" / "open_clip"
_package = types.ModuleType("hpsv2_open_clip")
_package.__path__ = [str(_FOLDER)]
sys.modules["hpsv2_open_clip"] = _package
_module = importlib.import_module("hpsv2_open_clip.transform")


def transform(side, antialias):
    _module.F = types.SimpleNamespace(
        resize=functools.partial(functional.resize, antialias=antialias), pad=functional.pad
    )
    apply = _module.image_transform(side, is_train=False, resize_longest_max=True)

    def run(image):
        _module.F.resize = functools.partial(functional.resize, antialias=antialias)
        return apply(image)

    return run
