"""Golden numbers of ImageReward on a tiny random network.

    pip install -r requirements.txt && python image_reward.py

writes `image_reward.json`, and beside it what `asap bench score --weights` reads: `imagereward.safetensors`, its
configuration and `bert-tokenizer/`. The reference is the package itself: `ImageReward.score` with the package's `vit.py`
and `med.py`, only smaller; its `__init__` is not run. Weights are stored in f16, and the reference computes in f32 with
what is stored. `confused` has the scores of well-known mistakes, from which the right ones must differ.
"""

import PIL
import timm
import torch
import torchvision
import transformers
from PIL import Image
from torch import nn
from torchvision.transforms import functional
from transformers import BertTokenizer

from tiny import HERE, PROMPTS, package_folder, picture, randomize, save, without_init, write_json

ROOT = package_folder("image-reward", "1.5", "b4917a680c3caa68a1ce3847cebab3ae6d5b4c409d7f8804f537b9d42662cf12")
ROOT = ROOT / "ImageReward"
for name in ("ImageReward", "ImageReward.models", "ImageReward.models.BLIP"):
    without_init(name, ROOT.joinpath(*name.split(".")[1:]))
# For training alone.
without_init("fairscale.nn.checkpoint.checkpoint_activations", HERE).checkpoint_wrapper = None

from ImageReward import ImageReward as reward  # noqa: E402
from ImageReward.models.BLIP import blip_pretrain, vit  # noqa: E402

SIDE, PATCH, WIDTH, TEXT_WIDTH, N_TOKENS = 32, 8, 32, 24, 35
PICTURES = [
    ("noise", 4, 32, 32), ("waves", 0, 97, 61), ("ramp", 0, 61, 97), ("blocks", 0, 40, 200), ("noise", 9, 33, 32),
    ("waves", 0, 224, 224), ("ramp", 0, 512, 301),
]
MORE_PROMPTS = [
    "[ENC] a [SEP] b [enc] [DEC][MASK]", "tab\tand\x0bmore\x00\ufeff", "x\u0301 \u0130stanbul \u624b\u624b", "a" * 101,
    " ".join(["hand"] * 33), " ".join(["hand"] * 34), "unhandy wavings, five-fingered!?",
]
WORDS = "a man waving with his left hand hands five fingers woman two clock light photo window late each from".split()


def write_vocabulary():
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    tokens = ["[PAD]", "[unused0]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *".,!?'-&;#[]", *"0123456789", "\u624b"]
    tokens += letters + [f"##{c}" for c in letters] + [word for word in WORDS if len(word) > 1]
    tokens += ["##s", "##ing", "##y", "##ed", "##0", "##5"]
    tokens = list(dict.fromkeys(tokens))
    path = HERE / "bert-tokenizer" / "vocab.txt"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(token + "\n" for token in tokens))
    return path


def tokenizer(path):
    """As `init_tokenizer` of `blip.py`, from a file."""
    made = BertTokenizer(str(path))
    made.add_special_tokens({"bos_token": "[DEC]"})
    made.add_special_tokens({"additional_special_tokens": ["[ENC]"]})
    made.enc_token_id = made.additional_special_tokens_ids[0]
    return made


def small(tokens):
    """`ImageReward` with smaller parts."""
    med = {
        "hidden_size": TEXT_WIDTH, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 3,
        "hidden_act": "gelu", "layer_norm_eps": 1e-12, "max_position_embeddings": 40, "vocab_size": len(tokens),
        "pad_token_id": 0, "add_cross_attention": True, "type_vocab_size": 2, "model_type": "bert",
    }
    # `vision_num_attention_heads` is ours: the reference has it in code.
    write_json("imagereward.config.json", med | {"vision_num_attention_heads": 4})
    vision = vit.VisionTransformer(
        img_size=SIDE, patch_size=PATCH, embed_dim=WIDTH, depth=2, num_heads=4, mlp_ratio=2.0
    )
    blip_pretrain.create_vit = lambda *_arguments: (vision, WIDTH)
    blip_pretrain.init_tokenizer = lambda: tokens
    model = reward.ImageReward.__new__(reward.ImageReward)
    nn.Module.__init__(model)
    model.device = "cpu"
    model.blip = blip_pretrain.BLIP_Pretrain(image_size=SIDE, med_config=HERE / "imagereward.config.json", embed_dim=4)
    model.preprocess = reward._transform(SIDE)
    model.mlp = reward.MLP(TEXT_WIDTH)
    model.mlp.layers = nn.Sequential(
        nn.Linear(TEXT_WIDTH, 32), nn.Dropout(0.2), nn.Linear(32, 12), nn.Dropout(0.2), nn.Linear(12, 8),
        nn.Dropout(0.1), nn.Linear(8, 4), nn.Linear(4, 1),
    )
    model.mean, model.std = 0.16717362830052426, 1.0333394966054072
    randomize(model, 21)
    save(model.state_dict(), "imagereward")
    return model


