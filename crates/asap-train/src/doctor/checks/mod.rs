//! The checks: each a small function over what was measured, listed once with its id, severity and way out.

mod caption;
mod images;
mod masks;
#[cfg(test)]
mod tests;

use super::facts::Facts;
use super::finding::{Finding, Hit, Severity};
use super::pixels::MaskFacts;
use crate::config::MaskSource;

/// What the checks look at.
pub(super) struct Subject<'a> {
    /// One a pair.
    pub(super) facts: &'a [Facts],
    /// Which mask is M.
    pub(super) mask: MaskSource,
}

impl Subject<'_> {
    /// The pairs whose training mask could be compared, with it.
    fn masks(&self) -> impl Iterator<Item = (&Facts, &MaskFacts)> {
        self.facts.iter().filter_map(|facts| {
            let mask = match self.mask {
                MaskSource::Part => &facts.mask_part,
                MaskSource::Edit => &facts.mask_edit,
            };
            Some((facts, mask.as_ref()?))
        })
    }
}

struct Check {
    id: &'static str,
    severity: Severity,
    what: &'static str,
    way_out: &'static str,
    run: fn(&Subject<'_>) -> Vec<Hit>,
}

/// Runs all checks; the hits of each are in order, the worst first.
pub(super) fn run(subject: &Subject<'_>) -> Vec<Finding> {
    let findings = CHECKS.iter().map(|check| {
        let mut hits = (check.run)(subject);
        hits.sort_by(|a, b| b.badness.total_cmp(&a.badness).then(a.pair.cmp(&b.pair)));
        Finding {
            check: check.id,
            severity: check.severity,
            what: check.what,
            way_out: check.way_out,
            n: subject.facts.len(),
            hits,
        }
    });
    findings.collect()
}

use Severity::{Error, Note, Warning};

/// Every check, in the order of the table.
const CHECKS: &[Check] = &[
    Check {
        id: "pair.unreadable",
        severity: Error,
        what: "images and masks cannot be compared",
        way_out: "make the pair anew; `asap data verify` tells which bytes are damaged",
        run: images::unreadable,
    },
    Check {
        id: "mask.empty",
        severity: Error,
        what: "the training mask marks nothing",
        way_out: "leave the pair out, or choose the other mask by `--set data.mask=part|edit`",
        run: masks::empty,
    },
    Check {
        id: "mask.inverted",
        severity: Error,
        what: "the images differ outside of the mask, not inside",
        way_out: "invert the mask: white marks the error",
        run: masks::inverted,
    },
    Check {
        id: "mask.lost",
        severity: Error,
        what: "no cell of the latent grid is marked",
        way_out: "`--set objective.mask_grid=area`, which keeps every pixel",
        run: masks::lost,
    },
    Check {
        id: "mask.speck",
        severity: Warning,
        what: "the mask is less than one latent cell",
        way_out: "raise `model.resolution_px` or `objective.mask_dilate_cells`",
        run: masks::speck,
    },
    Check {
        id: "mask.full",
        severity: Warning,
        what: "the mask is all of the image",
        way_out: "mark the error only; a weight that is the same everywhere localizes nothing",
        run: masks::full,
    },
    Check {
        id: "background.pixels",
        severity: Warning,
        what: "the background changed",
        way_out: "paste the error into the preferred image, or widen the mask",
        run: images::background,
    },
    Check {
        id: "background.edit",
        severity: Warning,
        what: "pixels changed beyond `mask_edit`",
        way_out: "make `mask_edit` from the difference of the images",
        run: images::beyond_edit,
    },
    Check {
        id: "background.latents",
        severity: Warning,
        what: "the latents differ outside of the mask",
        way_out: "`--set objective.mask_grid=area` or `objective.mask_dilate_cells=1`, where the pixels are equal",
        run: images::latents,
    },
    Check {
        id: "images.equal",
        severity: Warning,
        what: "both images are equal: nothing to prefer",
        way_out: "leave the pair out",
        run: images::equal,
    },
    Check {
        id: "images.duplicate",
        severity: Warning,
        what: "another pair has the same two images",
        way_out: "leave one of them out; it counts twice",
        run: images::duplicate,
    },
    Check {
        id: "swap.contradiction",
        severity: Warning,
        what: "the rejected image is the preferred one of another pair",
        way_out: "look at both pairs: in one of them the images may be swapped",
        run: images::contradiction,
    },
    Check {
        id: "swap.pose",
        severity: Warning,
        what: "a pose detector is surer of the rejected image",
        way_out: "look at the pair: its images may be swapped",
        run: images::pose,
    },
    Check {
        id: "caption.missing",
        severity: Warning,
        what: "no caption",
        way_out: "caption the preferred image; the network is trained for every prompt otherwise",
        run: caption::missing,
    },
    Check {
        id: "caption.cut",
        severity: Warning,
        what: "the text encoder does not read the whole caption",
        way_out: "shorten it, or raise `model.text_tokens` where the encoder reads more",
        run: caption::cut,
    },
    Check {
        id: "caption.duplicate",
        severity: Note,
        what: "another picture has the same caption",
        way_out: "tell in the caption what sets the picture apart",
        run: caption::duplicate,
    },
];
