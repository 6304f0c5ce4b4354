//! The dataset card: `README.md` with the YAML that the Hugging Face Hub reads.

use std::fmt::Write as _;

use asap_core::Split;

use super::{ExportFile, ExportOptions, ExportPairs, Facts, features, table};
use crate::{Dataset, Result};

/// The whole card.
pub(super) fn text(
    options: &ExportOptions,
    dataset: &Dataset,
    files: &[ExportFile],
    facts: &Facts,
) -> Result<String> {
    let mut card = String::from("---\n");
    push_yaml(&mut card, options, files, facts)?;
    card.push_str("---\n\n");
    push_body(&mut card, options, dataset, files, facts);
    Ok(card)
}

fn push_yaml(card: &mut String, options: &ExportOptions, files: &[ExportFile], facts: &Facts) -> Result<()> {
    let rows: u64 = files.iter().map(|file| file.rows).sum();
    // Writing to a String cannot fail.
    let _ = writeln!(card, "pretty_name: {}", quoted(&options.name));
    let _ = writeln!(card, "license: {}", licence_id(facts));
    card.push_str("task_categories:\n- text-to-image\n- image-to-image\n");
    card.push_str("tags:\n- preference\n- dpo\n- human-anatomy\n- image-pairs\n- arxiv:2605.25759\n");
    let _ = writeln!(card, "size_categories:\n- {}", size_category(rows));
    card.push_str("configs:\n- config_name: default\n  data_files:\n");
    for split in splits(files) {
        let name = split.name();
        let _ = writeln!(card, "  - split: {name}\n    path: data/{name}-*");
    }
    card.push_str("dataset_info:\n  features:\n");
    card.push_str(&features::card_yaml(table::schema()?.as_ref()));
    card.push_str("  splits:\n");
    for split in splits(files) {
        let of_split = || files.iter().filter(|file| file.split == split);
        let _ = writeln!(
            card,
            "  - name: {}\n    num_bytes: {}\n    num_examples: {}",
            split.name(),
            of_split().map(|file| file.raw_bytes).sum::<u64>(),
            of_split().map(|file| file.rows).sum::<u64>(),
        );
    }
    let _ = writeln!(
        card,
        "  download_size: {}",
        files.iter().map(|file| file.size_bytes).sum::<u64>()
    );
    let _ = writeln!(
        card,
        "  dataset_size: {}",
        files.iter().map(|file| file.raw_bytes).sum::<u64>()
    );
    Ok(())
}

fn push_body(
    card: &mut String,
    options: &ExportOptions,
    dataset: &Dataset,
    files: &[ExportFile],
    facts: &Facts,
) {
    let which = match options.pairs {
        ExportPairs::Kept => "that curation kept",
        ExportPairs::All => "of every state; `decision` says which were kept",
    };
    let _ = writeln!(
        card,
        "# {}\n\nImage pairs {which}: `preferred` is anatomically plausible, `rejected` is the same image \
         with a local anatomical error. `mask_edit` marks the changed pixels (dilated), `mask_part` the \
         corrupted part in either image, which is the training mask of *Towards Anatomically Plausible \
         Human Image Generation via Synthetic Localized Preferences* (arXiv:2605.25759).\n",
        options.name,
    );
    card.push_str("| split | pairs | bytes |\n| --- | ---: | ---: |\n");
    for split in splits(files) {
        let of_split = || files.iter().filter(|file| file.split == split);
        let rows: u64 = of_split().map(|file| file.rows).sum();
        let bytes: u64 = of_split().map(|file| file.size_bytes).sum();
        let _ = writeln!(card, "| {} | {rows} | {bytes} |", split.name());
    }
    card.push_str("\nAll pairs of a cluster of near-duplicate images are in one split.\n\n## Operators\n\n");
    card.push_str("| operator | pairs |\n| --- | ---: |\n");
    for (operator, n) in &facts.operators {
        let _ = writeln!(card, "| `{operator}` | {n} |");
    }
    card.push_str("\n## Licences of the preferred images\n\n| licence | pairs |\n| --- | ---: |\n");
    for (licence, n) in &facts.licences {
        let _ = writeln!(card, "| {} | {n} |", licence.replace(['|', '\n'], " "));
    }
    let _ = writeln!(
        card,
        "\n## Origin\n\nVersion {} of a HAP dataset, schema {}, exported by asap {}. Every image and mask \
         has its SHA-256 in a column; `croissant.json` has those of the files.",
        dataset.version(),
        crate::SchemaVersion::CURRENT.number(),
        env!("CARGO_PKG_VERSION"),
    );
}

/// The splits that have files, in the usual order.
pub(super) fn splits(files: &[ExportFile]) -> impl Iterator<Item = Split> {
    Split::ALL
        .into_iter()
        .filter(|&split| files.iter().any(|file| file.split == split))
}

/// The Hub's name of the licence where all images have one that it knows; else `other`.
pub(super) fn licence_id(facts: &Facts) -> &'static str {
    const KNOWN: [&str; 8] = [
        "cc0-1.0",
        "cc-by-4.0",
        "cc-by-sa-4.0",
        "cc-by-nc-4.0",
        "cc-by-nc-sa-4.0",
        "apache-2.0",
        "mit",
        "bsd-3-clause",
    ];
    let mut licences = facts.licences.keys();
    match (licences.next(), licences.next()) {
        (Some(only), None) => {
            let name = only.trim().to_lowercase().replace([' ', '_'], "-");
            KNOWN.into_iter().find(|known| *known == name).unwrap_or("other")
        }
        _ => "other",
    }
}

/// A JSON string is a YAML string.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn size_category(rows: u64) -> &'static str {
    match rows {
        0..1_000 => "n<1K",
        1_000..10_000 => "1K<n<10K",
        10_000..100_000 => "10K<n<100K",
        100_000..1_000_000 => "100K<n<1M",
        1_000_000..10_000_000 => "1M<n<10M",
        _ => "10M<n<100M",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_known_licence_is_named_and_a_mixture_is_other() {
        let facts = |names: &[&str]| Facts {
            licences: names.iter().map(|name| ((*name).to_owned(), 1)).collect(),
            ..Facts::default()
        };
        assert_eq!(licence_id(&facts(&["CC BY 4.0"])), "cc-by-4.0");
        assert_eq!(licence_id(&facts(&["CC BY 4.0", "MIT"])), "other");
        assert_eq!(licence_id(&facts(&["Pexels"])), "other");
        assert_eq!(licence_id(&facts(&[])), "other");
    }
}
