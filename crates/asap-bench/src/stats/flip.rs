//! How many votes would have to change for an order to change.

use std::cmp::Ordering;

use asap_core::{AerCounts, RsiCounts};

/// The smallest number of votes that would have to be other ones for an index on one side of 1 to come to the other.
///
/// A vote is changed to any other outcome; none is added or taken away. The best change is from a win to a loss,
/// which moves `W - L` by 2, so with W > L the number is `floor((W - L) / 2) + 1`. `None` where W = L: there is no
/// side to leave.
pub const fn rsi_side(counts: RsiCounts) -> Option<u64> {
    match counts.wins.abs_diff(counts.losses) {
        0 => None,
        lead => Some(lead / 2 + 1),
    }
}

/// The smallest number of votes, of both models together, that would have to be other ones for the order of two
/// indices over one baseline to be reversed.
///
/// Reversed means: the one that was strictly higher is strictly lower. A vote is changed to any other outcome; none
/// is added or taken away. After k changes the lowest index of a model is reached by making k wins losses, and
/// ties once wins are used up, the highest by the reverse; over all ways to split the changes between the models the
/// smallest sum is taken. `None` where the indices are equal or a model has no votes.
pub fn rsi_order(first: RsiCounts, second: RsiCounts) -> Option<u64> {
    let (high, low) = match compare(rsi(first)?, rsi(second)?) {
        Ordering::Greater => (first, second),
        Ordering::Less => (second, first),
        Ordering::Equal => return None,
    };
    let most = |counts: RsiCounts| counts.wins + counts.ties;
    let lowered = |changes| rsi(worse(high, changes));
    let raised = |changes| rsi(worse(low.reversed(), changes).reversed());
    cheapest(most(high), most(low.reversed()), |down, up| {
        Some(compare(lowered(down)?, raised(up)?) == Ordering::Less)
    })
}

/// The smallest number of verdicts, of both models together, that would have to be other ones for the order of two
/// error rates to be reversed.
///
/// Reversed as in [`rsi_order`]; a verdict is changed from pass to fail or back, and unscored images stay unscored.
/// `None` where the rates are equal or a model has no verdicts.
pub fn aer_order(first: AerCounts, second: AerCounts) -> Option<u64> {
    let (high, low) = match compare(aer(first, 0, 0)?, aer(second, 0, 0)?) {
        Ordering::Greater => (first, second),
        Ordering::Less => (second, first),
        Ordering::Equal => return None,
    };
    cheapest(high.failures, low.passes, |down, up| {
        Some(compare(aer(high, 0, down)?, aer(low, up, 0)?) == Ordering::Less)
    })
}

/// A ratio; the denominator 0 stands for infinity.
type Ratio = (u64, u64);

fn compare(a: Ratio, b: Ratio) -> Ordering {
    (u128::from(a.0) * u128::from(b.1)).cmp(&(u128::from(b.0) * u128::from(a.1)))
}

fn rsi(counts: RsiCounts) -> Option<Ratio> {
    let ratio = (counts.wins + counts.ties, counts.losses + counts.ties);
    (ratio != (0, 0)).then_some(ratio)
}

fn aer(counts: AerCounts, more: u64, fewer: u64) -> Option<Ratio> {
    let scored = counts.failures + counts.passes;
    (scored > 0).then_some((counts.failures + more - fewer, scored))
}

/// The counts after so many changes for the worse.
fn worse(counts: RsiCounts, changes: u64) -> RsiCounts {
    let from_wins = changes.min(counts.wins);
    let from_ties = changes - from_wins;
    RsiCounts {
        wins: counts.wins - from_wins,
        ties: counts.ties - from_ties,
        losses: counts.losses + changes,
    }
}

/// The smallest `a + b` with `a <= most_a`, `b <= most_b` that is enough. More changes of either are never less.
fn cheapest(most_a: u64, most_b: u64, is_enough: impl Fn(u64, u64) -> Option<bool>) -> Option<u64> {
    let mut best = None;
    let mut b = most_b;
    for a in 0..=most_a {
        if !is_enough(a, b)? {
            continue;
        }
        while b > 0 && is_enough(a, b - 1)? {
            b -= 1;
        }
        best = Some(best.map_or(a + b, |least: u64| least.min(a + b)));
    }
    best
}
