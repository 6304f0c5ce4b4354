"""Golden numbers of HPSv3 on a tiny random network.

    pip install -r requirements.txt && python hpsv3_reward.py

writes `hpsv3_reward.json`, and beside it what `asap bench score --weights` reads: `hpsv3.safetensors`, its configuration and
the folder `hpsv3/` with a tokenizer and an instruction. The reference is the package's own class
`Qwen2VLRewardModelBT` on the pinned transformers, and its `fetch_image`; only that class is taken out of its module, which
asks for a training environment. The instruction here is made for this test: that of the package is not part of this
repository. `confused` has the outputs after well-known mistakes, from which the right ones must differ.
"""

import ast
import typing

import PIL
import torch
import transformers
from PIL import Image
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from torch import nn
from torchvision.transforms import functional
from transformers import Qwen2TokenizerFast, Qwen2VLConfig, Qwen2VLForConditionalGeneration, Qwen2VLImageProcessor
from transformers import Qwen2VLProcessor

from tiny import HERE, PROMPTS, package_folder, picture, randomize, save, without_init, write_json

ROOT = package_folder("hpsv3", "1.0.0", "1a1b3ed1f538315ddf0e90c55b9f5c8ab3248d772cd713c11f7dfe35bf867ab3")
ROOT = ROOT / "hpsv3"
without_init("hpsv3", ROOT)
without_init("hpsv3.dataset", ROOT / "dataset")

from hpsv3.dataset.utils import fetch_image  # noqa: E402

N_PIXELS = 256 * 28 * 28
REWARD = "<|Reward|>"
INSTRUCTION = (
    "\nLook at the picture and at the words that it was made for, and say how good it is.  \n"
    "Words - {text_prompt}\n\n\n\nThe picture is worth: " + REWARD + "\n\nEND\n"
)
SPECIAL = [
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>",
    "<|image_pad|>", "<|video_pad|>",
]
# What is one word before pairs are merged, of the published tokenizer.
WORD = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
PICTURES = [
    ("noise", 4, 448, 448), ("waves", 0, 97, 61), ("ramp", 0, 61, 97), ("blocks", 0, 40, 200), ("waves", 0, 640, 360),
    ("noise", 9, 301, 512),
]


def write_tokenizer():
    made = Tokenizer(models.BPE())
    made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(WORD), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    made.train_from_iterator([INSTRUCTION, *PROMPTS], trainer)
    path = HERE / "hpsv3" / "tokenizer.json"
    path.parent.mkdir(exist_ok=True)
    tokens = Qwen2TokenizerFast(
        tokenizer_object=made, unk_token=None, eos_token="<|im_end|>", pad_token="<|endoftext|>",
        additional_special_tokens=SPECIAL,
    )
    tokens.backend_tokenizer.save(str(path))
    # Added when it is used, as the package does.
    tokens.add_special_tokens({"additional_special_tokens": [REWARD]})
    return tokens


def reward_class():
    """The package's class alone."""
    source = (ROOT / "model" / "qwen2vl_trainer.py").read_text()
    wanted = [
        node for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef) and node.name == "Qwen2VLRewardModelBT"
    ]
    names = {"torch": torch, "nn": nn, "Qwen2VLForConditionalGeneration": Qwen2VLForConditionalGeneration}
    names |= {"Optional": typing.Optional, "List": typing.List}
    exec(compile(ast.Module(wanted, []), "qwen2vl_trainer.py", "exec"), names)
    return names["Qwen2VLRewardModelBT"]


def small(tokens):
    def number(token):
        return tokens.convert_tokens_to_ids(token)

    text = {
        "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "rope_theta": 1000000.0, "rms_norm_eps": 1e-06, "hidden_act": "silu",
    }
    vision = {"depth": 2, "embed_dim": 16, "hidden_size": 32, "num_heads": 2, "mlp_ratio": 2, "hidden_act": "quick_gelu"}
    write_json("hpsv3.config.json", text | {"vision_config": vision})
    config = Qwen2VLConfig(
        **text, vision_config=vision, vocab_size=len(tokens), max_position_embeddings=2048, tie_word_embeddings=False,
        rope_scaling={"type": "mrope", "mrope_section": [1, 1, 2]}, attn_implementation="eager",
        image_token_id=number("<|image_pad|>"), video_token_id=number("<|video_pad|>"),
        vision_start_token_id=number("<|vision_start|>"), vision_end_token_id=number("<|vision_end|>"),
    )
    model = reward_class()(
        config, output_dim=2, reward_token="special", special_token_ids=[number(REWARD)], rm_head_type="ranknet"
    )
    model.config.pad_token_id = tokens.pad_token_id
    randomize(model, 31, gain=1.2)
    save(model.state_dict(), "hpsv3")
    return model


