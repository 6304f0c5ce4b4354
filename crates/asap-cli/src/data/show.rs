//! `asap data show`: one pair, with its images where they are wanted.

use std::path::Path;

use anyhow::{Context as _, Result};
use asap_core::{
    Assessment, Degradation, Mechanism, PairId, PositiveId, Provenance, Region, Skeleton, Source,
};
use asap_store::{Dataset, Record};
use serde::Serialize;

use crate::args::ShowArgs;
use crate::failure::hinted;
use crate::printer::Printer;
use crate::table::{self, Align};

/// All that is known of a pair, without its pixels.
#[derive(Debug, Serialize)]
struct Shown {
    id: PairId,
    positive_id: PositiveId,
    width: u32,
    height: u32,
    prompt: String,
    source: Source,
    mechanism: Mechanism,
    regions: Vec<Region>,
    degradations: Vec<Degradation>,
    provenance: Provenance,
    assessment: Option<Assessment>,
    skeletons: Vec<Skeleton>,
    rejected_skeletons: Vec<Skeleton>,
}

pub(crate) async fn run(args: &ShowArgs, printer: Printer) -> Result<()> {
    let dataset = Dataset::open(&args.dataset).await?;
    let id = find(&dataset, &args.id).await?;
    let record = dataset.record(id).await?;
    if let Some(dir) = &args.images {
        write_images(&dataset, &record, dir).await?;
    }
    let shown = Shown::from(record);
    printer.data(&shown.text(), &shown)
}

/// The one pair whose id begins with `digits`.
async fn find(dataset: &Dataset, digits: &str) -> Result<PairId> {
    let digits = digits.to_ascii_lowercase();
    let pairs = dataset.summaries().await?;
    let fitting: Vec<PairId> = pairs
        .iter()
        .map(|pair| pair.id)
        .filter(|id| id.to_string().starts_with(&digits))
        .collect();
    match fitting[..] {
        [id] => Ok(id),
        [] => Err(hinted(
            format!("no pair `{digits}`"),
            "`asap data list` shows the ids of all pairs; their first digits are enough",
        )),
        _ => Err(hinted(
            format!("`{digits}` fits {} pairs", fitting.len()),
            "give more digits of the id",
        )),
    }
}

async fn write_images(dataset: &Dataset, record: &Record, dir: &Path) -> Result<()> {
    let masks = dataset.mask_pngs(record.pair.id).await?;
    let rejected = asap_store::rejected_png(&record.positive, &record.pair)?;
    fs_err::create_dir_all(dir).context("cannot write the images")?;
    for (name, png) in [
        ("preferred.png", &record.positive.image_png),
        ("rejected.png", &rejected),
        ("mask_edit.png", &masks.edit),
        ("mask_part.png", &masks.part),
    ] {
        fs_err::write(dir.join(name), png).context("cannot write the images")?;
    }
    Ok(())
}

impl From<Record> for Shown {
    fn from(record: Record) -> Self {
        let Record {
            positive,
            pair,
            assessment,
        } = record;
        Self {
            id: pair.id,
            positive_id: pair.positive_id,
            width: positive.width,
            height: positive.height,
            prompt: positive.prompt.clone(),
            source: positive.source.clone(),
            mechanism: pair.mechanism,
            regions: pair.regions,
            degradations: pair.degradations,
            provenance: pair.provenance,
            assessment,
            skeletons: positive.skeletons.clone(),
            rejected_skeletons: pair.rejected_skeletons,
        }
    }
}

impl Shown {
    fn text(&self) -> String {
        let regions: Vec<&str> = self.regions.iter().map(|region| region.name()).collect();
        let errors: Vec<String> = self
            .degradations
            .iter()
            .map(|it| {
                format!(
                    "{} {} ({}, {})",
                    it.severity.name(),
                    it.kind.name(),
                    it.part.name(),
                    it.scope.name()
                )
            })
            .collect();
        let mut rows = vec![
            ["pair", &self.id.to_string()].map(str::to_owned),
            ["positive", &self.positive_id.to_string()].map(str::to_owned),
            [
                "source",
                &format!("{} {}", self.source.kind.name(), self.source.name),
            ]
            .map(str::to_owned),
            ["licence", or_dash(&self.source.licence)].map(str::to_owned),
            ["size", &format!("{}x{}", self.width, self.height)].map(str::to_owned),
            ["prompt", or_dash(&self.prompt)].map(str::to_owned),
            ["regions", &regions.join(", ")].map(str::to_owned),
            ["errors", &errors.join(", ")].map(str::to_owned),
            ["mechanism", self.mechanism.name()].map(str::to_owned),
            ["operators", &self.provenance.operators.join(" ")].map(str::to_owned),
            ["parameters", &self.provenance.parameters].map(str::to_owned),
            ["seed", &self.provenance.seed.to_string()].map(str::to_owned),
            ["made by", &format!("asap {}", self.provenance.code_version)].map(str::to_owned),
        ];
        if let Some(assessment) = &self.assessment {
            rows.extend(assessment_rows(assessment));
        }
        table::render([Align::Left, Align::Left], rows)
    }
}

fn assessment_rows(assessment: &Assessment) -> Vec<[String; 2]> {
    let curation = &assessment.curation;
    let mut rows = vec![[
        "decision".to_owned(),
        format!("{}, split {}", curation.decision.name(), curation.split.name()),
    ]];
    rows.extend(curation.rejections.iter().map(|rejection| {
        let measured = table::number(rejection.measured, 4);
        let rule = format!("{}/{}", rejection.criterion.name(), rejection.rule);
        [
            "".to_owned(),
            format!("{rule}: measured {measured}, threshold {}", rejection.threshold),
        ]
    }));
    rows.extend(assessment.stats.iter().flat_map(|stats| {
        let [inside, outside] = [stats.ssim_inside, stats.ssim_outside].map(|ssim| table::number(ssim, 4));
        let ssim = [
            format!("SSIM {}", stats.region.name()),
            format!(
                "inside {inside}, outside {outside} ({} px, {})",
                stats.area_px, stats.profile
            ),
        ];
        let [inside, outside] =
            [stats.lpips_inside, stats.lpips_outside].map(|lpips| table::or_not_computed(lpips, 4));
        let lpips = [
            format!("LPIPS {}", stats.region.name()),
            format!("inside {inside}, outside {outside}"),
        ];
        [ssim, lpips]
    }));
    rows
}

fn or_dash(text: &str) -> &str {
    if text.is_empty() { "-" } else { text }
}
