"""Pictures and prompts of the scorers' golden numbers; `../../it/images.rs` makes the same pictures.

Formulas as in `../ssim.py`, with the channels together. This file writes nothing by itself.
"""

import numpy as np

PROMPTS = [
    "a man waving with his left hand",
    "Two women   shaking hands,\n photo, 85mm",
    "It's a dancer's \u201carabesque\u201d \u2014 the \ufb01nest, caf\u00e9 light & rain &amp; fog",
    "\uff28\uff21\uff2e\uff24 of a m\u00fcller, \u624b and \U0001f44b",
    "",
    "a crowded kitchen in which eleven cooks pass plates from hand to hand, each with five fingers on each "
    "hand, aprons stained, steam rising, copper pans above them, the youngest laughing, the oldest pointing "
    "at the clock, a waiter waiting at the door with folded arms, late afternoon light through tall windows",
]


def picture(name, value, width, height):
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    if name == "ramp":
        values = (3 * x + 5 * y + 40 * c) % 256
    elif name == "waves":
        values = np.abs((7 * x + 3 * y + 50 * c) % 510 - 255)
    elif name == "blocks":
        values = 20 + 10 * c + 200 * ((x // 8 + y // 8) % 2)
    elif name == "noise":
        mask = 0xFFFFFFFF
        h = (x * 73856093) ^ (y * 19349663) ^ (c * 83492791) ^ (value * 2654435761)
        h &= mask
        h ^= h >> 15
        h = h * 2246822519 & mask
        h ^= h >> 13
        values = (h >> 8) & 255
    else:
        raise ValueError(name)
    return np.clip(values, 0, 255).astype(np.uint8)
