"""Golden numbers of the scorers Aesthetic, PickScore and HPSv2.1 on tiny random networks.

    pip install -r requirements.txt && python scorers.py

writes `scorers.json`, and beside it what `asap bench score --weights` reads: the networks `*.safetensors`, their
configurations and `clip-tokenizer/`. The networks have two blocks and random weights, which are stored in f16; the
references compute in f32 with what is stored.

- PickScore: `CLIPModel` and `CLIPImageProcessor` of transformers, `CLIPTokenizerFast`.
- Aesthetic: `CLIPModel` with quick GELU, the transform of openai-clip, layers as in improved-aesthetic-predictor.
- HPSv2.1: `CLIP` and `SimpleTokenizer` of open_clip, the transform of `reference/hpsv2.py`.

`confused` has the scores of some well-known mistakes, from which the right ones must differ.
"""

import json
import pathlib

import clip.clip
import ftfy
import numpy as np
import open_clip
import open_clip.model
import PIL
import torch
import torchvision
import transformers
from PIL import Image
from safetensors.torch import save_file
from torchvision.transforms import functional
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

from reference import hpsv2, tokenizer
from reference.inputs import PROMPTS, picture

HERE = pathlib.Path(__file__).parent
SIDE, PATCH, CONTEXT, EMBEDDING = 32, 8, 77, 16
VISION = {"width": 32, "layers": 2, "heads": 4, "mlp": 64}
TEXT = {"width": 24, "layers": 2, "heads": 2, "mlp": 48}
PICTURES = [
    ("noise", 4, 32, 32), ("waves", 0, 97, 61), ("ramp", 0, 61, 97), ("blocks", 0, 40, 200), ("noise", 9, 33, 32),
    ("waves", 0, 224, 224), ("ramp", 0, 512, 301), ("blocks", 0, 20, 15),
]


