//! The thresholds file: read, checked, written out.

use std::path::Path;

use asap_core::SourceKind;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The thresholds that are used when no file is given, with the reason for each.
pub const EMBEDDED_TOML: &str = include_str!("thresholds.toml");

/// All of a thresholds file. There is no default in code: what holds when nothing is said is
/// [`EMBEDDED_TOML`], a file that can be written out and changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// Rules for photographs.
    pub photograph: Rules,
    /// Rules for rendered figures.
    pub figure: Rules,
    /// Rules for pictures of a generative model.
    pub generated: Rules,
    /// Rules for pairs of somebody else's data set.
    pub imported: Rules,
    /// When two pairs say the same.
    pub near_duplicates: NearDuplicates,
    /// How clusters are divided.
    pub splits: Splits,
}

/// The rules for one kind of source. What each means stands beside its value in [`EMBEDDED_TOML`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the embedded file explains every key, once")]
pub struct Rules {
    pub short_side_px_min: u32,
    pub part_sharpness_min: f64,
    pub pose_score_min: f64,
    pub part_side_px_min: u32,
    pub ssim_edit_max: f64,
    pub ssim_edit_min: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lpips_edit_min: Option<f64>,
    pub edit_px_min: u64,
    pub edit_share_of_part_min: f64,
    pub mean_color_shift_max: f64,
    pub containment_min: f64,
    pub ssim_outside_min: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lpips_outside_max: Option<f64>,
    pub max_abs_diff_outside_max: u8,
    pub mask_share_min: f64,
    pub mask_share_max: f64,
    pub mask_components_max: u32,
}

/// When two positives, or two rejected images of one positive, say the same.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the embedded file explains every key, once")]
pub struct NearDuplicates {
    pub phash_distance_max: u32,
    pub dhash_distance_max: u32,
    pub part_phash_distance_max: u32,
    pub positives_per_cluster_max: u32,
    pub twin_mask_iou_max: f64,
    pub twin_part_phash_distance_max: u32,
}

/// Shares of the clusters; what is left is for testing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the embedded file explains every key, once")]
pub struct Splits {
    pub train_share: f64,
    pub validation_share: f64,
    pub seed: u64,
}

impl Thresholds {
    /// What [`EMBEDDED_TOML`] says.
    pub fn embedded() -> Self {
        Self::parse(EMBEDDED_TOML, Path::new("thresholds.toml")).expect("a test parses the embedded file")
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Parse`] for an unknown or missing key, [`Error::Setting`] for a value out of
    /// its range.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, path)
    }

    /// Parses the text of a file; `path` is for messages.
    ///
    /// # Errors
    /// As [`Thresholds::read`].
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        let thresholds: Self = toml::from_str(text).map_err(|error| Error::Parse {
            path: path.to_owned(),
            reason: error.to_string().trim_end().to_owned(),
        })?;
        thresholds.check()?;
        Ok(thresholds)
    }

    /// The rules for a kind of source.
    pub const fn rules(&self, kind: SourceKind) -> &Rules {
        match kind {
            SourceKind::Photograph => &self.photograph,
            SourceKind::Figure => &self.figure,
            SourceKind::Generated => &self.generated,
            SourceKind::Imported => &self.imported,
        }
    }

    /// The values as TOML without comments: what is stored with a result. Two files that say the same give
    /// the same text.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("plain numbers are TOML")
    }

    /// BLAKE3 of [`Thresholds::to_toml`] in hexadecimal, kept in every decision.
    pub fn digest(&self) -> String {
        blake3::hash(self.to_toml().as_bytes()).to_hex().to_string()
    }

    fn check(&self) -> Result<()> {
        for kind in SourceKind::ALL {
            self.rules(kind).check()?;
        }
        share("twin_mask_iou_max", self.near_duplicates.twin_mask_iou_max)?;
        share("train_share", self.splits.train_share)?;
        share("validation_share", self.splits.validation_share)?;
        // A sum of written decimals misses 1 by rounding, not by intention.
        let sum = self.splits.train_share + self.splits.validation_share;
        if sum > 1.0 + 1e-9 {
            return Err(setting("train_share + validation_share", sum, "at most 1"));
        }
        Ok(())
    }
}

impl Rules {
    fn check(&self) -> Result<()> {
        let shares = [
            ("edit_share_of_part_min", self.edit_share_of_part_min),
            ("containment_min", self.containment_min),
            ("mask_share_min", self.mask_share_min),
            ("mask_share_max", self.mask_share_max),
        ];
        for (name, value) in shares {
            share(name, value)?;
        }
        let similarities = [
            ("ssim_edit_min", self.ssim_edit_min),
            ("ssim_edit_max", self.ssim_edit_max),
            ("ssim_outside_min", self.ssim_outside_min),
        ];
        for (name, value) in similarities {
            within(name, value, -1.0, 1.0, "a similarity between -1 and 1")?;
        }
        let amounts = [
            ("part_sharpness_min", Some(self.part_sharpness_min)),
            ("pose_score_min", Some(self.pose_score_min)),
            ("mean_color_shift_max", Some(self.mean_color_shift_max)),
            ("lpips_edit_min", self.lpips_edit_min),
            ("lpips_outside_max", self.lpips_outside_max),
        ];
        for (name, value) in amounts {
            within(name, value.unwrap_or(0.0), 0.0, f64::MAX, "a number of 0 or more")?;
        }
        Ok(())
    }
}

fn share(name: &'static str, value: f64) -> Result<()> {
    within(name, value, 0.0, 1.0, "a share between 0 and 1")
}

fn within(name: &'static str, value: f64, low: f64, high: f64, expected: &'static str) -> Result<()> {
    if (low..=high).contains(&value) {
        Ok(())
    } else {
        Err(setting(name, value, expected))
    }
}

fn setting(name: &'static str, got: f64, expected: &'static str) -> Error {
    Error::Setting {
        name,
        got: got.to_string(),
        expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        Thresholds::parse(text, Path::new("t.toml"))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn the_embedded_file_survives_being_written() {
        let embedded = Thresholds::embedded();
        let again = Thresholds::parse(&embedded.to_toml(), Path::new("t.toml")).unwrap();
        assert_eq!((embedded.digest(), &embedded), (again.digest(), &again));
        assert_eq!(embedded.photograph.lpips_edit_min, None);
    }

    #[test]
    fn a_wrong_file_is_refused_with_its_key() {
        let unknown = EMBEDDED_TOML.replacen("ssim_edit_max", "ssim_edti_max", 1);
        assert!(
            refusal(&unknown).contains("unknown field `ssim_edti_max`"),
            "{}",
            refusal(&unknown)
        );
        let missing = EMBEDDED_TOML.replacen("seed = 2605", "", 1);
        assert!(
            refusal(&missing).contains("missing field `seed`"),
            "{}",
            refusal(&missing)
        );
        let share = EMBEDDED_TOML.replacen("mask_share_max = 0.25", "mask_share_max = 25", 1);
        assert_eq!(
            refusal(&share),
            "`mask_share_max` is 25, expected a share between 0 and 1"
        );
        let nan = EMBEDDED_TOML.replacen("ssim_edit_max = 0.85", "ssim_edit_max = nan", 1);
        assert_eq!(
            refusal(&nan),
            "`ssim_edit_max` is NaN, expected a similarity between -1 and 1"
        );
        let sum = EMBEDDED_TOML.replacen("train_share = 0.8", "train_share = 0.95", 1);
        assert!(refusal(&sum).ends_with("expected at most 1"), "{}", refusal(&sum));
    }
}
