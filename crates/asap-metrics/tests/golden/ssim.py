"""Golden numbers of region SSIM, from scikit-image.

    pip install -r requirements.txt && python ssim.py

writes `ssim.json` beside this file; the same versions write the same bytes. No image is stored: every image
is made from a formula on whole numbers, which `../it/images.rs` repeats.

The formulas, for column x, row y and channel c, all values clipped to 0..255:

noise(seed)   h = (73856093 x) ^ (19349663 y) ^ (83492791 c) ^ (2654435761 seed) mod 2^32, h ^= h >> 15,
              h = 2246822519 h mod 2^32, h ^= h >> 13; the value is (h >> 8) mod 256
ramp          (3x + 5y + 40c) mod 256
waves         |((7x + 3y + 50c) mod 510) - 255|
blocks        20 + 10c, and 200 more where floor(x / 8) + floor(y / 8) is odd
constant(v)   v

The second image of a pair is made from the first, a, by one change:

same          a
inverted      255 - a
lighter(k)    a + k
blurred       the 3x3 mean, rounded down, edge pixels repeated
noisy(k)      a + noise(9) mod (2k + 1) - k
painted       noise(5) inside the mask, a outside
repainted     noise(5) inside the mask, noisy(2) outside
other         noise(2) everywhere

Masks of a w x h image:

disc          (2x - w)^2 + (2y - h)^2 <= (min(w, h) / 2)^2 in whole numbers, min(w, h) / 2 rounded down
line          |x - y| <= 1
edge          3x < w
corner        x >= w - 20 and y >= h - 20
full, empty   all, nothing
"""

import json
import pathlib

import numpy as np
from scipy.ndimage import distance_transform_edt
from skimage.metrics import structural_similarity

AREA_FLOOR_PX = 121
BORDER_PX = 5

# name, width, height, first image, change, mask, erosion radius
CASES = [
    ("equal noise", 40, 33, ["noise", 1], ["same"], "disc", 3),
    ("inverted noise", 48, 48, ["noise", 1], ["inverted"], "disc", 8),
    ("unrelated noise", 37, 61, ["noise", 1], ["other"], "edge", 4),
    ("inverted ramp", 64, 40, ["ramp"], ["inverted"], "edge", 8),
    ("blurred ramp", 50, 70, ["ramp"], ["blurred"], "disc", 5),
    ("noisy ramp", 70, 50, ["ramp"], ["noisy", 6], "line", 1),
    ("lighter waves", 64, 64, ["waves"], ["lighter", 17], "disc", 8),
    ("blurred waves", 41, 90, ["waves"], ["blurred"], "corner", 3),
    ("noisy waves, two strips", 150, 30, ["waves"], ["noisy", 3], "edge", 8),
    ("noisy waves, last strip one column", 139, 24, ["waves"], ["noisy", 20], "disc", 2),
    ("painted waves", 96, 80, ["waves"], ["painted"], "disc", 8),
    ("painted waves, line", 80, 80, ["waves"], ["painted"], "line", 1),
    ("painted waves, touching the edge", 90, 60, ["waves"], ["painted"], "edge", 8),
    ("painted waves, corner", 64, 90, ["waves"], ["painted"], "corner", 2),
    ("repainted waves", 100, 64, ["waves"], ["repainted"], "disc", 8),
    ("repainted blocks across strips", 290, 48, ["blocks"], ["repainted"], "disc", 8),
    ("repainted blocks, edge", 72, 72, ["blocks"], ["repainted"], "edge", 6),
    ("blurred blocks", 72, 56, ["blocks"], ["blurred"], "full", 8),
    ("noisy blocks", 56, 72, ["blocks"], ["noisy", 1], "empty", 8),
    ("constant, lighter", 32, 32, ["constant", 155], ["lighter", 100], "disc", 3),
    ("constant, black and white", 32, 24, ["constant", 0], ["inverted"], "disc", 3),
    ("constant white, equal", 24, 32, ["constant", 255], ["same"], "edge", 3),
    ("constant white, noisy", 44, 32, ["constant", 255], ["noisy", 2], "disc", 3),
    ("constant, painted", 60, 60, ["constant", 250], ["painted"], "disc", 8),
    ("one window", 11, 11, ["waves"], ["noisy", 30], "disc", 1),
    ("one column of windows", 11, 40, ["noise", 3], ["blurred"], "edge", 1),
    ("one row of windows", 150, 11, ["ramp"], ["noisy", 9], "edge", 2),
    ("tiny", 16, 13, ["waves"], ["inverted"], "full", 3),
    ("tiny, painted", 23, 27, ["blocks"], ["painted"], "disc", 1),
]


