//! What a plot shows, before it is drawn: the same numbers go into the plot, the table and `data.json`.

use serde::Serialize;

use super::axis::Unit;

/// A number that a plot marks with a line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Reference {
    pub(super) value: f64,
    /// Empty where the axis says enough.
    pub(super) label: String,
}

/// Something over the steps.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Lines {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    /// What is on the upright axis.
    pub(super) quantity: &'static str,
    /// What a reader must know to read it.
    pub(super) caption: String,
    pub(super) unit: Unit,
    /// Where the axis of steps ends, the same for all plots of a run.
    pub(super) last_step: u64,
    pub(super) series: Vec<Series>,
    pub(super) references: Vec<Reference>,
}

/// One line of a plot.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Series {
    pub(super) name: &'static str,
    /// Step and value; of a long run, means over equal numbers of steps.
    pub(super) points: Vec<[f64; 2]>,
    /// The centred moving mean at the same steps; empty where points are few.
    pub(super) smooth: Vec<[f64; 2]>,
    /// Lower and upper end of the interval of each point; empty where none was computed.
    pub(super) interval: Vec<[f64; 2]>,
}

/// Means over groups of pairs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Groups {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) quantity: &'static str,
    pub(super) caption: String,
    pub(super) unit: Unit,
    pub(super) rows: Vec<Group>,
    pub(super) references: Vec<Reference>,
}

/// One group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Group {
    pub(super) label: String,
    pub(super) n: usize,
    pub(super) value: f64,
    pub(super) interval: Option<[f64; 2]>,
}
