"""Golden numbers of image preparation: transformers, torchvision, and the transform of `reference/hpsv2.py`.

    pip install -r requirements.txt && python preprocess.py

writes `preprocess.json`. Bytes are stored as their SHA-256, floats at a few places.
"""

import hashlib
import json
import pathlib

import numpy as np
import PIL
import torch
import torchvision
import transformers
from PIL import Image
from torchvision.transforms import CenterCrop, InterpolationMode, Resize
from transformers import CLIPImageProcessor

from reference import hpsv2
from reference.inputs import picture

SIDE = 224
SIZES = [
    (224, 224), (300, 300), (100, 100), (512, 300), (301, 512), (97, 61), (225, 224), (224, 227), (227, 450),
    (7, 500), (640, 5), (1, 1), (448, 3), (1000, 231), (224, 96), (851, 564),
    (280, 1400), (560, 448),
]
PICTURES = [("noise", 4), ("waves", 0), ("blocks", 0)]


def cropped(image):
    processor = CLIPImageProcessor(do_rescale=False, do_normalize=False)
    by_processor = processor(image, input_data_format="channels_last")["pixel_values"][0].transpose(1, 2, 0).astype(np.uint8)
    # The first two steps of openai-clip's `_transform`; `scorers.py` runs all of it.
    resize = Resize(SIDE, interpolation=InterpolationMode.BICUBIC)
    by_torchvision = np.asarray(CenterCrop(SIDE)(resize(image)))
    return by_processor, by_torchvision


def digest(pixels):
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()


def letterboxed(image, antialias):
    if max(image.size) == SIDE and min(image.size) != SIDE:
        return None  # The reference gives no square here.
    values = hpsv2.transform(SIDE, antialias)(image).numpy()
    places = [(c, y, x) for c in range(3) for y in range(3, SIDE, 90) for x in range(2, SIDE, 90)]
    at_places = [[c, y, x, float(values[c, y, x])] for c, y, x in places]
    return {"mean": float(values.mean(dtype=np.float64)), "places": at_places}


def case(width, height, name, value):
    image = Image.fromarray(picture(name, value, width, height))
    by_processor, by_torchvision = cropped(image)
    return {
        "picture": [name, value],
        "width": width,
        "height": height,
        "processor_sha256": digest(by_processor),
        "torchvision_sha256": digest(by_torchvision),
        "letterbox_off": letterboxed(image, False),
        "letterbox_on": letterboxed(image, True),
    }


torch.set_num_threads(1)
result = {
    "versions": {
        "pillow": PIL.__version__,
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "transformers": transformers.__version__,
    },
    "side": SIDE,
    "cases": [case(*size, *named) for size in SIZES for named in PICTURES],
}
path = pathlib.Path(__file__).with_name("preprocess.json")
path.write_text(json.dumps(result, sort_keys=True, separators=(",", ":")) + "\n")
