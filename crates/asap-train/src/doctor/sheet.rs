//! Pairs as pictures: both images, the masks over the preferred one, what differs, and the mask on the latent grid.

mod panel;
mod words;

use anyhow::Context as _;
use asap_core::Mask;
use asap_store::Record;
use image::{ImageFormat, Rgb, RgbImage};

use super::Examination;
use super::facts::{Depth, Facts, Instruments};
use super::finding::Severity;
use super::pages::Shown;
use super::pixels::MaskFacts;
use crate::config::{MaskSource, Settings};
use panel::{AMPLIFIED, Frame};
use words::{Line, Words};

/// Side of a picture.
const SIDE: u32 = 248;
const GAP: u32 = 10;
const MARGIN: u32 = 20;
/// Room for the title and the names of the columns.
const HEAD: u32 = 92;
/// Room for the words over a row.
const ROW_HEAD: u32 = 64;
const COLUMNS: [&str; 7] = [
    "preferred",
    "rejected",
    "preferred, near",
    "rejected, near",
    "masks",
    "difference",
    "mask on the latent grid",
];

/// The sheet of the shown pairs; `records` are theirs, in their order.
pub(super) fn png(
    shown: &[Shown],
    records: &[Record],
    examination: &Examination,
    settings: &Settings,
) -> anyhow::Result<Vec<u8>> {
    let n_rows = shown.len() as u32;
    let width = 2 * MARGIN + COLUMNS.len() as u32 * (SIDE + GAP) - GAP;
    let height = HEAD + n_rows * (ROW_HEAD + SIDE + GAP) + MARGIN;
    let mut words = Words::new(width, height);
    head(&mut words, examination, settings);
    for (row, (shown, record)) in (0u32..).zip(shown.iter().zip(records)) {
        let facts = examination.facts.iter().find(|facts| facts.pair == shown.pair);
        captions(&mut words, top(row), shown, record, facts, settings.data.mask);
    }
    let mut sheet = words.drawn()?;
    let instruments = Instruments {
        settings,
        codecs: Vec::new(),
        counters: Vec::new(),
        depth: Depth::Quick,
    };
    for (row, record) in (0u32..).zip(records) {
        let pictures = instruments.pictures(record)?;
        for (column, panel) in (0u32..).zip(panels(record, &pictures)) {
            let (x, y) = (MARGIN + column * (SIDE + GAP), top(row) + ROW_HEAD);
            image::imageops::replace(&mut sheet, &panel, i64::from(x), i64::from(y));
        }
    }
    let mut bytes = std::io::Cursor::new(Vec::new());
    sheet
        .write_to(&mut bytes, ImageFormat::Png)
        .context("the sheet cannot be encoded")?;
    Ok(bytes.into_inner())
}

/// Where a row begins.
fn top(row: u32) -> u32 {
    HEAD + row * (ROW_HEAD + SIDE + GAP)
}

fn head(words: &mut Words, examination: &Examination, settings: &Settings) {
    let mask = settings.data.mask.name();
    words.put(
        MARGIN,
        34,
        &Line::bold(
            22,
            format!(
                "Pairs before training: {} of {} looked at",
                examination.facts.len(),
                examination.n_chosen
            ),
        ),
    );
    words.put(
        MARGIN,
        58,
        &Line::plain(
            15,
            format!(
                "masks: orange is `mask_part`, blue the border of `mask_edit`; M is `mask_{mask}`. difference: the \
                 largest of three channels, times {AMPLIFIED}; green is the border of M. latent grid: white is 1."
            ),
        ),
    );
    for (column, name) in (0u32..).zip(COLUMNS) {
        words.put(
            MARGIN + column * (SIDE + GAP),
            84,
            &Line::bold(15, name.to_owned()),
        );
    }
}

fn captions(
    words: &mut Words,
    top: u32,
    shown: &Shown,
    record: &Record,
    facts: Option<&Facts>,
    mask: MaskSource,
) {
    let (kind, color) = match shown.severity {
        Some(Severity::Error) => ("error  ", "#b3261e"),
        Some(Severity::Warning) => ("warning  ", "#9a5b00"),
        Some(Severity::Note) => ("note  ", "#1f5fa8"),
        None => ("", "#333333"),
    };
    let title = format!("{}   {kind}{}", shown.pair.short(), shown.why);
    words.put(MARGIN, top + 18, &Line::bold(16, title).colored(color));
    let operators = record.pair.provenance.operators.join(", ");
    let caption = format!("{operators}: \u{201c}{}\u{201d}", record.positive.prompt.trim());
    words.put(MARGIN, top + 38, &Line::plain(14, caption));
    if let Some(facts) = facts {
        words.put(MARGIN, top + 57, &Line::plain(14, numbers(facts, mask)));
    }
}

/// What was measured, in a line.
fn numbers(facts: &Facts, mask: MaskSource) -> String {
    let of_mask: Option<&MaskFacts> = match mask {
        MaskSource::Part => facts.mask_part.as_ref(),
        MaskSource::Edit => facts.mask_edit.as_ref(),
    };
    let mut parts = Vec::new();
    if let Some(found) = of_mask {
        let mean = |side: Option<super::Difference>| {
            side.map_or("no pixels".to_owned(), |side| format!("{:.2}", side.mean))
        };
        parts.push(format!("M {:.1} % of the image", found.share * 100.0));
        parts.push(format!(
            "mean difference {} inside, {} outside",
            mean(found.inside),
            mean(found.outside)
        ));
    }
    if let Some(grid) = facts.grid {
        parts.push(format!(
            "{:.1} of {} x {} cells",
            grid.cells, grid.columns, grid.rows
        ));
    }
    for encoded in &facts.latents {
        let mean = |side: Option<f64>| side.map_or("no cells".to_owned(), |side| format!("{side:.3}"));
        parts.push(format!(
            "latents ({}) {} inside, {} outside",
            encoded.encoder,
            mean(encoded.facts.inside),
            mean(encoded.facts.outside)
        ));
    }
    parts.join("   ·   ")
}

fn panels(record: &Record, pictures: &super::facts::Pictures) -> [RgbImage; 7] {
    let (preferred, rejected) = (&pictures.preferred, &pictures.rejected);
    let pair = &record.pair;
    let whole = Frame::whole(preferred.dimensions(), SIDE);
    let near = Frame::near(preferred, rejected, SIDE);
    let masks = panel::masks(preferred, &pair.mask_part, &pair.mask_edit);
    let training = training_mask(record, pictures);
    let difference = panel::difference(preferred, rejected, training);
    [
        whole.of(preferred),
        whole.of(rejected),
        near.of(preferred),
        near.of(rejected),
        whole.of(&masks),
        whole.of(&difference),
        match &pictures.grid {
            Some(grid) => panel::grid(grid, SIDE),
            None => RgbImage::from_pixel(SIDE, SIDE, Rgb([40, 40, 40])),
        },
    ]
}

fn training_mask<'a>(record: &'a Record, pictures: &super::facts::Pictures) -> &'a Mask {
    match pictures.mask {
        MaskSource::Part => &record.pair.mask_part,
        MaskSource::Edit => &record.pair.mask_edit,
    }
}
