//! The rows of a dataset in memory, by column: filters, counts, orders and histograms in milliseconds.

mod columns;
mod select;

use std::collections::HashMap;

use asap_app::filter::Measure;
use asap_app::query::{Order, SortKey};
use asap_core::{PairId, PairSummary};

use columns::Columns;

pub use select::Selection;

/// Bins of every histogram.
pub const N_BINS: usize = 40;

/// All rows, with what is needed to narrow and order them.
#[derive(Debug)]
pub struct Index {
    rows: Vec<PairSummary>,
    columns: Columns,
    /// For each sort key and each direction the rows in that order.
    orders: Vec<[Vec<u32>; 2]>,
    by_id: HashMap<PairId, u32>,
    /// The axis of each measure's histogram.
    axes: [(f64, f64); 2],
}

impl Index {
    /// Reads the rows once.
    pub fn new(rows: Vec<PairSummary>) -> Self {
        let columns = Columns::new(&rows);
        let by_id = rows.iter().zip(0..).map(|(row, idx)| (row.id, idx)).collect();
        let orders = SortKey::ALL.map(|key| orders(&rows, key)).into();
        let axes = Measure::ALL.map(|measure| axis(columns.measure(measure), measure.paper_mean()));
        Self {
            rows,
            columns,
            orders,
            by_id,
            axes,
        }
    }

    /// All rows.
    pub fn rows(&self) -> &[PairSummary] {
        &self.rows
    }

    /// The row of a pair.
    pub fn row(&self, id: PairId) -> Option<&PairSummary> {
        self.by_id.get(&id).map(|&idx| &self.rows[idx as usize])
    }

    fn order(&self, key: SortKey, order: Order) -> &[u32] {
        let key_idx = SortKey::ALL.iter().position(|&other| other == key).unwrap_or(0);
        &self.orders[key_idx][usize::from(order == Order::Descending)]
    }

    pub(crate) const fn axis(&self, measure: Measure) -> (f64, f64) {
        self.axes[measure as usize]
    }
}

/// Ascending and descending order; rows without a value come last in both, ties in the order of ids.
fn orders(rows: &[PairSummary], key: SortKey) -> [Vec<u32>; 2] {
    let value = |row: &PairSummary| match key {
        SortKey::Source => None,
        SortKey::SsimInside => columns::finite(row.ssim_inside),
        SortKey::SsimOutside => columns::finite(row.ssim_outside),
        SortKey::MaskShare => columns::finite(row.mask_share),
    };
    [Order::Ascending, Order::Descending].map(|order| {
        let mut sorted: Vec<u32> = (0..rows.len() as u32).collect();
        sorted.sort_by(|&a, &b| {
            let (a, b) = (&rows[a as usize], &rows[b as usize]);
            let turn = |ordering: std::cmp::Ordering| match order {
                Order::Ascending => ordering,
                Order::Descending => ordering.reverse(),
            };
            let by_key = match (value(a), value(b)) {
                (Some(x), Some(y)) => turn(x.total_cmp(&y)),
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (None, None) if key == SortKey::Source => turn(a.source_name.cmp(&b.source_name)),
                (None, None) => std::cmp::Ordering::Equal,
            };
            by_key.then_with(|| a.id.cmp(&b.id))
        });
        sorted
    })
}

/// From a twentieth below the smallest value (or the paper's mean) to one above the largest.
fn axis(values: &[f64], paper_mean: f64) -> (f64, f64) {
    let known = values.iter().copied().filter(|value| !value.is_nan());
    let (low, high) = known.fold((paper_mean, paper_mean), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    (
        (low * 20.0).floor() / 20.0,
        (high * 20.0).ceil().max((low * 20.0).floor() + 1.0) / 20.0,
    )
}
