"""Golden numbers of LPIPS, from the package `lpips` on made-up weights.

    pip install -r requirements.txt && python distances.py

writes `distances.json` beside this file. Neither weights nor images are stored: both are made from formulas on
whole numbers, which `../../it/made.rs` and `../../it/images.rs` repeat.

Weights: element i of the tensor with a name of torchvision or of the heads is u * sqrt(6 / n) in double precision,
rounded to single, where n is the number of inputs of one output (the product of all sizes but the first), and 0.1 u
for a bias, and |u| for a head; u in [-1, 1) is (z >> 40) / 2^23 - 1, and z is the output number i + 1 of splitmix64
begun with the FNV-1a hash (64 bits) of the tensor's name.

Images and masks are those of `../ssim.py`; "waves" is the first image of every pair.
"""

import json
import math
import pathlib

import lpips
import numpy as np
import torch

AREA_FLOOR_PX = 121
TAPS = 5

# name, net, width, height, change, mask
CASES = [
    ("noisy, square", "alex", 64, 64, ["noisy", 20], "disc"),
    ("repainted, wide", "alex", 97, 70, ["repainted"], "disc"),
    ("painted corner, tall", "alex", 130, 201, ["painted"], "corner"),
    ("painted disc, large", "alex", 256, 192, ["painted"], "disc"),
    ("smallest", "alex", 31, 31, ["inverted"], "disc"),
    ("unrelated, odd", "alex", 83, 45, ["other"], "edge"),
    ("noisy, square", "vgg", 48, 48, ["noisy", 20], "disc"),
    ("repainted, odd", "vgg", 61, 37, ["repainted"], "disc"),
    ("painted corner", "vgg", 96, 112, ["painted"], "corner"),
    ("smallest", "vgg", 16, 16, ["inverted"], "edge"),
]
# Half of the receptive fields of the last taps, 163 and 196 pixels.
CROP_PAD = {"alex": 82, "vgg": 98}
CROP_LEAST = 64


def noise(x, y, c, seed):
    x, y, c = (np.asarray(v, np.uint32) for v in (x, y, c))
    h = x * np.uint32(73856093) ^ y * np.uint32(19349663) ^ c * np.uint32(83492791)
    h = h ^ np.uint32(2654435761 * seed % 2**32)
    h = h ^ (h >> np.uint32(15))
    h = h * np.uint32(2246822519)
    h = h ^ (h >> np.uint32(13))
    return ((h >> np.uint32(8)) & np.uint32(255)).astype(np.int64)


def pair(width, height, change, mask):
    y, x, c = np.indices((height, width, 3))
    a = np.abs((7 * x + 3 * y + 50 * c) % 510 - 255)

    def noisy(k):
        return a + noise(x, y, c, 9) % (2 * k + 1) - k

    name, *amount = change
    inside = mask[..., None]
    b = {
        "inverted": lambda: 255 - a,
        "noisy": lambda: noisy(*amount),
        "painted": lambda: np.where(inside, noise(x, y, c, 5), a),
        "repainted": lambda: np.where(inside, noise(x, y, c, 5), noisy(2)),
        "other": lambda: noise(x, y, c, 2),
    }[name]()
    return np.clip(a, 0, 255).astype(np.uint8), np.clip(b, 0, 255).astype(np.uint8)


