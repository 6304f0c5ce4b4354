//! What curation looks at: numbers and small masks of every pair, read in bounded memory.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use asap_core::{Assessment, Curation, PairId, PairSummary, PositiveId, Reporter};
use asap_store::{Dataset, Record};
use asap_synth::Subject;
use asap_synth::curate::{CurationInput, MaskThumb};
use futures::{StreamExt as _, TryStreamExt as _};

/// Pairs whose pixels are in memory at once while they are measured.
const N_MEASURED_AT_ONCE: usize = 32;
/// Pairs whose masks are read at once.
const N_READ_AT_ONCE: usize = 16;

/// The assessments of all pairs. What has none is measured and stored now, some pairs at a time, so that an
/// interrupted run goes on where it was.
pub(crate) async fn assess_missing(
    dataset: &mut Dataset,
    reporter: &impl Reporter,
) -> Result<BTreeMap<PairId, Assessment>> {
    let stored = dataset.assessments().await?;
    let mut assessments: BTreeMap<PairId, Assessment> =
        stored.into_iter().map(|it| (it.pair_id, it)).collect();
    let pairs = dataset.summaries().await?;
    let missing: Vec<PairId> = pairs
        .iter()
        .map(|pair| pair.id)
        .filter(|id| !assessments.contains_key(id))
        .collect();
    if missing.is_empty() {
        return Ok(assessments);
    }
    reporter.start("measuring", missing.len() as u64);
    for ids in missing.chunks(N_MEASURED_AT_ONCE) {
        let mut measured = Vec::with_capacity(ids.len());
        for &id in ids {
            let record = dataset.record(id).await?;
            measured.push(tokio::task::spawn_blocking(move || measure(&record)));
        }
        let mut batch = Vec::with_capacity(ids.len());
        for measuring in measured {
            batch.push(measuring.await.context("a measuring thread died")??);
            reporter.advance(1);
        }
        dataset.put_assessments(batch.clone()).await?;
        assessments.extend(batch.into_iter().map(|it| (it.pair_id, it)));
    }
    reporter.finish();
    Ok(assessments)
}

fn measure(record: &Record) -> Result<Assessment> {
    let preferred = asap_store::decode_rgb(&record.positive.image_png, "the preferred image")?;
    let rejected = asap_store::reconstruct(&record.positive, &record.pair)?;
    let (stats, evidence) = asap_synth::assess(&Subject {
        preferred: &preferred,
        rejected: &rejected,
        pair: &record.pair,
        skeletons: &record.positive.skeletons,
        part_preferred: None,
    })
    .with_context(|| format!("cannot measure pair `{}`", record.pair.id))?;
    Ok(Assessment {
        pair_id: record.pair.id,
        stats,
        evidence,
        curation: Curation::pending(),
    })
}

/// One input a pair, by pair id.
pub(crate) async fn gather(
    dataset: &Dataset,
    assessments: &BTreeMap<PairId, Assessment>,
    reporter: &impl Reporter,
) -> Result<Vec<CurationInput>> {
    let pairs = dataset.summaries().await?;
    let files = dataset.source_hashes().await?;
    reporter.start("deciding", pairs.len() as u64);
    let inputs = futures::stream::iter(pairs)
        .map(|pair| input(dataset, pair, assessments, &files, reporter))
        .buffered(N_READ_AT_ONCE)
        .try_collect()
        .await?;
    reporter.finish();
    Ok(inputs)
}

async fn input(
    dataset: &Dataset,
    pair: PairSummary,
    assessments: &BTreeMap<PairId, Assessment>,
    files: &BTreeMap<PositiveId, String>,
    reporter: &impl Reporter,
) -> Result<CurationInput> {
    let masks = dataset.mask_pngs(pair.id).await?;
    let mask = MaskThumb::of(&asap_store::decode_mask(&masks.edit)?);
    let assessment = assessments.get(&pair.id).context("every pair was measured")?;
    reporter.advance(1);
    Ok(CurationInput {
        pair_id: pair.id,
        positive_id: pair.positive_id,
        source_kind: pair.source_kind,
        source_sha256: files.get(&pair.positive_id).cloned().unwrap_or_default(),
        operators: pair.operators,
        stats: assessment.stats.clone(),
        evidence: assessment.evidence.clone(),
        mask,
    })
}
