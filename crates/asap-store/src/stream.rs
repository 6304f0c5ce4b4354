//! Reading many records with a bounded number in memory.

use crate::{Dataset, Filter, Record, Result};

/// Records in storage order, a batch at a time; made by [`Dataset::stream`].
///
/// ```no_run
/// # async fn sum(dataset: &asap_store::Dataset) -> asap_store::Result<()> {
/// let mut records = dataset.stream(&asap_store::Filter::kept(), 32).await?;
/// while let Some(batch) = records.next_batch().await? {
///     println!("{} records", batch.len());
/// }
/// # Ok(())
/// # }
/// ```
pub struct Records<'a> {
    dataset: &'a Dataset,
    rows: Vec<u64>,
    next: usize,
    batch_size: usize,
}

impl Dataset {
    /// Streams the records that a filter lets through.
    ///
    /// The filter is decided on the narrow columns, so no image of another pair is read. At most
    /// `batch_size` records (at least 1) are in memory, beside eight bytes a matching pair.
    ///
    /// # Errors
    /// [`Error::Table`](crate::Error::Table).
    pub async fn stream(&self, filter: &Filter, batch_size: usize) -> Result<Records<'_>> {
        let rows = self.matching_rows(filter).await?;
        Ok(Records {
            dataset: self,
            rows,
            next: 0,
            batch_size: batch_size.max(1),
        })
    }

    /// The rows of the pairs that a filter lets through, in storage order; see
    /// [`Dataset::records_at`].
    ///
    /// # Errors
    /// [`Error::Table`](crate::Error::Table).
    pub async fn matching_rows(&self, filter: &Filter) -> Result<Vec<u64>> {
        if filter.is_empty() {
            return Ok((0..self.count_rows()).collect());
        }
        let index = self.index().await?;
        let summaries = self.summaries().await?;
        let matching = summaries.iter().filter(|summary| filter.matches(summary));
        let mut rows: Vec<u64> = matching
            .filter_map(|summary| index.pairs.get(&summary.id).copied())
            .collect();
        rows.sort_unstable();
        Ok(rows)
    }
}

impl Records<'_> {
    /// The number of records that the filter let through.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether the filter let none through.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The next records, at most `batch_size`; `None` after the last.
    ///
    /// # Errors
    /// Those of [`Dataset::records_at`].
    pub async fn next_batch(&mut self) -> Result<Option<Vec<Record>>> {
        let end = (self.next + self.batch_size).min(self.rows.len());
        if self.next == end {
            return Ok(None);
        }
        let batch = self.dataset.records_at(&self.rows[self.next..end]).await?;
        self.next = end;
        Ok(Some(batch))
    }
}
