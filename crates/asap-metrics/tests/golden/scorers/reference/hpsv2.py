"""HPSv2's image transform for evaluation, in torchvision's own steps.

Written after `ResizeMaxSize` and `image_transform` of the package hpsv2 1.2.0, with which it agrees in every bit on
all cases here. The package itself is not installed: it wants packages of 2022. Where the longest side is `side`
already, it adds no borders; so does this.

torchvision before 0.17 resized tensors without antialias; today's does so when it is told.
"""

from torchvision.transforms import InterpolationMode, functional

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)


def transform(side, antialias):
    def run(image):
        values = functional.to_tensor(image)
        height, width = values.shape[1:]
        scale = side / float(max(height, width))
        if scale != 1.0:
            size = (round(height * scale), round(width * scale))
            values = functional.resize(values, size, InterpolationMode.BICUBIC, antialias=antialias)
            rows, columns = side - size[0], side - size[1]
            borders = [columns // 2, rows // 2, columns - columns // 2, rows - rows // 2]
            values = functional.pad(values, borders, fill=0)
        return functional.normalize(values, MEAN, STD)

    return run
