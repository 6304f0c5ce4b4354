"""Reads a HAP dataset and its export with the readers that other people use.

usage: check_store.py DATASET.lance EXPORT_FOLDER

The Lance tables are read with `lance` (pylance), the Parquet files with Hugging Face `datasets` and with
`duckdb`, and the records that `croissant.json` describes with `mlcroissant`. All four must give the same pairs,
images that decode, and bytes with the recorded SHA-256.
"""

import glob
import hashlib
import io
import json
import sys

import datasets
import duckdb
import lance
import mlcroissant
import numpy as np
from PIL import Image

SPLITS = ("train", "validation", "test")
IMAGES = ("preferred", "rejected", "mask_edit", "mask_part")


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def newest_versions(root):
    entry = sorted(glob.glob(f"{root}/versions/*.json"))[-1]
    with open(entry, encoding="utf-8") as file:
        return json.load(file)


def read_blobs(table, column):
    blobs = table.take_blobs(column, indices=list(range(table.count_rows())))
    return [blob.read() for blob in blobs]


def read_lance(root):
    """Pairs by id, with the SHA-256 of each image and mask, checked against the recorded ones."""
    entry = newest_versions(root)
    tables = {
        name: lance.dataset(f"{root}/{name}.lance", version=version)
        for name, version in entry["tables"].items()
    }
    for name, table in tables.items():
        assert table.count_rows() == entry["rows"][name], name
        assert table.schema.metadata[b"asap.schema_version"] == b"1", table.schema.metadata

    positives = tables["positives"].to_table(columns=["positive_id", "image_sha256", "width", "height"]).to_pylist()
    images = {}
    for row, data in zip(positives, read_blobs(tables["positives"], "image"), strict=True):
        assert sha256(data) == row["image_sha256"], row["positive_id"]
        assert Image.open(io.BytesIO(data)).size == (row["width"], row["height"])
        images[row["positive_id"]] = data

    columns = ["pair_id", "positive_id", "budget", "mask_edit", "mask_edit_sha256", "mask_part", "mask_part_sha256",
               "rejected_sha256", "degradations", "regions", "seed"]
    rows = tables["pairs"].to_table(columns=columns).to_pylist()
    pairs = {}
    for row, data in zip(rows, read_blobs(tables["pairs"], "rejected"), strict=True):
        assert sha256(data) == row["rejected_sha256"], row["pair_id"]
        for mask in ("mask_edit", "mask_part"):
            assert sha256(row[mask]) == row[f"{mask}_sha256"], row["pair_id"]
            assert Image.open(io.BytesIO(row[mask])).mode == "1"
        rejected = np.array(Image.open(io.BytesIO(data)).convert("RGB"))
        if row["budget"] is not None:
            box, whole = row["budget"], np.array(Image.open(io.BytesIO(images[row["positive_id"]])))
            whole[box["y0"]:box["y1"], box["x0"]:box["x1"]] = rejected
            rejected = whole
        row["rejected_pixels"] = rejected
        row["preferred_sha256"] = sha256(images[row["positive_id"]])
        pairs[row["pair_id"]] = row

    # Taxonomy labels and decisions are columns that a filter can name.
    kept = tables["assessments"].to_table(columns=["pair_id"], filter="decision = 'kept' AND ssim_inside > 0.5")
    assert 0 < kept.num_rows < len(pairs)
    image_space = tables["pairs"].to_table(columns=["pair_id"], filter="mechanism = 'image_space'")
    assert 0 < image_space.num_rows < len(pairs)
    return pairs


def check_datasets(folder, pairs):
    """Loads the export as anybody would load it from the Hub: by its card."""
    loaded = datasets.load_dataset(folder)
    assert set(loaded) == set(SPLITS), loaded
    seen = set()
    for split, rows in loaded.items():
        for name in IMAGES:
            assert isinstance(rows.features[name], datasets.Image), (name, rows.features[name])
        for row in rows:
            pair = pairs[row["pair_id"]]
            assert row["split"] == split
            assert row["seed"] == pair["seed"] and row["regions"] == pair["regions"]
            assert row["degradations"] == pair["degradations"], row["degradations"]
            rejected = np.array(row["rejected"].convert("RGB"))
            assert np.array_equal(rejected, pair["rejected_pixels"]), row["pair_id"]
            mask = np.array(row["mask_edit"])
            assert mask.dtype == bool and mask.shape == rejected.shape[:2]
            outside = (np.array(row["preferred"]) != rejected).any(axis=2) & ~mask
            assert not outside.any(), row["pair_id"]
            seen.add(row["pair_id"])
    assert seen == set(pairs)
    # The features in the file itself, for readers without the card.
    path = sorted(glob.glob(f"{folder}/data/train-*.parquet"))
    alone = datasets.load_dataset("parquet", data_files=path, split="train")
    assert isinstance(alone.features["preferred"], datasets.Image), alone.features


def check_duckdb(folder, pairs):
    files = f"{folder}/data/*.parquet"
    query = "select pair_id, decision, evidence.mask_share, preferred.bytes, preferred_sha256, mask_part.bytes, " \
            "mask_part_sha256, list_contains(regions, 'face'), degradations[1].part, seed from read_parquet(?)"
    rows = duckdb.execute(query, [files]).fetchall()
    assert {row[0] for row in rows} == set(pairs)
    for pair_id, _, share, preferred, preferred_sha, mask, mask_sha, has_face, part, seed in rows:
        assert sha256(preferred) == preferred_sha == pairs[pair_id]["preferred_sha256"]
        assert sha256(mask) == mask_sha == pairs[pair_id]["mask_part_sha256"]
        assert 0 < share < 1 and has_face and part == "finger" and seed == pairs[pair_id]["seed"]
    by_part = duckdb.execute(
        "select d.kind, count(*) from (select unnest(degradations) as d from read_parquet(?)) group by 1", [files]
    ).fetchall()
    assert dict(by_part) == {"extra": len(pairs), "fused": len(pairs)}, by_part


def check_croissant(folder, pairs):
    described = mlcroissant.Dataset(jsonld=f"{folder}/croissant.json")
    assert not described.metadata.issues.errors, described.metadata.issues.errors
    seen = set()
    for record in described.records("pairs"):
        pair = pairs[record["pairs/pair_id"].decode()]
        rejected = np.array(record["pairs/rejected"].convert("RGB"))
        assert np.array_equal(rejected, pair["rejected_pixels"]), pair["pair_id"]
        seen.add(pair["pair_id"])
    assert seen == set(pairs)


def main():
    root, folder = sys.argv[1:]
    pairs = read_lance(root)
    check_datasets(folder, pairs)
    check_duckdb(folder, pairs)
    check_croissant(folder, pairs)
    print(f"{len(pairs)} pairs agree in lance, datasets, duckdb and mlcroissant")


if __name__ == "__main__":
    main()
