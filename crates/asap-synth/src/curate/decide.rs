//! The rules, applied to what was measured: a pure function of numbers.

use asap_core::{Criterion, Evidence, RegionStats, Rejection, StatRegion};

use super::thresholds::Rules;

/// One rule applied to one pair.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Check {
    pub(super) criterion: Criterion,
    /// The key in the thresholds file.
    pub(super) rule: &'static str,
    /// `None` where it was not measured or is no number: such a check fails.
    pub(super) measured: Option<f64>,
    pub(super) threshold: f64,
    bound: Bound,
    grade: Grade,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Bound {
    AtLeast,
    AtMost,
}

/// Whether the distance to the threshold says how good a pair is, or only the side does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Grade {
    Graded,
    Exact,
}

impl Check {
    pub(super) fn passes(&self) -> bool {
        self.measured.is_some_and(|measured| match self.bound {
            Bound::AtLeast => measured >= self.threshold,
            Bound::AtMost => measured <= self.threshold,
        })
    }

    /// How far on the right side of the threshold, in thresholds; negative on the wrong side.
    ///
    /// `None` for rules of which only the side counts, such as the size of the image.
    pub(super) fn margin(&self) -> Option<f64> {
        let measured = self.measured.filter(|_| self.grade == Grade::Graded)?;
        let scale = if self.threshold.abs() > f64::EPSILON {
            self.threshold.abs()
        } else {
            1.0
        };
        Some(match self.bound {
            Bound::AtLeast => (measured - self.threshold) / scale,
            Bound::AtMost => (self.threshold - measured) / scale,
        })
    }

    fn rejection(&self) -> Rejection {
        Rejection {
            criterion: self.criterion,
            rule: self.rule.to_owned(),
            measured: self.measured,
            threshold: self.threshold,
        }
    }
}

/// Every rule that a pair fails under the first four criteria; near-duplicates need the whole data set.
///
/// A value that is missing or no number fails its rule with `measured: None`, with one exception: a positive
/// without any keypoints has no pose score and is not asked for one. The two rules on the size of the edit
/// are one: a pair that meets either passes.
pub fn decide(stats: &[RegionStats], evidence: &Evidence, rules: &Rules) -> Vec<Rejection> {
    checks(stats, evidence, rules)
        .iter()
        .filter(|check| !check.passes())
        .map(Check::rejection)
        .collect()
}

/// All rules that apply, in the order of [`Criterion::ALL`].
pub(super) fn checks(stats: &[RegionStats], evidence: &Evidence, rules: &Rules) -> Vec<Check> {
    let edit = stats.iter().find(|stats| stats.region == StatRegion::Edit);
    let mut checks = quality_checks(evidence, rules);
    checks.extend(degradation_checks(edit, evidence, rules));
    checks.extend(background_checks(edit, evidence, rules));
    checks.extend(mask_checks(evidence, rules));
    checks
}

/// Makes the checks of one criterion.
struct Maker(Criterion);

impl Maker {
    fn check(
        self,
        rule: &'static str,
        measured: Option<f64>,
        bound: Bound,
        threshold: f64,
        grade: Grade,
    ) -> Check {
        Check {
            criterion: self.0,
            rule,
            measured: measured.filter(|value| !value.is_nan()),
            threshold,
            bound,
            grade,
        }
    }
}

fn quality_checks(evidence: &Evidence, rules: &Rules) -> Vec<Check> {
    let check = |rule, measured: f64, threshold: f64, grade| {
        Maker(Criterion::PositiveQuality).check(rule, Some(measured), Bound::AtLeast, threshold, grade)
    };
    let mut checks = vec![
        check(
            "short_side_px_min",
            f64::from(evidence.short_side_px),
            f64::from(rules.short_side_px_min),
            Grade::Exact,
        ),
        check(
            "part_sharpness_min",
            evidence.part_sharpness,
            rules.part_sharpness_min,
            Grade::Graded,
        ),
        check(
            "part_side_px_min",
            f64::from(evidence.part_side_px),
            f64::from(rules.part_side_px_min),
            Grade::Exact,
        ),
    ];
    if let Some(score) = evidence.pose_score {
        checks.push(check("pose_score_min", score, rules.pose_score_min, Grade::Exact));
    }
    checks
}

