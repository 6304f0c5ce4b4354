"""A tiny byte-pair vocabulary in CLIP's order: bytes, bytes that end words, merges, two special tokens."""

import collections
import gzip
import json
import pathlib

import open_clip.tokenizer
from transformers import CLIPTokenizerFast

N_MERGES = 60
CORPUS = """a man and a woman wave with the left hand and the right hand while two hands hold the window
light late in the afternoon and each of the cooks laughing at the door with folded arms photo of fingers"""


def merges():
    words = collections.Counter(CORPUS.split())
    words = {tuple(word[:-1]) + (word[-1] + "</w>",): n for word, n in words.items()}
    found = []
    while len(found) < N_MERGES:
        pairs = collections.Counter()
        for word, n in words.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += n
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        found.append(best)
        joined = {}
        for word, n in words.items():
            parts, at = [], 0
            while at < len(word):
                step = 2 if word[at:at + 2] == best else 1
                parts.append("".join(word[at:at + step]))
                at += step
            joined[tuple(parts)] = n
        words = joined
    return found


def write(folder):
    """`vocab.json` and `merges.txt`; `fast/tokenizer.json`, the same as `transformers` converts it."""
    folder = pathlib.Path(folder)
    (folder / "fast").mkdir(parents=True, exist_ok=True)
    pairs = merges()
    letters = list(open_clip.tokenizer.bytes_to_unicode().values())
    names = letters + [letter + "</w>" for letter in letters] + ["".join(pair) for pair in pairs]
    names += ["<|startoftext|>", "<|endoftext|>"]
    vocab = {name: idx for idx, name in enumerate(names)}
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False) + "\n")
    lines = ["#version: 0.2"] + [" ".join(pair) for pair in pairs]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n")
    fast = CLIPTokenizerFast(str(folder / "vocab.json"), str(folder / "merges.txt"))
    fast.backend_tokenizer.save(str(folder / "fast" / "tokenizer.json"))
    return len(vocab)


def fast(folder):
    return CLIPTokenizerFast(tokenizer_file=str(pathlib.Path(folder) / "fast" / "tokenizer.json"))


def open_clip_tokenizer(folder):
    """open_clip's own tokenizer over the same merges, which it reads zipped and from the second line on."""
    path = pathlib.Path(folder) / "merges.txt.gz"
    path.write_bytes(gzip.compress((pathlib.Path(folder) / "merges.txt").read_bytes().rstrip(b"\n"), mtime=0))
    tokenizer = open_clip.tokenizer.SimpleTokenizer(bpe_path=str(path))
    path.unlink()
    return tokenizer