def mask_of(width, height, name):
    y, x = np.indices((height, width))
    return {
        "disc": (2 * x - width) ** 2 + (2 * y - height) ** 2 <= (min(width, height) // 2) ** 2,
        "edge": 3 * x < width,
        "corner": (x >= width - 20) & (y >= height - 20),
    }[name]


def made(name, shape):
    state = 0xCBF29CE484222325
    for byte in name.encode():
        state = (state ^ byte) * 0x100000001B3 % 2**64
    n = math.prod(shape)
    z = np.uint64(state) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    u = (z >> np.uint64(40)).astype(np.float64) / 2.0**23 - 1.0
    if name.startswith("lin"):
        u = np.abs(u)
    elif name.endswith(".bias"):
        u = 0.1 * u
    else:
        u = u * math.sqrt(6 / math.prod(shape[1:]))
    return torch.from_numpy(u.astype(np.float32).reshape(shape))


def network(net, spatial):
    model = lpips.LPIPS(net=net, pretrained=False, pnet_rand=True, spatial=spatial, verbose=False)
    state = model.state_dict()
    for key, tensor in state.items():
        if key.startswith("net."):
            # `net.slice2.3.weight` is torchvision's `features.3.weight`.
            tensor.copy_(made("features." + key.split(".", 2)[2], tuple(tensor.shape)))
        elif key.startswith("lin") and not key.startswith("lins"):
            tensor.copy_(made(key, tuple(tensor.shape)))
    # The heads stand in the dictionary twice, as one tensor.
    model.load_state_dict(state)
    return model


def tensor_of(image):
    return torch.from_numpy(image.astype(np.float32) / 127.5 - 1.0).permute(2, 0, 1)[None].contiguous()


def tap_facts(model, image):
    facts = []
    for tap in model.net(model.scaling_layer(tensor_of(image))):
        values = tap[0].double().numpy()
        channels, height, width = values.shape
        places = [
            (c * (channels - 1) // 3, r * (height - 1) // 2, q * (width - 1) // 2)
            for c in range(4)
            for r, q in ((0, 0), (1, 2), (2, 1), (2, 2))
        ]
        facts.append(
            {
                "shape": [channels, height, width],
                "mean": float(values.mean()),
                "rms": float(np.sqrt((values**2).mean())),
                "largest": float(values.max()),
                "values": [[*place, float(values[place])] for place in places],
            }
        )
    return facts


def spatial(model, a, b):
    return model(tensor_of(a), tensor_of(b))[0, 0].double().numpy()


def masked_mean(values, mask):
    values = values[mask]
    return float(values.mean()) if values.size >= AREA_FLOOR_PX else None


def crop(model, net, a, b, mask):
    if mask.sum() < AREA_FLOOR_PX:
        return None
    box = []
    for axis, size in ((1, mask.shape[0]), (0, mask.shape[1])):
        marked = np.flatnonzero(mask.any(axis=axis))
        start, end = max(marked[0] - CROP_PAD[net], 0), min(marked[-1] + 1 + CROP_PAD[net], size)
        end = max(end, min(start + CROP_LEAST, size))
        start = min(start, max(end - CROP_LEAST, 0))
        box.append(slice(start, end))
    return float(model(tensor_of(a[tuple(box)]), tensor_of(b[tuple(box)])))


def measure(models, name, net, width, height, change, mask_name):
    scalar, mapped = models[net]
    mask = mask_of(width, height, mask_name)
    a, b = pair(width, height, change, mask)
    total, layers = scalar(tensor_of(a), tensor_of(b), retPerLayer=True)
    full = spatial(mapped, a, b)
    inside = spatial(mapped, a, np.where(mask[..., None], b, a))
    outside = spatial(mapped, a, np.where(mask[..., None], a, b))
    points = sorted({(x, y) for x in (0, 5, width // 2, width - 1) for y in (0, height // 3, height - 1)})
    return {
        "name": name,
        "net": net,
        "width": width,
        "height": height,
        "change": change,
        "mask": mask_name,
        "taps": tap_facts(scalar, b),
        "total": float(total),
        "layers": [float(layer) for layer in layers],
        "map_mean": float(full.mean()),
        "points": [[x, y, float(full[y, x])] for x, y in points],
        "composite": [masked_mean(inside, mask), masked_mean(outside, ~mask)],
        "map": [masked_mean(full, mask), masked_mean(full, ~mask)],
        "crop": crop(scalar, net, a, b, mask),
    }


def rounded(value):
    """Nine significant digits: finer than single precision, coarser than what the order of a sum changes much."""
    if isinstance(value, float):
        return float(f"{value:.8e}")
    if isinstance(value, list):
        return [rounded(item) for item in value]
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return value


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    with torch.no_grad():
        models = {net: (network(net, False), network(net, True)) for net in ("alex", "vgg")}
        lines = [json.dumps(rounded(measure(models, *case)), sort_keys=True) for case in CASES]
    text = "[\n" + ",\n".join(lines) + "\n]\n"
    pathlib.Path(__file__).with_name("distances.json").write_text(text)


if __name__ == "__main__":
    main()