fn degradation_checks(edit: Option<&RegionStats>, evidence: &Evidence, rules: &Rules) -> Vec<Check> {
    let check = |rule, measured, bound, threshold| {
        Maker(Criterion::VisibleDegradation).check(rule, measured, bound, threshold, Grade::Graded)
    };
    let ssim = edit.and_then(|edit| edit.ssim_inside);
    let mut checks = vec![
        check("ssim_edit_max", ssim, Bound::AtMost, rules.ssim_edit_max),
        check("ssim_edit_min", ssim, Bound::AtLeast, rules.ssim_edit_min),
        check(
            "mean_color_shift_max",
            Some(evidence.mean_color_shift),
            Bound::AtMost,
            rules.mean_color_shift_max,
        ),
    ];
    let is_large_share = evidence.edit_share_of_part >= rules.edit_share_of_part_min;
    if !is_large_share {
        let edit_px = Some(evidence.edit_px as f64);
        checks.push(check(
            "edit_px_min",
            edit_px,
            Bound::AtLeast,
            rules.edit_px_min as f64,
        ));
    }
    if let Some(threshold) = rules.lpips_edit_min {
        let lpips = edit.and_then(|edit| edit.lpips_inside);
        checks.push(check("lpips_edit_min", lpips, Bound::AtLeast, threshold));
    }
    checks
}

fn background_checks(edit: Option<&RegionStats>, evidence: &Evidence, rules: &Rules) -> Vec<Check> {
    let check = |rule, measured, bound, threshold| {
        Maker(Criterion::BackgroundPreserved).check(rule, measured, bound, threshold, Grade::Exact)
    };
    let mut checks = vec![
        check(
            "containment_min",
            Some(evidence.containment),
            Bound::AtLeast,
            rules.containment_min,
        ),
        check(
            "ssim_outside_min",
            edit.and_then(|edit| edit.ssim_outside),
            Bound::AtLeast,
            rules.ssim_outside_min,
        ),
    ];
    if evidence.is_patch {
        let largest = edit.map(|edit| f64::from(edit.max_abs_diff_outside));
        let threshold = f64::from(rules.max_abs_diff_outside_max);
        checks.push(check(
            "max_abs_diff_outside_max",
            largest,
            Bound::AtMost,
            threshold,
        ));
    }
    if let Some(threshold) = rules.lpips_outside_max {
        let lpips = edit.and_then(|edit| edit.lpips_outside);
        checks.push(check("lpips_outside_max", lpips, Bound::AtMost, threshold));
    }
    checks
}