def by_hand(model, ids, mask, pixels, **more):
    """`score_gard` with other inputs."""
    images = model.blip.visual_encoder(pixels)
    seen = torch.ones(images.shape[:-1], dtype=torch.long)
    text = model.blip.text_encoder(
        ids, attention_mask=mask, encoder_hidden_states=images, encoder_attention_mask=seen, return_dict=True, **more
    )
    return text.last_hidden_state[:, 0]


def confused(model, prompt, image):
    """The score with one mistake, by the mistake's name."""
    def read(**more):
        return model.blip.tokenizer(prompt, return_tensors="pt", padding="max_length", **more)

    def scored(hidden):
        return float((model.mlp(hidden)[0, 0] - model.mean) / model.std)

    text = read(max_length=N_TOKENS, truncation=True)
    ids, mask = text.input_ids, text.attention_mask
    swapped = ids.clone()
    swapped[:, 0] = model.blip.tokenizer.enc_token_id
    longer = read(max_length=40, truncation=True)
    pixels = model.preprocess(image)[None]
    hidden = by_hand(model, ids, mask, pixels)
    relu = hidden
    for idx, layer in enumerate(model.mlp.layers):
        relu = torch.relu(layer(relu)) if isinstance(layer, nn.Linear) and idx < 7 else layer(relu)
    floats = functional.resize(functional.to_tensor(image), SIDE, reward.BICUBIC, antialias=False)
    mean, std = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
    tensor = functional.normalize(functional.center_crop(floats, SIDE), mean, std)[None]
    return {
        "first token [ENC]": scored(by_hand(model, swapped, mask, pixels)),
        "causal text": scored(by_hand(model, ids, mask, pixels, is_decoder=True)),
        "padding seen": scored(by_hand(model, ids, torch.ones_like(mask), pixels)),
        "more than 35 tokens": scored(by_hand(model, longer.input_ids, longer.attention_mask, pixels)),
        "relu in the head": float((relu[0, 0] - model.mean) / model.std),
        "not normalised": float(model.mlp(hidden)[0, 0]),
        "resized as a tensor": scored(by_hand(model, ids, mask, tensor)),
    }


def case(model, named, prompt):
    name, value, width, height = named
    image = Image.fromarray(picture(name, value, width, height))
    return {
        "picture": [name, value], "width": width, "height": height, "prompt": prompt,
        "score": model.score(prompt, image),
        "truncated": len(model.blip.tokenizer(prompt).input_ids) > N_TOKENS,
        "confused": confused(model, prompt, image),
    }


torch.set_num_threads(1)
torch.set_grad_enabled(False)
tokens = tokenizer(write_vocabulary())
model = small(tokens)
write_json("image_reward.json", {
    "versions": {
        "image-reward": "1.5", "pillow": PIL.__version__, "timm": timm.__version__, "torch": torch.__version__,
        "torchvision": torchvision.__version__, "transformers": transformers.__version__,
    },
    "tokens": [
        {
            "prompt": prompt,
            "ids": tokens(prompt, truncation=True, max_length=N_TOKENS).input_ids,
            "truncated": len(tokens(prompt).input_ids) > N_TOKENS,
        }
        for prompt in PROMPTS + MORE_PROMPTS
    ],
    "cases": [
        case(model, named, PROMPTS[(idx + k) % len(PROMPTS)]) for idx, named in enumerate(PICTURES) for k in (0, 3, 5)
    ],
})
