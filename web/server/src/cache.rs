//! Bytes in memory up to a bound; what was used longest ago goes first.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use asap_core::Sha256;
use bytes::Bytes;
use sha2::Digest;

/// Bytes with their hash and type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// The bytes.
    pub bytes: Bytes,
    /// SHA-256 of the bytes.
    pub sha256: Sha256,
    /// Media type.
    pub mime: &'static str,
}

impl Blob {
    /// Hashes the bytes.
    pub fn new(bytes: impl Into<Bytes>, mime: &'static str) -> Self {
        let bytes = bytes.into();
        let sha256 = Sha256::from_bytes(sha2::Sha256::digest(&bytes).into());
        Self { bytes, sha256, mime }
    }
}

/// A map of at most `limit_bytes` of blobs.
#[derive(Debug)]
pub struct Cache<K> {
    limit_bytes: usize,
    entries: Mutex<Entries<K>>,
}

#[derive(Debug)]
struct Entries<K> {
    map: HashMap<K, Entry>,
    size_bytes: usize,
    clock: u64,
}

#[derive(Debug)]
struct Entry {
    blob: Arc<Blob>,
    used_at: u64,
}

impl<K: Copy + Eq + Hash + Ord> Cache<K> {
    /// An empty cache.
    pub fn new(limit_bytes: usize) -> Self {
        let entries = Entries {
            map: HashMap::new(),
            size_bytes: 0,
            clock: 0,
        };
        Self {
            limit_bytes,
            entries: Mutex::new(entries),
        }
    }

    /// What is kept under a key.
    pub fn get(&self, key: K) -> Option<Arc<Blob>> {
        let mut entries = self.lock();
        entries.clock += 1;
        let now = entries.clock;
        entries.map.get_mut(&key).map(|entry| {
            entry.used_at = now;
            Arc::clone(&entry.blob)
        })
    }

    /// Keeps a blob, unless it alone is larger than a quarter of the bound.
    pub fn put(&self, key: K, blob: Arc<Blob>) {
        if blob.bytes.len() > self.limit_bytes / 4 {
            return;
        }
        let mut entries = self.lock();
        entries.clock += 1;
        let entry = Entry {
            used_at: entries.clock,
            blob,
        };
        entries.size_bytes += entry.blob.bytes.len();
        if let Some(old) = entries.map.insert(key, entry) {
            entries.size_bytes -= old.blob.bytes.len();
        }
        while entries.size_bytes > self.limit_bytes {
            let Some(oldest) = entries
                .map
                .iter()
                .map(|(&key, entry)| (entry.used_at, key))
                .min()
                .map(|(_, key)| key)
            else {
                break;
            };
            if let Some(gone) = entries.map.remove(&oldest) {
                entries.size_bytes -= gone.blob.bytes.len();
            }
        }
    }

    /// Bytes that are kept.
    pub fn size_bytes(&self) -> usize {
        self.lock().size_bytes
    }

    /// A panic while the lock was held cannot leave the map half changed: every change is one insert or
    /// one remove with its subtraction.
    fn lock(&self) -> std::sync::MutexGuard<'_, Entries<K>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(n: usize) -> Arc<Blob> {
        Arc::new(Blob::new(vec![7; n], "image/png"))
    }

    #[test]
    fn the_bound_holds_and_the_oldest_goes() {
        let cache = Cache::new(100);
        for key in 0..4 {
            cache.put(key, blob(25));
        }
        assert!(cache.get(0).is_some());
        cache.put(4, blob(20));
        assert!(cache.get(1).is_none(), "1 was used longest ago");
        assert!(cache.get(0).is_some());
        assert_eq!(cache.size_bytes(), 95);
        cache.put(0, blob(5));
        assert_eq!(cache.size_bytes(), 75);
    }

    #[test]
    fn one_blob_cannot_push_out_all_others() {
        let cache = Cache::new(100);
        cache.put(1, blob(20));
        cache.put(2, blob(90));
        assert!(cache.get(1).is_some());
        assert!(cache.get(2).is_none());
    }
}
