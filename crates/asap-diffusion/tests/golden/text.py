"""Golden numbers of CLIP and T5 in transformers, of their tokenizers, and of the prompts of both pipelines.

Also writes `tokenizers/`: a byte-pair and a unigram tokenizer over the few texts below.
"""

import json
import shutil
import tempfile

import sentencepiece
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, EulerDiscreteScheduler, FluxPipeline, StableDiffusionXLPipeline
from diffusers.loaders.single_file_utils import convert_ldm_clip_checkpoint, convert_open_clip_checkpoint
from formula import HERE, fill, values, weight, write
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

FOLDER = HERE / "tokenizers"
TEXTS = [
    "",
    "A hand with five fingers",
    "a woman's hands, they're raised!  Twice\n\tover; 1024 px",
    "été ÉTÉ e\u0301te\u0301 – 手が二つ 🙂🙂 ﬁne",
    "hand finger foot arm leg face " * 8,
    "start <|endoftext|> end </s> <pad>",
    "!",
]
CONTEXT = 20
T5_CONTEXT = 28


def make_tokenizers():
    shutil.rmtree(FOLDER, ignore_errors=True)
    clip, t5 = FOLDER / "clip", FOLDER / "t5"
    for folder in (clip, FOLDER / "open_clip", t5):
        folder.mkdir(parents=True)
    words = ["hand", "hands", "finger", "fingers", "foot", "arm", "leg", "face", "a", "with", "five", "woman", "raised"]
    byte_pairs = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    byte_pairs.pre_tokenizer = pre_tokenizers.Whitespace()
    byte_pairs.train_from_iterator(words * 3, trainers.BpeTrainer(vocab_size=70, end_of_word_suffix="</w>"))
    merges = json.loads(byte_pairs.to_str())["model"]["merges"]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    # As in CLIP: letters, letters that end a word, merges, the two special tokens.
    tokens = ["!"] + [letter for letter in letters if letter != "!"]
    tokens += [letter + "</w>" for letter in tokens] + ["".join(pair) for pair in merges]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    tokens = {token: at for at, token in enumerate(dict.fromkeys(tokens))}
    (clip / "vocab.json").write_text(json.dumps(tokens, ensure_ascii=False) + "\n")
    (clip / "merges.txt").write_text("#version: 0.2\n" + "".join(" ".join(pair) + "\n" for pair in merges))
    special = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
    wrapped = {"__type": "AddedToken", "content": "<|endoftext|>", "normalized": True}
    for folder, pad in ((clip, wrapped), (FOLDER / "open_clip", "!")):
        settings = special | {"pad_token": pad, "model_max_length": CONTEXT, "tokenizer_class": "CLIPTokenizer"}
        (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=1) + "\n")
    make_t5(t5, words)


def make_t5(folder, words):
    """A unigram tokenizer with a small normalisation of its own in the form that SentencePiece compiles."""
    with tempfile.TemporaryDirectory() as made:
        (rules := HERE.__class__(made) / "rules.tsv").write_text("FB01\t66 69\nC9\t65 301\nE9\t65 301\n3000\t20\nA\t20\n9\t20\n")
        lines = [text for text in TEXTS if text] + words * 3
        (corpus := rules.with_name("corpus.txt")).write_text("\n".join(lines))
        sentencepiece.SentencePieceTrainer.train(
            input=str(corpus), model_prefix=str(rules.with_name("m")), vocab_size=62, model_type="unigram",
            normalization_rule_tsv=str(rules), pad_id=0, eos_id=1, unk_id=2, bos_id=-1, num_threads=1, minloglevel=2,
        )  # fmt: skip
        model = sentencepiece.SentencePieceProcessor(model_file=str(rules.with_name("m.model")))
        from sentencepiece import sentencepiece_model_pb2 as proto

        parsed = proto.ModelProto.FromString(model.serialized_model_proto())
    pieces = [(model.id_to_piece(at), model.get_score(at)) for at in range(len(model))]
    pieces += [("<extra_id_1>", 0.0), ("<extra_id_0>", 0.0)]
    tokenizer = T5Tokenizer(
        vocab=pieces,
        extra_ids=2,
        _spm_precompiled_charsmap=parsed.normalizer_spec.precompiled_charsmap,
        model_max_length=T5_CONTEXT,
    )
    tokenizer.save_pretrained(folder)


def clip(**changes):
    base = {
        "vocab_size": 700,
        "hidden_size": 16,
        "intermediate_size": 24,
        "projection_dim": 12,
        "num_hidden_layers": 3,
        "num_attention_heads": 2,
        "max_position_embeddings": CONTEXT,
        "hidden_act": "quick_gelu",
        "bos_token_id": 0,
        "pad_token_id": 0,
        "eos_token_id": 2,
    }
    return CLIPTextConfig(**base | changes)