def randomize(module, seed):
    """Random parameters that f16 holds exactly; norms near 1, so that no layer drowns the others."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in sorted(module.named_parameters()):
        values = torch.randn(parameter.shape, generator=generator)
        if name.endswith("logit_scale"):
            values = torch.full_like(values, 2.5)
        elif "norm" in name or "ln_" in name:
            values = values * 0.1 + (1.0 if name.endswith("weight") else 0.0)
        elif parameter.dim() > 1 and "embedding" not in name:
            values = 1.7 * values / parameter[0].numel() ** 0.5
        else:
            values = values * 0.4
        parameter.data = values.half().float()
    return module.eval()


def save(module, name):
    tensors = {key: value.half().contiguous() for key, value in module.state_dict().items()}
    save_file(tensors, HERE / f"{name}.safetensors")


def write_json(name, value):
    (HERE / name).write_text(json.dumps(value, indent=1, sort_keys=True) + "\n")


def hugging_face(name, activation, n_tokens, seed):
    def tower(sizes):
        return {
            "hidden_size": sizes["width"], "intermediate_size": sizes["mlp"], "num_hidden_layers": sizes["layers"],
            "num_attention_heads": sizes["heads"], "hidden_act": activation, "projection_dim": EMBEDDING,
        }

    vision = tower(VISION) | {"image_size": SIDE, "patch_size": PATCH}
    special = {"bos_token_id": n_tokens - 2, "eos_token_id": n_tokens - 1, "pad_token_id": n_tokens - 1}
    text = tower(TEXT) | {"vocab_size": n_tokens, "max_position_embeddings": CONTEXT} | special
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=EMBEDDING)
    model = randomize(CLIPModel(config), seed)
    save(model, name)
    write_json(f"{name}.config.json", {"text_config": text, "vision_config": vision, "projection_dim": EMBEDDING})
    return model


def open_clip_model(n_tokens, seed):
    vision = {
        "image_size": SIDE, "layers": VISION["layers"], "width": VISION["width"],
        "head_width": VISION["width"] // VISION["heads"], "patch_size": PATCH,
        "mlp_ratio": VISION["mlp"] / VISION["width"],
    }
    text = {
        "context_length": CONTEXT, "vocab_size": n_tokens, "width": TEXT["width"], "heads": TEXT["heads"],
        "layers": TEXT["layers"], "mlp_ratio": TEXT["mlp"] / TEXT["width"],
    }
    model = open_clip.model.CLIP(
        EMBEDDING, open_clip.model.CLIPVisionCfg(**vision), open_clip.model.CLIPTextCfg(**text)
    )
    randomize(model, seed)
    save(model, "hpsv2.1")
    write_json(
        "hpsv2.1.config.json", {"model_cfg": {"embed_dim": EMBEDDING, "vision_cfg": vision, "text_cfg": text}}
    )
    return model


def aesthetic_head(seed):
    """`MLP.layers` of improved-aesthetic-predictor, narrower."""
    layers = torch.nn.Sequential(
        torch.nn.Linear(EMBEDDING, 32), torch.nn.Dropout(0.2), torch.nn.Linear(32, 12), torch.nn.Dropout(0.2),
        torch.nn.Linear(12, 8), torch.nn.Dropout(0.1), torch.nn.Linear(8, 4), torch.nn.Linear(4, 1),
    )
    head = randomize(torch.nn.ModuleDict({"layers": layers}), seed)
    save(head, "aesthetic")
    return head["layers"]


def unit(rows):
    return rows / rows.norm(dim=-1, keepdim=True)


class References:
    def __init__(self, folder, n_tokens):
        self.pick = hugging_face("pickscore", "gelu", n_tokens, 1)
        self.quick = hugging_face("clip-vit-l-14", "quick_gelu", n_tokens, 2)
        self.head = aesthetic_head(3)
        self.hps = open_clip_model(n_tokens, 4)
        self.fast = tokenizer.fast(folder)
        self.simple = tokenizer.open_clip_tokenizer(folder)
        self.processor = CLIPImageProcessor(size={"shortest_edge": SIDE}, crop_size=SIDE)
        self.openai = clip.clip._transform(SIDE)

    def aesthetic(self, image, model=None):
        model = model or self.quick
        features = model.get_image_features(pixel_values=self.openai(image)[None])
        return float(self.head(unit(features))[0, 0])

    def pickscore(self, pixels, prompt):
        tokens = self.fast([prompt], padding=True, truncation=True, max_length=CONTEXT, return_tensors="pt")
        images = unit(self.pick.get_image_features(pixel_values=pixels))
        texts = unit(self.pick.get_text_features(**tokens))
        return float(self.pick.logit_scale.exp() * (texts @ images.T)[0, 0])

    def pick_pixels(self, image):
        return self.processor(image, return_tensors="pt", input_data_format="channels_last")["pixel_values"]

    def hpsv2(self, pixels, prompt):
        images = self.hps.encode_image(pixels, normalize=True)
        texts = self.hps.encode_text(self.simple([prompt], CONTEXT), normalize=True)
        return float((images @ texts.T)[0, 0])

    def case(self, named, prompt):
        name, value, width, height = named
        image = Image.fromarray(picture(name, value, width, height))
        letterbox = {on: hpsv2.transform(SIDE, on)(image)[None] for on in (False, True)}
        lengths = [len(self.fast(prompt)["input_ids"]), len(self.simple.encode(prompt)) + 2]
        return {
            "picture": [name, value], "width": width, "height": height, "prompt": prompt,
            "scores": {
                "aesthetic": self.aesthetic(image),
                "pickscore": self.pickscore(self.pick_pixels(image), prompt),
                "hpsv2.1": self.hpsv2(letterbox[False], prompt),
                "hpsv2.1-antialias": self.hpsv2(letterbox[True], prompt),
            },
            "truncated": {
                "aesthetic": False,
                "pickscore": lengths[0] > CONTEXT,
                "hpsv2.1": lengths[1] > CONTEXT,
                "hpsv2.1-antialias": lengths[1] > CONTEXT,
            },
            "confused": self.confused(image, prompt),
        }

    def confused(self, image, prompt):
        """The scorer and its score with one mistake, by the mistake's name."""
        for layer in self.quick.vision_model.encoder.layers:
            layer.mlp.activation_fn = torch.nn.GELU()
        erf = self.aesthetic(image)
        for layer in self.quick.vision_model.encoder.layers:
            layer.mlp.activation_fn = transformers.activations.QuickGELUActivation()
        floats = functional.to_tensor(image)
        floats = functional.resize(floats, SIDE, transforms_bicubic(), antialias=False)
        floats = functional.center_crop(floats, SIDE)
        mean, std = self.processor.image_mean, self.processor.image_std
        by_tensor = functional.normalize(floats, mean, std)[None]
        return {
            "wrong gelu": ["aesthetic", erf],
            "resized as a tensor": ["pickscore", self.pickscore(by_tensor, prompt)],
            "cropped, not letterboxed": ["hpsv2.1", self.hpsv2(by_tensor, prompt)],
            "with logit scale": [
                "hpsv2.1",
                float(self.hps.logit_scale.exp()) * self.hpsv2(hpsv2.transform(SIDE, False)(image)[None], prompt),
            ],
        }


def transforms_bicubic():
    return torchvision.transforms.InterpolationMode.BICUBIC


torch.set_num_threads(1)
torch.set_grad_enabled(False)
folder = HERE / "clip-tokenizer"
references = References(folder, tokenizer.write(folder))
prompts = PROMPTS + ["\u2018a\u2019 &lt;b&gt; &#65;&#x42;", "\uff76\uff9e x\u0301 \u0130stanbul", "tab\tand\x0bmore\x00\ufeff"]
result = {
    "versions": {
        "ftfy": ftfy.__version__, "numpy": np.__version__, "open_clip": open_clip.__version__,
        "pillow": PIL.__version__, "torch": torch.__version__, "torchvision": torchvision.__version__,
        "transformers": transformers.__version__,
    },
    "tokens": [
        {
            "prompt": prompt,
            "processor": references.fast([prompt], truncation=True, max_length=CONTEXT)["input_ids"][0],
            "open_clip": [int(id) for id in references.simple([prompt], CONTEXT)[0] if id != 0],
        }
        for prompt in prompts
    ],
    "cases": [
        references.case(named, PROMPTS[(idx + k) % len(PROMPTS)])
        for idx, named in enumerate(PICTURES)
        for k in (0, 3, 5)
    ],
}
(HERE / "scorers.json").write_text(json.dumps(result, indent=1, sort_keys=True) + "\n")
