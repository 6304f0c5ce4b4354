//! Where each id stands: built from one narrow scan when it is first needed, kept up to date by appends.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use arrow::array::RecordBatch;
use asap_core::{PairId, PositiveId};

use crate::Result;
use crate::columns::Rows;
use crate::rows;
use crate::tables::{Table, Tables};

/// Row numbers by id, and the slots that are built.
#[derive(Clone, Default)]
pub(crate) struct Index {
    pub(crate) positives: BTreeMap<PositiveId, u64>,
    pub(crate) pairs: BTreeMap<PairId, u64>,
    pub(crate) assessments: BTreeMap<PairId, u64>,
    pub(crate) slots: BTreeSet<(PositiveId, u64)>,
}

impl Index {
    /// Reads the ids of all tables.
    pub(crate) async fn load(tables: &Tables) -> Result<Self> {
        let mut index = Self {
            positives: ids(&tables.positives, "positive_id").await?,
            assessments: ids(&tables.assessments, "pair_id").await?,
            ..Self::default()
        };
        let mut next = 0;
        let columns = ["pair_id", "positive_id", "seed"];
        tables
            .pairs
            .scan(&columns, |batch| {
                let rows = Rows::of_batch("pairs", batch);
                for row in 0..batch.num_rows() {
                    index.pairs.insert(rows.id("pair_id", row)?, next);
                    index
                        .slots
                        .insert((rows.id("positive_id", row)?, rows::large(&rows, "seed", row)?));
                    next += 1;
                }
                Ok(())
            })
            .await?;
        Ok(index)
    }
}

async fn ids<T: FromStr + Ord>(table: &Table, column: &str) -> Result<BTreeMap<T, u64>> {
    let mut ids = BTreeMap::new();
    let mut next = 0;
    let each = |batch: &RecordBatch| {
        let rows = Rows::of_batch(table.kind.name(), batch);
        for row in 0..batch.num_rows() {
            ids.insert(rows.id(column, row)?, next);
            next += 1;
        }
        Ok(())
    };
    table.scan(&[column], each).await?;
    Ok(ids)
}