fn mask_checks(evidence: &Evidence, rules: &Rules) -> Vec<Check> {
    let check = |rule, measured: f64, bound, threshold, grade| {
        Maker(Criterion::MaskSanity).check(rule, Some(measured), bound, threshold, grade)
    };
    let share = evidence.mask_share;
    vec![
        check(
            "mask_share_min",
            share,
            Bound::AtLeast,
            rules.mask_share_min,
            Grade::Graded,
        ),
        check(
            "mask_share_max",
            share,
            Bound::AtMost,
            rules.mask_share_max,
            Grade::Graded,
        ),
        check(
            "mask_components_max",
            f64::from(evidence.mask_components),
            Bound::AtMost,
            f64::from(rules.mask_components_max),
            Grade::Exact,
        ),
    ]
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::curate::thresholds::Thresholds;

    /// A pair that passes the rules of photographs.
    pub(in crate::curate) fn good() -> (Vec<RegionStats>, Evidence) {
        let stats = RegionStats {
            region: StatRegion::Edit,
            profile: "test".to_owned(),
            area_px: 4000,
            ssim_inside: Some(0.55),
            ssim_outside: Some(1.0),
            lpips_inside: None,
            lpips_outside: None,
            psnr_outside_db: None,
            mean_abs_diff_inside: Some(40.0),
            max_abs_diff_outside: 0,
            changed_outside_px: 0,
        };
        let evidence = Evidence {
            short_side_px: 1024,
            part_sharpness: 300.0,
            pose_score: Some(0.9),
            part_side_px: 120,
            edit_px: 3000,
            edit_share_of_part: 0.4,
            containment: 1.0,
            mean_color_shift: 5.0,
            mask_share: 0.01,
            mask_components: 1,
            is_patch: true,
            positive_phash: 0,
            positive_dhash: 0,
            part_phash: 0,
            rejected_part_phash: 0,
        };
        (vec![stats], evidence)
    }

    /// Changes the good pair and compares the rules that it then fails.
    #[track_caller]
    fn check(change: impl FnOnce(&mut RegionStats, &mut Evidence), expected: &[(&str, Option<f64>)]) {
        let (mut stats, mut evidence) = good();
        change(&mut stats[0], &mut evidence);
        let rejections = decide(&stats, &evidence, &Thresholds::embedded().photograph);
        let got: Vec<_> = rejections.iter().map(|r| (r.rule.as_str(), r.measured)).collect();
        assert_eq!(got, expected);
    }

    #[test]
    fn a_good_pair_fails_nothing() {
        check(|_, _| (), &[]);
    }

    #[test]
    fn each_rule_fails_alone() {
        check(
            |_, e| e.short_side_px = 511,
            &[("short_side_px_min", Some(511.0))],
        );
        check(
            |_, e| e.part_sharpness = 59.0,
            &[("part_sharpness_min", Some(59.0))],
        );
        check(|_, e| e.pose_score = Some(0.4), &[("pose_score_min", Some(0.4))]);
        check(|_, e| e.part_side_px = 59, &[("part_side_px_min", Some(59.0))]);
        check(|s, _| s.ssim_inside = Some(0.9), &[("ssim_edit_max", Some(0.9))]);
        check(
            |s, _| s.ssim_inside = Some(0.05),
            &[("ssim_edit_min", Some(0.05))],
        );
        check(
            |_, e| e.mean_color_shift = 61.0,
            &[("mean_color_shift_max", Some(61.0))],
        );
        check(|_, e| e.containment = 0.99, &[("containment_min", Some(0.99))]);
        check(
            |s, _| s.ssim_outside = Some(0.96),
            &[("ssim_outside_min", Some(0.96))],
        );
        check(
            |s, _| s.max_abs_diff_outside = 1,
            &[("max_abs_diff_outside_max", Some(1.0))],
        );
        check(|_, e| e.mask_share = 0.001, &[("mask_share_min", Some(0.001))]);
        check(|_, e| e.mask_share = 0.26, &[("mask_share_max", Some(0.26))]);
        check(
            |_, e| e.mask_components = 5,
            &[("mask_components_max", Some(5.0))],
        );
    }

    #[test]
    fn a_small_edit_passes_by_its_share_or_by_its_pixels() {
        check(|_, e| e.edit_px = 399, &[]);
        check(|_, e| e.edit_share_of_part = 0.11, &[]);
        let small = |_: &mut RegionStats, e: &mut Evidence| {
            e.edit_px = 399;
            e.edit_share_of_part = 0.11;
        };
        check(small, &[("edit_px_min", Some(399.0))]);
        let not_a_share = |_: &mut RegionStats, e: &mut Evidence| {
            e.edit_px = 399;
            e.edit_share_of_part = f64::NAN;
        };
        check(not_a_share, &[("edit_px_min", Some(399.0))]);
    }

    #[test]
    fn what_was_not_measured_is_never_a_pass() {
        check(
            |s, _| s.ssim_inside = None,
            &[("ssim_edit_max", None), ("ssim_edit_min", None)],
        );
        let nan = |s: &mut RegionStats, e: &mut Evidence| {
            s.ssim_outside = Some(f64::NAN);
            e.part_sharpness = f64::NAN;
            e.pose_score = Some(f64::NAN);
        };
        check(
            nan,
            &[
                ("part_sharpness_min", None),
                ("pose_score_min", None),
                ("ssim_outside_min", None),
            ],
        );
        // A picture with a hand box and no keypoints is usable: it has no pose to be scored.
        check(|_, e| e.pose_score = None, &[]);
        let (_, evidence) = good();
        let rules = Thresholds::embedded().photograph;
        assert_eq!(decide(&[], &evidence, &rules).len(), 4);
    }

    #[test]
    fn lpips_is_asked_for_only_where_a_threshold_is_given() {
        let (mut stats, evidence) = good();
        let mut rules = Thresholds::embedded().photograph;
        rules.lpips_edit_min = Some(0.12);
        rules.lpips_outside_max = Some(0.03);
        let failed = |stats: &[RegionStats]| decide(stats, &evidence, &rules).len();
        assert_eq!(failed(&stats), 2);
        (stats[0].lpips_inside, stats[0].lpips_outside) = (Some(0.3), Some(0.01));
        assert_eq!(failed(&stats), 0);
    }

    #[test]
    fn margins_are_relative_and_signed() {
        let (stats, evidence) = good();
        let checks = checks(&stats, &evidence, &Thresholds::embedded().photograph);
        let margin = |rule: &str| checks.iter().find(|check| check.rule == rule).unwrap().margin();
        assert_eq!(margin("part_sharpness_min"), Some(4.0));
        assert_eq!(margin("short_side_px_min"), None);
        assert!((margin("ssim_edit_max").unwrap() - 0.3 / 0.85).abs() < 1e-12);
    }
}
