//! What requests share: the source, the index of its newest version, caches, the client's files.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use asap_app::model::DatasetModel;
use tokio::sync::{Mutex, Semaphore};

use crate::assets::Client;
use crate::cache::Cache;
use crate::derived::ImageKey;
use crate::index::Index;
use crate::source::{Listing, Source, SourceError};

/// Thumbnails: about eight thousand of them.
const THUMB_CACHE_BYTES: usize = 96 << 20;
/// Full images and what is derived from them: about a hundred pairs.
const IMAGE_CACHE_BYTES: usize = 256 << 20;
/// How often at most a request looks for a newer version.
const REFRESH_EVERY: Duration = Duration::from_secs(3);

/// Everything that requests share; cheap to clone.
#[derive(Clone)]
pub struct State {
    pub(crate) source: Arc<dyn Source>,
    pub(crate) client: Option<Arc<Client>>,
    pub(crate) thumbs: Arc<Cache<ImageKey>>,
    pub(crate) images: Arc<Cache<ImageKey>>,
    /// Bounds how many images are decoded at once.
    pub(crate) decoders: Arc<Semaphore>,
    snapshot: Arc<RwLock<Arc<Snapshot>>>,
    checked_at: Arc<Mutex<Instant>>,
}

/// One version of the dataset.
pub(crate) struct Snapshot {
    pub(crate) version: u64,
    pub(crate) index: Index,
    pub(crate) overview: OnceLock<DatasetModel>,
}

impl Snapshot {
    fn new(listing: Listing) -> Arc<Self> {
        let index = Index::new(listing.rows);
        Arc::new(Self {
            version: listing.version,
            index,
            overview: OnceLock::new(),
        })
    }
}

impl State {
    /// Reads the rows of a source.
    ///
    /// # Errors
    /// [`SourceError`] where they cannot be read.
    pub async fn new(source: Arc<dyn Source>, client: Option<Client>) -> Result<Self, SourceError> {
        let snapshot = Snapshot::new(source.listing().await?);
        let n_decoders = std::thread::available_parallelism().map_or(2, usize::from);
        Ok(Self {
            source,
            client: client.map(Arc::new),
            thumbs: Arc::new(Cache::new(THUMB_CACHE_BYTES)),
            images: Arc::new(Cache::new(IMAGE_CACHE_BYTES)),
            decoders: Arc::new(Semaphore::new(n_decoders)),
            snapshot: Arc::new(RwLock::new(snapshot)),
            checked_at: Arc::new(Mutex::new(Instant::now())),
        })
    }

    /// The newest version that is known, after a look for a newer one if the last look was a while ago.
    ///
    /// A source that cannot be read just now leaves the version that is known: pages go on working.
    pub(crate) async fn snapshot(&self) -> Arc<Snapshot> {
        // Whoever holds the lock is looking already; the others go on with what is known.
        if let Ok(mut checked_at) = self.checked_at.try_lock()
            && checked_at.elapsed() >= REFRESH_EVERY
        {
            *checked_at = Instant::now();
            self.look_for_newer().await;
        }
        self.known()
    }

    /// Looks for a newer version now.
    pub async fn look_for_newer(&self) {
        let known = self.known().version;
        let newer = async {
            if self.source.refresh().await? == known {
                return Ok(None);
            }
            self.source.listing().await.map(Some)
        };
        match newer.await {
            Ok(None) => {}
            Ok(Some(listing)) => {
                tracing::info!(
                    version = listing.version,
                    rows = listing.rows.len(),
                    "the dataset has a newer version"
                );
                *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = Snapshot::new(listing);
            }
            Err(error) => {
                let error: SourceError = error;
                tracing::warn!(error = %error, "cannot look for a newer version of the dataset");
            }
        }
    }

    fn known(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }
}
