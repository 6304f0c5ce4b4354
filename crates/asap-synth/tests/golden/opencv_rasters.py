"""Golden rasters of pose-map drawing, from OpenCV.

    pip install -r requirements.txt && python opencv_rasters.py

writes `opencv_rasters.json` beside this file; the same versions write the same bytes. Every shape is drawn in
white on a black canvas of 96 x 72 pixels, partly beyond its edge, and kept as runs: a list of
[row, first column, last column] from top to bottom and left to right. The shapes come from whole-number
formulas, no random numbers.
"""

import json
import pathlib

import cv2
import numpy as np

WIDTH, HEIGHT = 96, 72


def mixed(seed, low, high):
    """A whole number in low..high that depends on the seed alone."""
    h = (seed * 2654435761 + 12345) % 2**32
    h ^= h >> 15
    h = h * 2246822519 % 2**32
    h ^= h >> 13
    return low + h % (high - low + 1)


def runs(canvas):
    found = []
    for y, row in enumerate(canvas[:, :, 0] > 0):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(np.int8), [0]])))
        found += [[y, int(a), int(b) - 1] for a, b in zip(edges[::2], edges[1::2])]
    return found


def blank():
    return np.zeros((HEIGHT, WIDTH, 3), np.uint8)


def line(nth):
    points = [[mixed(8 * nth + k, -12, (WIDTH, HEIGHT)[k % 2] + 12) for k in (2 * e, 2 * e + 1)] for e in (0, 1)]
    canvas = cv2.line(blank(), points[0], points[1], (255, 255, 255), thickness=2)
    return {"from": points[0], "to": points[1], "runs": runs(canvas)}


def ellipse(nth):
    seed = 5000 + 8 * nth
    center = [mixed(seed, -5, WIDTH + 5), mixed(seed + 1, -5, HEIGHT + 5)]
    axes = [mixed(seed + 2, 0, 45), mixed(seed + 3, 1, 3) * 4]
    angle = mixed(seed + 4, -180, 180)
    polygon = cv2.ellipse2Poly(center, axes, angle, 0, 360, 1)
    canvas = cv2.fillConvexPoly(blank(), polygon, (255, 255, 255))
    return {"center": center, "axes": axes, "angle_deg": angle, "runs": runs(canvas)}


def disc(nth):
    center = [mixed(9000 + nth, -3, WIDTH + 3), mixed(9100 + nth, -3, HEIGHT + 3)]
    canvas = cv2.circle(blank(), center, nth, (255, 255, 255), thickness=-1)
    return {"center": center, "radius": nth, "runs": runs(canvas)}


def resize(size):
    """A picture by a formula, resized with INTER_LINEAR: the first channel, row by row."""
    y, x = np.mgrid[0:18, 0:24]
    picture = ((x * 37 + y * 91 + x * y * 5) % 256).astype(np.uint8)
    resized = cv2.resize(np.dstack([picture] * 3), size, interpolation=cv2.INTER_LINEAR)
    return {"size": list(size), "values": resized[:, :, 0].ravel().tolist()}


golden = {
    "opencv": cv2.__version__,
    "lines": [line(nth) for nth in range(24)],
    "ellipses": [ellipse(nth) for nth in range(24)],
    "discs": [disc(nth) for nth in range(7)],
    "resized": [resize(size) for size in ((48, 36), (31, 40), (15, 11))],
}
text = json.dumps(golden, separators=(",", ":")).replace('{"', '\n{"')
pathlib.Path(__file__).with_suffix(".json").write_text(text + "\n")
