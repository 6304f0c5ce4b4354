//! Scales, ticks, and how numbers are written.

use serde::Serialize;

/// What a number is, which decides how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Unit {
    /// A share of 1, written as percent.
    Percent,
    /// A plain number.
    Plain,
    /// A number above 0 that spans orders of magnitude.
    Log,
}

impl Unit {
    /// The number for people.
    pub(super) fn write(self, value: f64) -> String {
        match self {
            _ if !value.is_finite() => "not finite".to_owned(),
            Self::Percent => format!("{:.1} %", value * 100.0),
            Self::Plain | Self::Log => significant(value),
        }
    }

    /// The interval for people.
    pub(super) fn write_interval(self, [low, high]: [f64; 2]) -> String {
        match self {
            Self::Percent => format!("{:.1}–{:.1} %", low * 100.0, high * 100.0),
            Self::Plain | Self::Log => format!("{} to {}", self.write(low), self.write(high)),
        }
    }
}

/// Three digits that say something, with a real minus.
pub(super) fn significant(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let exponent = value.abs().log10().floor() as i32;
    let text = if (-4..6).contains(&exponent) {
        let n_decimals = (2 - exponent).max(0) as usize;
        format!("{value:.n_decimals$}")
    } else {
        format!(
            "{:.2} × {}",
            value / 10_f64.powi(exponent),
            power_of_ten(exponent)
        )
    };
    text.replace('-', "\u{2212}")
}

/// `10⁻³`.
pub(super) fn power_of_ten(exponent: i32) -> String {
    let raised = |letter: char| match letter {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        // The other raised digits stand in one row.
        digit => char::from_u32(0x2070 + digit as u32 - '0' as u32).unwrap_or(digit),
    };
    format!(
        "10{}",
        exponent.to_string().chars().map(raised).collect::<String>()
    )
}

/// An axis over the numbers that it must show.
pub(super) struct Axis {
    is_log: bool,
    low: f64,
    high: f64,
    ends_px: [f64; 2],
    ticks: Vec<(f64, String)>,
    /// The power of ten that the ticks are to be multiplied with.
    pub(super) exponent: i32,
}

impl Axis {
    /// An axis with ends on round numbers. Numbers that are not finite have no place on it.
    pub(super) fn over(values: impl Iterator<Item = f64>, unit: Unit, ends_px: [f64; 2]) -> Self {
        let is_shown = |value: &f64| value.is_finite() && (unit != Unit::Log || *value > 0.0);
        let (low, high) = values
            .filter(is_shown)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        // Less than a factor of ten is better seen in equal steps.
        if unit == Unit::Log && low > 0.0 && high / low > 10.0 {
            Self::log(low, high, ends_px)
        } else {
            Self::linear(low, high, unit, ends_px)
        }
    }

    /// An axis of steps, from 0.
    pub(super) fn steps(last: f64, ends_px: [f64; 2]) -> Self {
        let step = round_step((last.max(1.0) / 5.0).max(1.0));
        let n = (last / step).floor() as usize;
        let ticks = (0..=n).map(|idx| idx as f64 * step);
        Self {
            is_log: false,
            low: 0.0,
            high: last.max(1.0),
            ends_px,
            ticks: ticks.map(|tick| (tick, thousands(tick))).collect(),
            exponent: 0,
        }
    }

    fn linear(low: f64, high: f64, unit: Unit, ends_px: [f64; 2]) -> Self {
        let span = if high > low {
            high - low
        } else {
            high.abs().max(1e-6)
        };
        let step = round_step(span / 4.5);
        let mut first = (low / step + 1e-9).floor();
        let mut last = (high / step - 1e-9).ceil();
        if last <= first {
            first -= 1.0;
            last += 1.0;
        }
        let (factor, exponent) = match unit {
            Unit::Percent => (100.0, 0),
            Unit::Plain | Unit::Log => factor((first * step).abs().max((last * step).abs())),
        };
        let n_decimals = (-(step * factor * 1.000_001).log10().floor()).clamp(0.0, 6.0) as usize;
        let write = |tick: f64| {
            let text = format!("{:.n_decimals$}", tick * factor).replace('-', "\u{2212}");
            if unit == Unit::Percent {
                format!("{text} %")
            } else {
                text
            }
        };
        let ticks = (0..=(last - first) as usize).map(|idx| (first + idx as f64) * step);
        Self {
            is_log: false,
            low: first * step,
            high: last * step,
            ends_px,
            ticks: ticks.map(|tick| (tick, write(tick))).collect(),
            exponent,
        }
    }