def t5(**changes):
    base = {
        "vocab_size": 128,
        "d_model": 16,
        "d_kv": 6,
        "d_ff": 20,
        "num_layers": 2,
        "num_heads": 3,
        "feed_forward_proj": "gated-gelu",
        "relative_attention_num_buckets": 32,
        "relative_attention_max_distance": 128,
    }
    return T5Config(**base | changes)


def numbers(n_texts, n_tokens, below):
    """Tokens that follow no order."""
    at = torch.arange(n_texts * n_tokens)
    return ((at * 7919 + 13) % below).reshape(n_texts, n_tokens)


def clip_case(name, model, ids, facts, tensors):
    shapes = fill(model)
    output = model(ids, output_hidden_states=True)
    tensors[f"{name}.penultimate"] = output.hidden_states[-2]
    pooled = output.text_embeds if hasattr(output, "text_embeds") else output.pooler_output
    tensors[f"{name}.pooled"] = pooled
    facts["clip"][name] = {"config": model.config.to_dict(), "ids": ids.tolist(), "keys": shapes}


def clips(facts, tensors):
    end, start = 101, 100
    ids = numbers(3, 14, 99)
    ids[:, 0] = start
    # The text ends early and is filled up with its end, ends early with another filling, or fills all.
    ids[0, 6:], ids[1, 4], ids[1, 5:], ids[2, -1] = end, end, 0, end
    named = {"eos_token_id": end, "vocab_size": 102}
    clip_case("quick", CLIPTextModel(clip(**named)).eval(), ids, facts, tensors)
    model = CLIPTextModelWithProjection(clip(**named, hidden_act="gelu")).eval()
    clip_case("projected", model, ids, facts, tensors)
    # With 2 the highest token is the end, even where it is not the one that the configuration means.
    clip_case("legacy", CLIPTextModel(clip(vocab_size=104)).eval(), ids.masked_fill(ids == 57, 103), facts, tensors)
    layer = CLIPTextModel(clip(**named)).eval()
    fill(layer)
    x = values("clip.x", (2, 5, 16), 1.5)
    causal = torch.full((5, 5), -torch.inf).triu(1)[None, None]
    tensors["layer.mlp"] = layer.encoder.layers[1].mlp(x)
    tensors["layer.attention"] = layer.encoder.layers[1].self_attn(x, attention_mask=causal)[0]
    tensors["layer.clip"] = layer.encoder.layers[1](x, causal)


def t5s(facts, tensors):
    for name, config in (("long", t5()), ("few", t5(relative_attention_num_buckets=8, relative_attention_max_distance=20))):
        model = T5EncoderModel(config).eval()
        shapes = fill(model)
        ids = numbers(2, 150, 127)
        mask = torch.ones_like(ids)
        mask[0, 90:], mask[1, 3:] = 0, 0
        tensors[f"{name}.open"] = model(ids).last_hidden_state[:, ::7]
        tensors[f"{name}.masked"] = model(ids, attention_mask=mask).last_hidden_state[:, ::7]
        if name == "long":
            block = model.encoder.block[1]
            tensors["layer.gated"] = block.layer[1].DenseReluDense(values("t5.x", (2, 5, 16), 1.5))
            bias = model.encoder.block[0].layer[0].SelfAttention.compute_bias(600, 600)
            tensors["layer.bias"] = bias[0, :, [0, 1, 299, 599], :][:, :, ::3]
            near = bias[:, :, :5, :5]
            tensors["layer.t5"] = block(values("t5.x", (2, 5, 16), 1.5), None, near)[0]
        facts["t5"][name] = {"config": model.config.to_dict(), "keys": shapes}


def open_clip_shapes(model, prefix):
    """The names and sizes of the same network in OpenCLIP."""
    width, stored = model.config.hidden_size, {prefix + "logit_scale": [1]}
    names = {
        "text_model.embeddings.token_embedding.weight": "token_embedding.weight",
        "text_model.embeddings.position_embedding.weight": "positional_embedding",
        "text_model.final_layer_norm.weight": "ln_final.weight",
        "text_model.final_layer_norm.bias": "ln_final.bias",
    }
    words = {"layer_norm1": "ln_1", "layer_norm2": "ln_2", "fc1": "c_fc", "fc2": "c_proj", "self_attn": "attn"}
    for name, parameter in model.named_parameters():
        size = list(parameter.shape)
        if name in names:
            stored[prefix + names[name]] = size
        elif name == "text_projection.weight":
            stored[prefix + "text_projection"] = size[::-1]
        elif ".q_proj." in name:
            at, last = name.split(".")[3], name.split(".")[-1]
            stored[f"{prefix}transformer.resblocks.{at}.attn.in_proj_{last}"] = [3 * width] + size[1:]
        elif ".k_proj." not in name and ".v_proj." not in name:
            name = name.replace("text_model.encoder.layers", "transformer.resblocks")
            for new, old in words.items():
                name = name.replace(new, old)
            stored[prefix + name] = size
    return stored


