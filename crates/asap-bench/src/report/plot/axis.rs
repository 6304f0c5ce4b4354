//! Scales, ticks, and how numbers are written beside them.

use super::Estimate;

/// What a number is, which decides how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A share of 1, written as percent.
    Percent,
    /// A difference of shares, written in percentage points with its sign.
    Points,
    /// A ratio, of which 1 is no difference.
    Ratio,
    /// A plain number.
    Plain,
    /// A plain difference, written with its sign.
    Difference,
}

impl Unit {
    /// The number for people.
    pub fn write(self, value: f64) -> String {
        match self {
            Self::Percent => format!("{:.1} %", value * 100.0),
            Self::Points => signed(value * 100.0, 1),
            Self::Ratio => format!("{value:.2}"),
            Self::Plain => plain(value),
            Self::Difference => signed(value, if value.abs() < 0.1 { 4 } else { 3 }),
        }
    }

    /// The interval for people, without the unit that stands beside it.
    pub fn write_interval(self, [low, high]: [f64; 2]) -> String {
        match self {
            Self::Percent => format!("{:.1}–{:.1}", low * 100.0, high * 100.0),
            Self::Points => format!("{} to {}", signed(low * 100.0, 1), signed(high * 100.0, 1)),
            Self::Ratio | Self::Plain => format!("{}–{}", self.write(low), self.write(high)),
            Self::Difference => format!("{} to {}", self.write(low), self.write(high)),
        }
    }

    /// A tick's number, with as many decimals as its step needs.
    fn write_tick(self, value: f64, step: f64) -> String {
        let factor = if matches!(self, Self::Percent | Self::Points) {
            100.0
        } else {
            1.0
        };
        let n_decimals = (-(step * factor).log10().floor()).clamp(0.0, 6.0) as usize;
        let sign = matches!(self, Self::Points | Self::Difference);
        let text = if sign {
            signed(value * factor, n_decimals)
        } else {
            format!("{:.n_decimals$}", value * factor)
        };
        let text = text.replace("-0.0", "0.0");
        if self == Self::Percent {
            format!("{text} %")
        } else {
            text
        }
    }
}

/// Three or four digits that say something.
fn plain(value: f64) -> String {
    let n_decimals = if value.abs() < 1.0 { 3 } else { 2 };
    format!("{value:.n_decimals$}").replace('-', "\u{2212}")
}

/// With its sign and a real minus.
fn signed(value: f64, n_decimals: usize) -> String {
    let text = format!("{:.n_decimals$}", value.abs());
    let is_zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    match (is_zero, value < 0.0) {
        (true, _) => text,
        (false, true) => format!("\u{2212}{text}"),
        (false, false) => format!("+{text}"),
    }
}

/// How numbers become places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Equal steps for equal differences.
    Linear,
    /// Equal steps for equal ratios, for numbers above 0.
    Log,
}

/// An axis over the numbers that it must show.
pub(super) struct Axis {
    scale: Scale,
    unit: Unit,
    low: f64,
    high: f64,
    /// Where `low` and `high` are drawn.
    ends_px: [f64; 2],
    ticks: Vec<f64>,
    step: f64,
}

const RATIOS: [f64; 15] = [
    0.1, 0.2, 0.3333, 0.5, 0.6667, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0,
];

impl Axis {
    /// An axis that shows every number in `reaches`, with ends on round numbers.
    pub(super) fn over(reaches: &[[f64; 2]], scale: Scale, unit: Unit, ends_px: [f64; 2]) -> Self {
        let finite = |value: &f64| value.is_finite() && (scale == Scale::Linear || *value > 0.0);
        let values: Vec<f64> = reaches.iter().flatten().copied().filter(finite).collect();
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = if low <= high { (low, high) } else { (1.0, 1.0) };
        match scale {
            Scale::Linear => Self::linear(low, high, unit, ends_px),
            Scale::Log => Self::log(low, high, unit, ends_px),
        }
    }

    fn linear(low: f64, high: f64, unit: Unit, ends_px: [f64; 2]) -> Self {
        let span = if high > low {
            high - low
        } else {
            low.abs().max(0.1)
        };
        let step = round_step(span / 7.0);
        let mut low_end = (low / step + 1e-9).floor() * step;
        let mut high_end = (high / step - 1e-9).ceil() * step;
        if low_end >= high_end {
            low_end -= step;
            high_end += step;
        }
        if unit == Unit::Percent {
            low_end = low_end.max(0.0);
            high_end = high_end.min(1.0);
        }
        let n = ((high_end - low_end) / step).round() as usize;
        Self {
            scale: Scale::Linear,
            unit,
            low: low_end,
            high: high_end,
            ends_px,
            ticks: (0..=n).map(|idx| low_end + idx as f64 * step).collect(),
            step,
        }
    }

    fn log(low: f64, high: f64, unit: Unit, ends_px: [f64; 2]) -> Self {
        // Ratios far from 1 are cut at the ends of the axis; their numbers stand beside them.
        let (low, high) = (low.clamp(0.1, 0.9), high.clamp(1.1, 10.0));
        let is_wide = high / low > 8.0;
        let is_kept = |ratio: f64| !is_wide || [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0].contains(&ratio);
        let below = RATIOS
            .iter()
            .rev()
            .copied()
            .find(|ratio| *ratio <= low)
            .unwrap_or(0.1);
        let above = RATIOS
            .iter()
            .copied()
            .find(|ratio| *ratio >= high)
            .unwrap_or(10.0);
        Self {
            scale: Scale::Log,
            unit,
            low: below,
            high: above,
            ends_px,
            ticks: RATIOS
                .iter()
                .copied()
                .filter(|ratio| (below..=above).contains(ratio) && is_kept(*ratio))
                .collect(),
            step: 0.01,
        }
    }

    /// Where a number is drawn; beyond an end, at the end.
    pub(super) fn at(&self, value: f64) -> f64 {
        let value = value.clamp(self.low, self.high);
        let share = match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Log => (value / self.low).ln() / (self.high / self.low).ln(),
        };
        self.ends_px[0] + share * (self.ends_px[1] - self.ends_px[0])
    }

    /// Whether a number lies on the axis.
    pub(super) fn has(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// The ticks with their texts.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let write = |value: f64| match self.scale {
            Scale::Linear => self.unit.write_tick(value, self.step),
            Scale::Log => super::canvas::num(value),
        };
        self.ticks
            .iter()
            .map(|&value| (self.at(value), write(value)))
            .collect()
    }

    /// Where the axis begins and ends.
    pub(super) const fn ends(&self) -> [f64; 2] {
        self.ends_px
    }
}

/// 1, 2 or 5 times a power of ten, at least `least`.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= least * (1.0 - 1e-9))
        .unwrap_or(10.0 * power)
}

/// What the axis must show of some estimates.
pub(super) fn reaches<'a>(estimates: impl IntoIterator<Item = &'a Estimate>) -> Vec<[f64; 2]> {
    estimates.into_iter().map(Estimate::reach).collect()
}
