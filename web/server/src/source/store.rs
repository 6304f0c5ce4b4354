//! Pairs of a dataset on disk.

use std::path::Path;

use asap_core::{Assessment, Pair, PairId, Positive, PositiveId};
use asap_store::Dataset;
use tokio::sync::RwLock;

use super::{Answer, Listing, Source, SourceError};

/// A dataset that is read by several requests at once and moves on when somebody has written to it.
pub struct Store {
    name: String,
    dataset: RwLock<Dataset>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Opens a dataset at its newest version.
    ///
    /// # Errors
    /// [`SourceError::Store`] where there is none, or it cannot be read.
    pub async fn open(path: &Path) -> Result<Self, SourceError> {
        let name = path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy()
            .into_owned();
        Ok(Self {
            name,
            dataset: RwLock::new(Dataset::open(path).await?),
        })
    }
}

/// What is not there is no failure of the store.
fn found<T>(answer: Result<T, asap_store::Error>) -> Result<Option<T>, SourceError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(asap_store::Error::Missing { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl Source for Store {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn refresh(&self) -> Answer<'_, u64> {
        Box::pin(async {
            let mut dataset = self.dataset.write().await;
            dataset.refresh().await?;
            Ok(dataset.version())
        })
    }

    fn listing(&self) -> Answer<'_, Listing> {
        Box::pin(async {
            let dataset = self.dataset.read().await;
            Ok(Listing {
                version: dataset.version(),
                rows: dataset.summaries().await?,
            })
        })
    }

    fn positive(&self, id: PositiveId) -> Answer<'_, Option<Positive>> {
        Box::pin(async move { found(self.dataset.read().await.positive(id).await) })
    }

    fn pair(&self, id: PairId) -> Answer<'_, Option<Pair>> {
        Box::pin(async move { found(self.dataset.read().await.pair(id).await) })
    }

    fn assessment(&self, id: PairId) -> Answer<'_, Option<Assessment>> {
        Box::pin(async move { Ok(found(self.dataset.read().await.assessment(id).await)?.flatten()) })
    }
}
