//! The standard normal number below which a given share lies.

/// The inverse of the cumulative normal distribution; `share` between 0 and 1.
///
/// # Source
/// Wichura 1988, algorithm AS 241 (PPND16): relative error about 1e-16.
pub(super) fn normal_quantile(share: f64) -> f64 {
    let q = share - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180625 - q * q;
        return q * ratio(r, &CENTRE, &CENTRE_BELOW);
    }
    let tail = if q < 0.0 { share } else { 1.0 - share };
    let r = (-tail.max(f64::MIN_POSITIVE).ln()).sqrt();
    let size = if r <= 5.0 {
        ratio(r - 1.6, &MIDDLE, &MIDDLE_BELOW)
    } else {
        ratio(r - 5.0, &TAIL, &TAIL_BELOW)
    };
    size.copysign(q)
}

fn ratio(r: f64, above: &[f64; 8], below: &[f64; 8]) -> f64 {
    let polynomial = |terms: &[f64; 8]| terms.iter().rev().fold(0.0, |sum, term| sum * r + term);
    polynomial(above) / polynomial(below)
}

const CENTRE: [f64; 8] = [
    3.387_132_872_796_366_5,
    133.141_667_891_784_38,
    1_971.590_950_306_551_3,
    13_731.693_765_509_46,
    45_921.953_931_549_87,
    67_265.770_927_008_7,
    33_430.575_583_588_13,
    2_509.080_928_730_122_7,
];
const CENTRE_BELOW: [f64; 8] = [
    1.0,
    42.313_330_701_600_91,
    687.187_007_492_057_9,
    5_394.196_021_424_751,
    21_213.794_301_586_597,
    39_307.895_800_092_71,
    28_729.085_735_721_943,
    5_226.495_278_852_854,
];
const MIDDLE: [f64; 8] = [
    1.423_437_110_749_683_5,
    4.630_337_846_156_546,
    5.769_497_221_460_691,
    3.647_848_324_763_204_5,
    1.270_458_252_452_368_4,
    0.241_780_725_177_450_6,
    0.022_723_844_989_269_184,
    7.745_450_142_783_414e-4,
];
const MIDDLE_BELOW: [f64; 8] = [
    1.0,
    2.053_191_626_637_759,
    1.676_384_830_183_803_8,
    0.689_767_334_985_1,
    0.148_103_976_427_480_08,
    0.015_198_666_563_616_457,
    5.475_938_084_995_345e-4,
    1.050_750_071_644_416_9e-9,
];
const TAIL: [f64; 8] = [
    6.657_904_643_501_103,
    5.463_784_911_164_114,
    1.784_826_539_917_291_3,
    0.296_560_571_828_504_87,
    0.026_532_189_526_576_124,
    1.242_660_947_388_078_4e-3,
    2.711_555_568_743_487_6e-5,
    2.010_334_399_292_288_1e-7,
];
const TAIL_BELOW: [f64; 8] = [
    1.0,
    0.599_832_206_555_888,
    0.136_929_880_922_735_8,
    0.014_875_361_290_850_615,
    7.868_691_311_456_133e-4,
    1.846_318_317_510_054_8e-5,
    1.421_511_758_316_446e-7,
    2.044_263_103_389_939_8e-15,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_equal_those_of_python() {
        // Python 3.11: statistics.NormalDist().inv_cdf(p).
        for (share, expected) in QUANTILES {
            let got = normal_quantile(share);
            assert!(
                (got - expected).abs() <= 1e-14 * f64::abs(expected),
                "{share}: {got} {expected}"
            );
        }
        assert!(normal_quantile(0.0).is_finite());
    }

    const QUANTILES: [(f64, f64); 7] = [
        (1e-15, -7.941345326170995),
        (1e-06, -4.753424308822899),
        (0.01, -2.3263478740408408),
        (0.3, -0.5244005127080407),
        (0.5, 0.0),
        (0.975, 1.9599639845400536),
        (0.9999, 3.7190164854557084),
    ];
}
