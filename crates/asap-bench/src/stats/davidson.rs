//! Strengths of many models from comparisons in pairs with ties.

use asap_core::RsiCounts;
use serde::{Deserialize, Serialize};

use super::existence::check_estimable;
use super::linear::solve;
use super::{Error, Result};

/// Newton's steps before giving up; eight are common.
const MAX_STEPS: usize = 100;
/// The largest derivative of the log likelihood, for each comparison, that counts as 0.
const FLAT: f64 = 1e-12;

/// All comparisons of two models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matchup {
    /// The place of one model in the list of models.
    pub first: usize,
    /// The place of the other.
    pub second: usize,
    /// The outcomes, as the first one's.
    pub counts: RsiCounts,
}

/// What is believed before the first comparison.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prior {
    /// Nothing: the estimate is that of maximum likelihood, and an error where there is none.
    None,
    /// Each model has also met a made-up model of strength 1, with this many wins, ties and losses, a third
    /// each. There is always an estimate, drawn towards equal strengths.
    Anchor {
        /// Made-up comparisons for each model; more than 0.
        weight: f64,
    },
}

/// Fitted strengths.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Davidson {
    /// The natural logarithm of each model's strength; their mean is 0.
    pub log_strengths: Vec<f64>,
    /// The tie parameter ν: two equal models tie with probability ν / (2 + ν). 0 where no comparison is a tie.
    pub tie_parameter: f64,
    /// The log likelihood of the comparisons, without the prior's.
    pub log_likelihood: f64,
    /// Newton's steps that it took.
    pub n_steps: usize,
}

impl Davidson {
    /// The probabilities that model `first` wins against, ties with and loses to model `second`.
    pub fn probabilities(&self, first: usize, second: usize) -> [f64; 3] {
        let (a, b) = (self.log_strengths[first], self.log_strengths[second]);
        probabilities(a, b, self.tie_parameter.ln())
    }

    /// The index (1 - l) / (1 - w) of the model `first` over `second` that the strengths predict.
    pub fn rsi(&self, first: usize, second: usize) -> f64 {
        let [win, tie, loss] = self.probabilities(first, second);
        (win + tie) / (loss + tie)
    }
}

/// Weighted outcomes of two nodes: models, or a model and the prior's made-up one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub(crate) first: usize,
    pub(crate) second: usize,
    /// Wins of the first, ties, losses.
    pub(crate) outcomes: [f64; 3],
}

/// Fits Davidson's model.
///
/// `P(i beats j) = π_i / (π_i + π_j + ν sqrt(π_i π_j))` and `P(tie) = ν sqrt(π_i π_j) / (the same)`. The log
/// likelihood is concave in log π and log ν, and Newton's method with halved steps climbs it until each
/// derivative is 0 to 1e-12 for each comparison. Without any tie ν is 0 and the model is that of Bradley and
/// Terry.
///
/// # Shapes
/// `models` names the n models, `matchups` may hold two models more than once and in either order.
///
/// # Errors
/// [`Error::TooFew`] with fewer than two models, [`Error::Undefined`] for a matchup of a model with itself, of one
/// that is not in the list, or for a prior without weight. Under [`Prior::None`] also [`Error::Disconnected`] and
/// [`Error::Separated`], where no finite strengths are the best. [`Error::NotConverged`] does not happen to an
/// estimate that exists, short of counts that differ by more than f64 can hold.
///
/// # Source
/// Davidson, "On extending the Bradley-Terry model to accommodate ties in paired comparison experiments", JASA 65
/// (1970).
pub fn fit(models: &[String], matchups: &[Matchup], prior: Prior) -> Result<Davidson> {
    let edges: Vec<Edge> = matchups
        .iter()
        .map(|matchup| Edge {
            first: matchup.first,
            second: matchup.second,
            outcomes: [matchup.counts.wins, matchup.counts.ties, matchup.counts.losses].map(|n| n as f64),
        })
        .collect();
    fit_edges(models, &edges, prior)
}

/// [`fit`] of weighted outcomes.
pub(crate) fn fit_edges(models: &[String], edges: &[Edge], prior: Prior) -> Result<Davidson> {
    check_edges(models.len(), edges)?;
    let (all, fixed) = match prior {
        Prior::None => (edges.to_vec(), 0),
        Prior::Anchor { weight } => (anchored(models.len(), edges, weight)?, models.len()),
    };
    if prior == Prior::None {
        check_estimable(models, edges)?;
    }
    let has_ties = all.iter().any(|edge| edge.outcomes[1] > 0.0);
    let n_nodes = models.len() + usize::from(fixed == models.len());
    let mut problem = Problem {
        edges: &all,
        fixed,
        n_nodes,
        has_ties,
    };
    let (point, n_steps) = problem.climb()?;
    let mean = point[..models.len()].iter().sum::<f64>() / models.len() as f64;
    problem.edges = edges;
    Ok(Davidson {
        log_strengths: point[..models.len()].iter().map(|value| value - mean).collect(),
        tie_parameter: point[n_nodes].exp(),
        log_likelihood: problem.log_likelihood(&point),
        n_steps,
    })
}

fn check_edges(n_models: usize, edges: &[Edge]) -> Result<()> {
    if n_models < 2 {
        return Err(Error::TooFew {
            what: "models to compare",
            least: 2,
            got: n_models,
        });
    }
    let is_odd = |edge: &Edge| edge.first == edge.second || edge.first.max(edge.second) >= n_models;
    match edges.iter().any(is_odd) {
        true => Err(Error::Undefined {
            what: "comparison",
            why: "expected two different models of the list",
        }),
        false => Ok(()),
    }
}