def original(model_1, model_2, facts):
    """Puts the weights of a single file into the two encoders of SDXL."""
    prefixes = ["conditioner.embedders.0.transformer.", "conditioner.embedders.1.model."]
    first = {f"{prefixes[0]}text_model.{name}": list(p.shape) for name, p in model_1.named_parameters()}
    second = open_clip_shapes(model_2, prefixes[1])
    stored = first | second
    weights = {name: weight(name, tuple(size)) for name, size in stored.items()}
    found = convert_ldm_clip_checkpoint(weights, remove_prefix=prefixes[0])
    model_1.load_state_dict({name.removeprefix("text_model."): value for name, value in found.items()})
    model_2.load_state_dict(convert_open_clip_checkpoint(model_2, weights, prefix=prefixes[1]))
    facts["original"] = stored


def pipelines(facts, tensors, tokenizers):
    clip_tokens, open_tokens, t5_tokens = tokenizers
    end = clip_tokens.eos_token_id
    clip_1 = CLIPTextModel(clip(vocab_size=len(clip_tokens), eos_token_id=end)).eval()
    # OpenCLIP's projection is square in width.
    clip_2 = CLIPTextModelWithProjection(
        clip(vocab_size=len(open_tokens), hidden_size=12, num_attention_heads=3, hidden_act="gelu")
    ).eval()
    encoder = T5EncoderModel(t5(vocab_size=len(t5_tokens) + 5)).eval()
    models = {"clip_1": clip_1, "clip_2": clip_2, "t5": encoder}
    for name, model in models.items():
        facts["prompts"][name] = {"keys": fill(model), "config": model.config.to_dict()}
    flux = FluxPipeline(FlowMatchEulerDiscreteScheduler(), None, clip_1, clip_tokens, encoder, t5_tokens, None)
    sdxl = StableDiffusionXLPipeline(None, clip_1, clip_2, clip_tokens, open_tokens, None, EulerDiscreteScheduler())
    t5_out, pooled, _ = flux.encode_prompt(TEXTS, device="cpu", max_sequence_length=T5_CONTEXT)
    tensors["flux.t5"], tensors["flux.pooled"] = t5_out, pooled
    short, _, _ = flux.encode_prompt(TEXTS[:3], device="cpu", max_sequence_length=9)
    tensors["flux.short"] = short
    tokens, _, pooled, _ = sdxl.encode_prompt(TEXTS, device="cpu", do_classifier_free_guidance=False)
    tensors["sdxl.tokens"], tensors["sdxl.pooled"] = tokens, pooled
    original(clip_1, clip_2, facts)
    tokens, _, pooled, _ = sdxl.encode_prompt(TEXTS[:2], device="cpu", do_classifier_free_guidance=False)
    tensors["original.tokens"], tensors["original.pooled"] = tokens, pooled


@torch.no_grad()
def main():
    torch.set_num_threads(1)
    make_tokenizers()
    with tempfile.TemporaryDirectory() as second:
        shutil.copytree(FOLDER / "clip", second, dirs_exist_ok=True)
        shutil.copytree(FOLDER / "open_clip", second, dirs_exist_ok=True)
        tokenizers = (
            CLIPTokenizer.from_pretrained(FOLDER / "clip"),
            CLIPTokenizer.from_pretrained(second),
            T5Tokenizer.from_pretrained(FOLDER / "t5"),
        )
    facts = {"texts": TEXTS, "clip": {}, "t5": {}, "prompts": {}, "tokens": {}, "torch": torch.__version__.split("+")[0]}
    for name, tokenizer in zip(("clip", "open_clip", "t5"), tokenizers):
        whole = [tokenizer(text).input_ids for text in TEXTS]
        padded = tokenizer(TEXTS, padding="max_length", truncation=True, max_length=tokenizer.model_max_length)
        facts["tokens"][name] = {"padded": padded.input_ids, "lengths": [len(ids) for ids in whole]}
    tensors = {}
    clips(facts, tensors)
    t5s(facts, tensors)
    pipelines(facts, tensors, tokenizers)
    write("text", facts, tensors)


if __name__ == "__main__":
    main()