    fn log(low: f64, high: f64, ends_px: [f64; 2]) -> Self {
        let [first, last] = [low.log10().floor() as i32, high.log10().ceil() as i32];
        let every = (last - first).div_euclid(6) + 1;
        let exponents = (first..=last).filter(|exponent| (exponent - first) % every == 0);
        Self {
            is_log: true,
            low: 10_f64.powi(first),
            high: 10_f64.powi(last),
            ends_px,
            ticks: exponents
                .map(|exponent| (10_f64.powi(exponent), power_of_ten(exponent)))
                .collect(),
            exponent: 0,
        }
    }

    /// Where a number is drawn; beyond an end, at the end.
    pub(super) fn at(&self, value: f64) -> f64 {
        let value = value.clamp(self.low, self.high);
        let share = if self.is_log {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        self.ends_px[0] + share * (self.ends_px[1] - self.ends_px[0])
    }

    /// Whether a number lies on the axis.
    pub(super) fn has(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// The ticks with their texts.
    pub(super) fn ticks(&self) -> impl Iterator<Item = (f64, &str)> {
        self.ticks
            .iter()
            .map(|(tick, text)| (self.at(*tick), text.as_str()))
    }
}

/// What to multiply ticks with so that they are short, and the power of ten that stands for it.
fn factor(largest: f64) -> (f64, i32) {
    let exponent = largest.log10().floor() as i32;
    if (-2..5).contains(&exponent) {
        return (1.0, 0);
    }
    let exponent = exponent.div_euclid(3) * 3;
    (10_f64.powi(-exponent), exponent)
}

/// 1, 2 or 5 times a power of ten, at least `least`.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= least * (1.0 - 1e-9))
        .unwrap_or(10.0 * power)
}

/// A whole number with a thin space between thousands.
pub(super) fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (idx, digit) in digits.chars().enumerate() {
        if idx > 0 && (digits.len() - idx).is_multiple_of(3) && digits.len() > 4 {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(values: [f64; 2], unit: Unit) -> (String, i32) {
        let axis = Axis::over(values.into_iter(), unit, [0.0, 100.0]);
        let texts: Vec<&str> = axis.ticks().map(|(_, text)| text).collect();
        (texts.join(" "), axis.exponent)
    }

    #[test]
    fn ticks_are_round_and_short() {
        assert_eq!(
            ticks([-0.003, 0.012], Unit::Plain),
            ("−0.005 0.000 0.005 0.010 0.015".to_owned(), 0)
        );
        assert_eq!(ticks([0.0, 1e-4], Unit::Plain), ("0 50 100".to_owned(), -6));
        assert_eq!(
            ticks([0.52, 0.9], Unit::Percent),
            ("50 % 60 % 70 % 80 % 90 %".to_owned(), 0)
        );
        assert_eq!(
            ticks([2e-4, 0.5], Unit::Log),
            ("10⁻⁴ 10⁻³ 10⁻² 10⁻¹ 10⁰".to_owned(), 0)
        );
        assert_eq!(ticks([f64::NAN, 3.0], Unit::Plain).0, "2 3 4");
    }

    #[test]
    fn numbers_are_written_for_people() {
        let texts = [0.0, 0.012_345, -1.5, 1234.5, 2.5e-7].map(significant);
        assert_eq!(texts, ["0", "0.0123", "−1.50", "1234", "2.50 × 10⁻⁷"]);
        assert_eq!(thousands(12_345.0), "12\u{202f}345");
    }
}
