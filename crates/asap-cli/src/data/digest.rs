//! What two datasets have in common when they hold the same: digests over ids and contents.

use std::collections::BTreeMap;

use anyhow::Result;
use asap_core::{PositiveId, Sha256};
use asap_store::Dataset;
use serde::Serialize;

/// SHA-256 over the sorted lines `ID HASH...` of all records: independent of the order in which they were
/// written, of the files that they lie in and of decisions.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Digests {
    /// Over preferred images.
    pub(crate) positives: Sha256,
    /// Over rejected images, as stored.
    pub(crate) rejected: Sha256,
    /// Over both masks of each pair.
    pub(crate) masks: Sha256,
}

impl Digests {
    pub(crate) async fn of(dataset: &Dataset) -> Result<Self> {
        let pairs = dataset.summaries().await?;
        let mut positives: BTreeMap<PositiveId, Sha256> = BTreeMap::new();
        let (mut rejected, mut masks) = (String::new(), String::new());
        for pair in &pairs {
            if let std::collections::btree_map::Entry::Vacant(e) = positives.entry(pair.positive_id) {
                e.insert(dataset.positive_sha256(pair.positive_id).await?);
            }
            let hashes = dataset.pair_hashes(pair.id).await?;
            rejected.push_str(&format!("{} {}\n", pair.id, hashes.rejected));
            masks.push_str(&format!(
                "{} {} {}\n",
                pair.id, hashes.mask_edit, hashes.mask_part
            ));
        }
        let positives: String = positives
            .iter()
            .map(|(id, hash)| format!("{id} {hash}\n"))
            .collect();
        Ok(Self {
            positives: asap_store::sha256(positives.as_bytes()),
            rejected: asap_store::sha256(rejected.as_bytes()),
            masks: asap_store::sha256(masks.as_bytes()),
        })
    }
}