def noise(shape, seed):
    y, x, c = np.indices(shape, dtype=np.uint64)
    low = np.uint64(0xFFFFFFFF)
    h = (x * np.uint64(73856093)) ^ (y * np.uint64(19349663)) ^ (c * np.uint64(83492791))
    h = (h ^ np.uint64(2654435761 * seed)) & low
    h ^= h >> np.uint64(15)
    h = (h * np.uint64(2246822519)) & low
    h ^= h >> np.uint64(13)
    return ((h >> np.uint64(8)) & np.uint64(255)).astype(np.int64)


def picture(shape, name, value=0):
    y, x, c = np.indices(shape, dtype=np.int64)
    if name == "noise":
        values = noise(shape, value)
    elif name == "ramp":
        values = (3 * x + 5 * y + 40 * c) % 256
    elif name == "waves":
        values = np.abs((7 * x + 3 * y + 50 * c) % 510 - 255)
    elif name == "blocks":
        values = 20 + 10 * c + 200 * ((x // 8 + y // 8) % 2)
    elif name == "constant":
        values = np.full(shape, value)
    return np.clip(values, 0, 255).astype(np.uint8)


def changed(first, mask, name, amount=0):
    a = first.astype(np.int64)

    def noisy(k):
        return a + noise(a.shape, 9) % (2 * k + 1) - k

    if name == "same":
        values = a
    elif name == "inverted":
        values = 255 - a
    elif name == "lighter":
        values = a + amount
    elif name == "blurred":
        grown = np.pad(a, ((1, 1), (1, 1), (0, 0)), mode="edge")
        height, width = a.shape[:2]
        values = sum(grown[i : i + height, j : j + width] for i in range(3) for j in range(3)) // 9
    elif name == "noisy":
        values = noisy(amount)
    elif name == "painted":
        values = np.where(mask[..., None], noise(a.shape, 5), a)
    elif name == "repainted":
        values = np.where(mask[..., None], noise(a.shape, 5), noisy(2))
    elif name == "other":
        values = noise(a.shape, 2)
    return np.clip(values, 0, 255).astype(np.uint8)


def mask_of(width, height, name):
    y, x = np.indices((height, width))
    return {
        "disc": (2 * x - width) ** 2 + (2 * y - height) ** 2 <= (min(width, height) // 2) ** 2,
        "line": np.abs(x - y) <= 1,
        "edge": 3 * x < width,
        "corner": (x >= width - 20) & (y >= height - 20),
        "full": np.ones((height, width), bool),
        "empty": np.zeros((height, width), bool),
    }[name]


def ssim(a, b):
    value, full = structural_similarity(
        a,
        b,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
        channel_axis=-1,
        full=True,
    )
    return float(value), full.mean(axis=-1)


def masked_mean(full, mask):
    inner = np.s_[BORDER_PX:-BORDER_PX, BORDER_PX:-BORDER_PX]
    values = full[inner][mask[inner]]
    return float(values.mean()) if values.size >= AREA_FLOOR_PX else None


def eroded(mask, radius):
    return mask if mask.all() else distance_transform_edt(mask) > radius


def measure(name, width, height, first, change, mask_name, radius):
    mask = mask_of(width, height, mask_name)
    a = picture((height, width, 3), *first)
    b = changed(a, mask, *change)
    value, full = ssim(a, b)
    inside = ssim(a, np.where(mask[..., None], b, a))[1]
    outside = ssim(a, np.where(mask[..., None], a, b))[1]
    points = sorted({(x, y) for x in (0, 4, 5, width // 2, width - 3) for y in (0, 5, height // 3, height - 1)})
    return {
        "name": name,
        "width": width,
        "height": height,
        "first": first,
        "change": change,
        "mask": mask_name,
        "ssim": value,
        "points": [[int(x), int(y), float(full[y, x])] for x, y in points],
        "map": [masked_mean(full, mask), masked_mean(full, ~mask)],
        "composite": [masked_mean(inside, mask), masked_mean(outside, ~mask)],
        "eroded_px": radius,
        "eroded": [masked_mean(full, eroded(mask, radius)), masked_mean(full, eroded(~mask, radius))],
    }


def rounded(value):
    """Twelve decimals: far finer than the tolerance, coarser than what another processor may change."""
    if isinstance(value, float):
        return round(value, 12)
    if isinstance(value, list):
        return [rounded(item) for item in value]
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return value


def main():
    lines = [json.dumps(rounded(measure(*case))) for case in CASES]
    text = "[\n" + ",\n".join(lines) + "\n]\n"
    pathlib.Path(__file__).with_name("ssim.json").write_text(text)


if __name__ == "__main__":
    main()
