//! The narrow table of what is known about pairs: statistics, evidence and the decision.

use arrow::array::{Array, StringArray, StructArray};
use asap_core::{
    Assessment, Criterion, Curation, Decision, Evidence, Region, RegionStats, Rejection, Split, StatRegion,
};

use crate::Result;
use crate::columns::{Columns, Rows};
use crate::rows;

/// What is read for lists.
pub(crate) const SUMMARY: [&str; 9] = [
    "pair_id",
    "split",
    "decision",
    "rejections",
    "ssim_inside",
    "ssim_outside",
    "lpips_inside",
    "lpips_outside",
    "mask_share",
];

/// Adds all columns of the table but `pair_id`; null throughout where a pair is not assessed.
///
/// The five numbers that lists filter by stand once more as plain columns, so that SQL needs no unnesting.
pub(crate) fn write(columns: &mut Columns, assessments: &[Option<&Assessment>]) {
    let all = || assessments.iter().copied();
    let edit = |pick: fn(&RegionStats) -> Option<f64>| {
        all().map(move |a| pick(a?.stats.iter().find(|s| s.region == StatRegion::Edit)?))
    };
    columns.text("split", all().map(|a| Some(a?.curation.split.name())));
    columns.text("decision", all().map(|a| Some(a?.curation.decision.name())));
    columns.structs(
        "rejections",
        all().map(|a| Some(a?.curation.rejections.clone())),
        write_rejections,
    );
    columns.u32("cluster", all().map(|a| Some(a?.curation.cluster)));
    columns.text("thresholds", all().map(|a| Some(&a?.curation.thresholds)));
    columns.f64("ssim_inside", edit(|s| s.ssim_inside));
    columns.f64("ssim_outside", edit(|s| s.ssim_outside));
    columns.f64("lpips_inside", edit(|s| s.lpips_inside));
    columns.f64("lpips_outside", edit(|s| s.lpips_outside));
    columns.f64("mask_share", all().map(|a| Some(a?.evidence.mask_share)));
    columns.structs("stats", all().map(|a| Some(a?.stats.clone())), write_stats);
    columns.group("evidence", all().map(|a| a.is_some()).collect(), |inner| {
        let evidence: Vec<_> = all().map(|a| a.map(|a| &a.evidence)).collect();
        write_evidence(inner, &evidence);
    });
}

fn write_rejections(inner: &mut Columns, items: &[Rejection]) {
    inner.text("criterion", items.iter().map(|r| Some(r.criterion.name())));
    inner.text("rule", items.iter().map(|r| Some(&r.rule)));
    inner.f64("measured", items.iter().map(|r| r.measured));
    inner.f64("threshold", items.iter().map(|r| Some(r.threshold)));
}

fn write_stats(inner: &mut Columns, items: &[RegionStats]) {
    inner.text("region", items.iter().map(|s| Some(s.region.name())));
    inner.text("profile", items.iter().map(|s| Some(&s.profile)));
    inner.u64("area_px", items.iter().map(|s| Some(s.area_px)));
    inner.f64("ssim_inside", items.iter().map(|s| s.ssim_inside));
    inner.f64("ssim_outside", items.iter().map(|s| s.ssim_outside));
    inner.f64("lpips_inside", items.iter().map(|s| s.lpips_inside));
    inner.f64("lpips_outside", items.iter().map(|s| s.lpips_outside));
    inner.f64("psnr_outside_db", items.iter().map(|s| s.psnr_outside_db));
    inner.f64(
        "mean_abs_diff_inside",
        items.iter().map(|s| s.mean_abs_diff_inside),
    );
    inner.u8(
        "max_abs_diff_outside",
        items.iter().map(|s| Some(s.max_abs_diff_outside)),
    );
    inner.u64(
        "changed_outside_px",
        items.iter().map(|s| Some(s.changed_outside_px)),
    );
}

fn write_evidence(inner: &mut Columns, items: &[Option<&Evidence>]) {
    let all = || items.iter().copied();
    inner.u32("short_side_px", all().map(|e| Some(e?.short_side_px)));
    inner.f64("part_sharpness", all().map(|e| Some(e?.part_sharpness)));
    inner.f64("pose_score", all().map(|e| e?.pose_score));
    inner.u32("part_side_px", all().map(|e| Some(e?.part_side_px)));
    inner.u64("edit_px", all().map(|e| Some(e?.edit_px)));
    inner.f64("edit_share_of_part", all().map(|e| Some(e?.edit_share_of_part)));
    inner.f64("containment", all().map(|e| Some(e?.containment)));
    inner.f64("mean_color_shift", all().map(|e| Some(e?.mean_color_shift)));
    inner.f64("mask_share", all().map(|e| Some(e?.mask_share)));
    inner.u32("mask_components", all().map(|e| Some(e?.mask_components)));
    inner.truth("is_patch", all().map(|e| Some(e?.is_patch)));
    inner.u64("positive_phash", all().map(|e| Some(e?.positive_phash)));
    inner.u64("positive_dhash", all().map(|e| Some(e?.positive_dhash)));
    inner.u64("part_phash", all().map(|e| Some(e?.part_phash)));
    inner.u64("rejected_part_phash", all().map(|e| Some(e?.rejected_part_phash)));
}

