//! Whether comparisons have a best fit under Davidson's model.

use super::davidson::Edge;
use super::{Error, Result};

/// Refuses comparisons that no finite strengths fit best.
///
/// The log likelihood has no maximum where some direction (d, e) of (log π, log ν) never lowers it: each observed
/// win of i over j asks for `d_i - d_j >= max(0, 2e)`, each tie for `e >= |d_i - d_j| / 2`.
///
/// - e = 0: some models were never beaten nor tied by the rest, so their strength grows without end. There is
///   such a set unless a path of wins and ties leads from every model to every other.
/// - e > 0, where there are ties: ties and gaps grow together. Scaled to e = 1/2, wins ask for a difference of at
///   least 1 and ties for one of at most 1. Such constraints on differences can be met unless they form a circle
///   in which wins outnumber ties.
/// - e < 0 asks for no ties at all, and then ν is 0 and no parameter.
///
/// # Source
/// For wins alone: Ford, "Solution of a ranking problem from binary comparisons", Amer. Math. Monthly 64 (1957).
/// With ties this is the condition of Albert and Anderson, Biometrika 71 (1984), for multinomial logits, applied to
/// the three outcomes; constraints on differences are tested as Bellman and Ford do.
pub(crate) fn check_estimable(models: &[String], edges: &[Edge]) -> Result<()> {
    let n = models.len();
    // (winner, loser, is it a tie), ties in both directions.
    let arcs: Vec<(usize, usize, bool)> = edges
        .iter()
        .flat_map(|edge| {
            let (i, j) = (edge.first, edge.second);
            let [wins, ties, losses] = edge.outcomes;
            [
                (wins > 0.0).then_some((i, j, false)),
                (losses > 0.0).then_some((j, i, false)),
                (ties > 0.0).then_some((i, j, true)),
                (ties > 0.0).then_some((j, i, true)),
            ]
        })
        .flatten()
        .collect();
    let forward = arcs.iter().map(|&(from, to, _)| (from, to));
    let backward = arcs.iter().map(|&(from, to, _)| (to, from));
    let names = |reached: &[bool], is_in: bool| {
        let chosen = models
            .iter()
            .zip(reached)
            .filter(|(_, reached)| **reached == is_in);
        chosen.map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    let linked = reach(n, forward.clone().chain(backward.clone()));
    if linked.contains(&false) {
        return Err(Error::Disconnected {
            one: names(&linked, true),
            other: names(&linked, false),
        });
    }
    for (reached, verb) in [
        (reach(n, forward), "beat or tied"),
        (reach(n, backward), "lost to or tied"),
    ] {
        if reached.contains(&false) {
            let (one, other) = (names(&reached, true), names(&reached, false));
            let reason = format!(
                "none of `{}` that {verb} one of `{}`",
                one.join("`, `"),
                other.join("`, `")
            );
            return Err(Error::Separated { reason });
        }
    }
    if arcs.iter().any(|(_, _, is_tie)| *is_tie) && !has_winning_circle(n, &arcs) {
        let reason = "no circle of models in which wins outnumber ties".into();
        return Err(Error::Separated { reason });
    }
    Ok(())
}

/// Which nodes can be reached from node 0.
fn reach(n: usize, arcs: impl Iterator<Item = (usize, usize)>) -> Vec<bool> {
    let mut next = vec![Vec::new(); n];
    for (from, to) in arcs {
        next[from].push(to);
    }
    let mut reached = vec![false; n];
    let mut stack = vec![0];
    while let Some(node) = stack.pop() {
        if !std::mem::replace(&mut reached[node], true) {
            stack.extend(&next[node]);
        }
    }
    reached
}

/// Whether some circle has a negative length when a win is -1 and a tie is 1.
fn has_winning_circle(n: usize, arcs: &[(usize, usize, bool)]) -> bool {
    let mut distance = vec![0_i64; n];
    let mut relax = || {
        arcs.iter().fold(false, |changed, &(from, to, is_tie)| {
            let through = distance[from] + if is_tie { 1 } else { -1 };
            let is_nearer = through < distance[to];
            distance[to] = distance[to].min(through);
            changed || is_nearer
        })
    };
    // Without such a circle nothing changes any more after as many rounds as there are models.
    (0..=n).all(|_| relax())
}