def message(instruction, prompt):
    """Qwen2-VL's chat template for one message of an image and a text, and the answer's beginning."""
    return (
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
        "<|vision_start|><|image_pad|><|vision_end|>"
        + instruction.format(text_prompt=prompt) + "<|im_end|>\n<|im_start|>assistant\n"
    )


class Reference:
    def __init__(self):
        self.tokens = write_tokenizer()
        self.model = small(self.tokens)
        self.processor = Qwen2VLProcessor(Qwen2VLImageProcessor(), self.tokens)

    def batch(self, items, instruction=INSTRUCTION, fetch=None):
        fetch = fetch or (lambda image: fetch_image({"image": image, "min_pixels": N_PIXELS, "max_pixels": N_PIXELS}))
        return self.processor(
            text=[message(instruction, prompt) for _, prompt in items], images=[fetch(image) for image, _ in items],
            padding=True, return_tensors="pt",
        )

    def rewards(self, items, **changed):
        return [[float(value) for value in row] for row in self.model(return_dict=True, **self.batch(items, **changed))["logits"]]

    def confused(self, item):
        batch = self.batch([item])
        positions, _ = self.model.get_rope_index(batch["input_ids"], batch["image_grid_thw"], None, batch["attention_mask"])
        mrope = self.model(return_dict=True, position_ids=positions, **batch)["logits"]
        self.model.reward_token = "last"
        last = self.model(return_dict=True, **batch)["logits"]
        self.model.reward_token = "special"
        spaces = INSTRUCTION.replace("good it is.  \n", "good it is.\n")

        def by_tensor(image):
            size = fetch_image({"image": image, "min_pixels": N_PIXELS, "max_pixels": N_PIXELS}).size
            floats = functional.resize(
                functional.to_tensor(image), size[::-1], functional.InterpolationMode.BICUBIC, antialias=False
            )
            return functional.to_pil_image(floats.clamp(0, 1))

        return {
            "position of three axes": float(mrope[0, 0]),
            "last token": float(last[0, 0]),
            "blanks cut": self.rewards([item], instruction=spaces)[0][0],
            "always square": self.rewards([item], fetch=lambda image: image.resize((448, 448), Image.BICUBIC))[0][0],
            "resized as a tensor": self.rewards([item], fetch=by_tensor)[0][0],
        }


def item(named, prompt):
    return Image.fromarray(picture(*named)), prompt


torch.set_num_threads(1)
torch.set_grad_enabled(False)
reference = Reference()
(HERE / "hpsv3" / "instruction.txt").write_text(INSTRUCTION, newline="")
named = [(picture, PROMPTS[(idx + k) % len(PROMPTS)]) for idx, picture in enumerate(PICTURES) for k in (0, 4)]
items = [item(*one) for one in named]
# In threes of different lengths, filled up on the right.
rewards = [row for first in range(0, len(items), 3) for row in reference.rewards(items[first:first + 3])]
sizes = [(56, 56), (1920, 1080), (1080, 1920), (28, 5600), (5600, 28), (449, 447), (42, 70), (1000, 10), (3, 7), (13, 999)]
write_json("hpsv3_reward.json", {
    "versions": {
        "hpsv3": "1.0.0", "pillow": PIL.__version__, "torch": torch.__version__, "transformers": transformers.__version__,
    },
    "cases": [
        {
            "picture": list(picture[:2]), "width": picture[2], "height": picture[3], "prompt": prompt,
            "mu": row[0], "log_sigma": row[1], "confused": reference.confused(one),
        }
        for (picture, prompt), one, row in zip(named, items, rewards)
    ],
    "sizes": [
        [*size, *fetch_image({"image": Image.new("RGB", size), "min_pixels": N_PIXELS, "max_pixels": N_PIXELS}).size]
        for size in sizes
    ],
    "tokens": [
        {"prompt": prompt, "ids": reference.tokens(message(INSTRUCTION, prompt)).input_ids} for prompt in PROMPTS
    ],
})