/// Reads the assessment of a row; `None` where the pair was never assessed.
pub(crate) fn read(rows: &Rows<'_>, row: usize) -> Result<Option<Assessment>> {
    if rows.get::<StringArray>("decision")?.is_null(row) {
        return Ok(None);
    }
    let evidence = rows.get::<StructArray>("evidence")?;
    Ok(Some(Assessment {
        pair_id: rows.id("pair_id", row)?,
        stats: rows::structs(rows, "stats", row, read_stats)?,
        evidence: read_evidence(&Rows::of_struct(rows.table(), evidence), row)?,
        curation: Curation {
            decision: rows.word("decision", row, Decision::from_name)?,
            rejections: rejections(rows, row)?,
            split: rows.word("split", row, Split::from_name)?,
            cluster: rows::whole(rows, "cluster", row)?,
            thresholds: rows::text(rows, "thresholds", row)?,
        },
    }))
}

/// The reasons of a row.
pub(crate) fn rejections(rows: &Rows<'_>, row: usize) -> Result<Vec<Rejection>> {
    rows::structs(rows, "rejections", row, |inner, idx| {
        Ok(Rejection {
            criterion: inner.word("criterion", idx, criterion)?,
            rule: rows::text(inner, "rule", idx)?,
            measured: inner.f64("measured", idx)?,
            threshold: rows::float(inner, "threshold", idx)?,
        })
    })
}

fn criterion(name: &str) -> Option<Criterion> {
    Criterion::ALL
        .into_iter()
        .find(|criterion| criterion.name() == name)
}

fn stat_region(name: &str) -> Option<StatRegion> {
    match name {
        "edit" => Some(StatRegion::Edit),
        "part" => Some(StatRegion::Part),
        _ => Region::from_name(name).map(StatRegion::Body),
    }
}

fn read_stats(rows: &Rows<'_>, row: usize) -> Result<RegionStats> {
    Ok(RegionStats {
        region: rows.word("region", row, stat_region)?,
        profile: rows::text(rows, "profile", row)?,
        area_px: rows::large(rows, "area_px", row)?,
        ssim_inside: rows.f64("ssim_inside", row)?,
        ssim_outside: rows.f64("ssim_outside", row)?,
        lpips_inside: rows.f64("lpips_inside", row)?,
        lpips_outside: rows.f64("lpips_outside", row)?,
        psnr_outside_db: rows.f64("psnr_outside_db", row)?,
        mean_abs_diff_inside: rows.f64("mean_abs_diff_inside", row)?,
        max_abs_diff_outside: rows::small(rows, "max_abs_diff_outside", row)?,
        changed_outside_px: rows::large(rows, "changed_outside_px", row)?,
    })
}

fn read_evidence(rows: &Rows<'_>, row: usize) -> Result<Evidence> {
    Ok(Evidence {
        short_side_px: rows::whole(rows, "short_side_px", row)?,
        part_sharpness: rows::float(rows, "part_sharpness", row)?,
        pose_score: rows.f64("pose_score", row)?,
        part_side_px: rows::whole(rows, "part_side_px", row)?,
        edit_px: rows::large(rows, "edit_px", row)?,
        edit_share_of_part: rows::float(rows, "edit_share_of_part", row)?,
        containment: rows::float(rows, "containment", row)?,
        mean_color_shift: rows::float(rows, "mean_color_shift", row)?,
        mask_share: rows::float(rows, "mask_share", row)?,
        mask_components: rows::whole(rows, "mask_components", row)?,
        is_patch: rows::truth(rows, "is_patch", row)?,
        positive_phash: rows::large(rows, "positive_phash", row)?,
        positive_dhash: rows::large(rows, "positive_dhash", row)?,
        part_phash: rows::large(rows, "part_phash", row)?,
        rejected_part_phash: rows::large(rows, "rejected_part_phash", row)?,
    })
}