fn anchored(n_models: usize, edges: &[Edge], weight: f64) -> Result<Vec<Edge>> {
    if !(weight > 0.0 && weight.is_finite()) {
        return Err(Error::Undefined {
            what: "prior",
            why: "expected a weight above 0",
        });
    }
    let anchors = (0..n_models).map(|model| Edge {
        first: model,
        second: n_models,
        outcomes: [weight / 3.0; 3],
    });
    Ok(edges.iter().copied().chain(anchors).collect())
}

/// Win, tie and loss of strengths `exp(a)` and `exp(b)`; `log_tie` may be -∞.
fn probabilities(a: f64, b: f64, log_tie: f64) -> [f64; 3] {
    let logs = [a, log_tie + 0.5 * (a + b), b];
    let largest = logs.into_iter().fold(f64::NEG_INFINITY, f64::max);
    let terms = logs.map(|log| (log - largest).exp());
    let sum: f64 = terms.iter().sum();
    terms.map(|term| term / sum)
}

/// What is maximised: a point holds the nodes' log strengths, then log ν.
struct Problem<'a> {
    edges: &'a [Edge],
    /// The node whose log strength is 0.
    fixed: usize,
    n_nodes: usize,
    has_ties: bool,
}

impl Problem<'_> {
    fn climb(&self) -> Result<(Vec<f64>, usize)> {
        let total: f64 = self.edges.iter().flat_map(|edge| edge.outcomes).sum();
        let mut point = vec![0.0; self.n_nodes + 1];
        if !self.has_ties {
            point[self.n_nodes] = f64::NEG_INFINITY;
        }
        let mut height = self.log_likelihood(&point);
        let mut steepest = f64::INFINITY;
        for step in 0..MAX_STEPS {
            let (gradient, information) = self.derivatives(&point);
            steepest = gradient
                .iter()
                .fold(0.0, |most: f64, slope| most.max(slope.abs()));
            if steepest <= FLAT * total {
                return Ok((point, step));
            }
            let Some(direction) = solve(information, gradient) else {
                break;
            };
            let Some((next, reached)) = self.step(&point, &direction, height) else {
                break;
            };
            (point, height) = (next, reached);
        }
        // The last steps may be lost in rounding although the top is reached.
        match steepest <= 1e3 * FLAT * total {
            true => Ok((point, MAX_STEPS)),
            false => Err(Error::NotConverged {
                what: "Davidson's model",
                iterations: MAX_STEPS,
                change: steepest,
            }),
        }
    }

    /// Goes along a direction, half as far each time that it leads down.
    fn step(&self, point: &[f64], direction: &[f64], height: f64) -> Option<(Vec<f64>, f64)> {
        let slack = 1e-13 * height.abs();
        (0..40).find_map(|halvings| {
            let share = 0.5_f64.powi(halvings);
            let next: Vec<f64> = point.iter().zip(direction).map(|(x, d)| x + share * d).collect();
            let reached = self.log_likelihood(&next);
            (reached >= height - slack).then_some((next, reached))
        })
    }

    fn log_likelihood(&self, point: &[f64]) -> f64 {
        let each = self.edges.iter().map(|edge| {
            let shares = probabilities(point[edge.first], point[edge.second], point[self.n_nodes]);
            let terms = edge
                .outcomes
                .iter()
                .zip(shares)
                .filter(|(weight, _)| **weight > 0.0);
            terms.map(|(weight, share)| weight * share.ln()).sum::<f64>()
        });
        each.sum()
    }

    /// The gradient, and the negative second derivatives. Rows of what is fixed are those of the identity.
    fn derivatives(&self, point: &[f64]) -> (Vec<f64>, Vec<Vec<f64>>) {
        let n = self.n_nodes + 1;
        let mut gradient = vec![0.0; n];
        let mut information = vec![vec![0.0; n]; n];
        // How each outcome's logarithm depends on the first node, the second, and log ν.
        const DESIGN: [[f64; 3]; 3] = [[1.0, 0.0, 0.0], [0.5, 0.5, 1.0], [0.0, 1.0, 0.0]];
        for edge in self.edges {
            let shares = probabilities(point[edge.first], point[edge.second], point[self.n_nodes]);
            let weight: f64 = edge.outcomes.iter().sum();
            let places = [edge.first, edge.second, self.n_nodes];
            let mean = [0, 1, 2].map(|k| (0..3).map(|o| shares[o] * DESIGN[o][k]).sum::<f64>());
            for (k, &row) in places.iter().enumerate() {
                gradient[row] += (0..3)
                    .map(|o| (edge.outcomes[o] - weight * shares[o]) * DESIGN[o][k])
                    .sum::<f64>();
                for (l, &column) in places.iter().enumerate() {
                    let square: f64 = (0..3).map(|o| shares[o] * DESIGN[o][k] * DESIGN[o][l]).sum();
                    information[row][column] += weight * (square - mean[k] * mean[l]);
                }
            }
        }
        let tie = (!self.has_ties).then_some(self.n_nodes);
        for place in std::iter::once(self.fixed).chain(tie) {
            gradient[place] = 0.0;
            for row in &mut information {
                row[place] = 0.0;
            }
            information[place].fill(0.0);
            information[place][place] = 1.0;
        }
        (gradient, information)
    }
}
