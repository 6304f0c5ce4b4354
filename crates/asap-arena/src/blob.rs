//! Blobs: bytes under their own SHA-256, in a folder or whatever else has the interface of an object store.
//!
//! The name of a blob is made of its content alone, so nothing that a client calls a file ever reaches the disk, two
//! equal images are stored once, and a blob that was changed is found when it is read. A folder is written to under
//! a temporary name, flushed and renamed: after a crash a blob is whole or absent.

use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload};
use sha2::Digest as _;

use asap_core::Sha256;

/// Why a blob could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The folder cannot be used.
    #[error("the folder of blobs `{path}` cannot be used")]
    Folder {
        /// The folder.
        path: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The store did not do what was asked.
    #[error("blob `{sha256}` could not be {doing}")]
    Store {
        /// Which one.
        sha256: Sha256,
        /// `stored` or `read`.
        doing: &'static str,
        /// Why not.
        #[source]
        source: object_store::Error,
    },
    /// The store itself could not be opened.
    #[error("the store of blobs could not be opened")]
    Open(#[source] object_store::Error),
    /// It is not there.
    #[error("blob `{sha256}` is missing: expected it in the store, restore it from a backup")]
    Missing {
        /// Which one.
        sha256: Sha256,
    },
    /// The bytes are not those that were stored.
    #[error("blob `{expected}` was changed: its bytes have SHA-256 `{got}`, restore it from a backup")]
    Changed {
        /// The name.
        expected: Sha256,
        /// The hash of what is there.
        got: Sha256,
    },
}

/// A store of blobs; cheap to clone.
#[derive(Clone, Debug)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
}

/// SHA-256 of bytes.
pub fn sha256(bytes: &[u8]) -> Sha256 {
    Sha256::from_bytes(sha2::Sha256::digest(bytes).into())
}

impl Blobs {
    /// The store in a folder, which is made where it is not there.
    ///
    /// # Errors
    /// [`BlobError::Folder`], [`BlobError::Open`].
    pub fn open(folder: &FilePath) -> Result<Self, BlobError> {
        fs_err::create_dir_all(folder).map_err(|source| BlobError::Folder {
            path: folder.display().to_string(),
            source,
        })?;
        let store = LocalFileSystem::new_with_prefix(folder)
            .map_err(BlobError::Open)?
            .with_fsync(true);
        Ok(Self {
            store: Arc::new(store),
        })
    }

    /// Stores bytes and names them. Bytes that are there already are written again: that mends a broken blob.
    ///
    /// # Errors
    /// [`BlobError::Store`].
    pub async fn put(&self, bytes: Bytes) -> Result<Sha256, BlobError> {
        let name = sha256(&bytes);
        self.store
            .put(&place(name), PutPayload::from_bytes(bytes))
            .await
            .map_err(|source| BlobError::Store {
                sha256: name,
                doing: "stored",
                source,
            })?;
        Ok(name)
    }

    /// Reads a blob and compares it with its name.
    ///
    /// # Errors
    /// [`BlobError::Missing`], [`BlobError::Changed`], [`BlobError::Store`].
    pub async fn get(&self, name: Sha256) -> Result<Bytes, BlobError> {
        let failed = |source| match source {
            object_store::Error::NotFound { .. } => BlobError::Missing { sha256: name },
            source => BlobError::Store {
                sha256: name,
                doing: "read",
                source,
            },
        };
        let found = self.store.get(&place(name)).await.map_err(failed)?;
        let bytes = found.bytes().await.map_err(failed)?;
        let got = sha256(&bytes);
        match got == name {
            true => Ok(bytes),
            false => Err(BlobError::Changed { expected: name, got }),
        }
    }
}

/// `ab/abcd…`: a folder with a million files is slow on some disks.
fn place(name: Sha256) -> Path {
    let digits = name.to_string();
    Path::from_iter([&digits[..2], &digits])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Blobs) {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path()).unwrap();
        (folder, blobs)
    }

    #[tokio::test]
    async fn bytes_come_back_under_the_hash_that_others_compute() {
        let (folder, blobs) = store();
        let name = blobs.put(Bytes::from_static(b"abc")).await.unwrap();
        // FIPS 180-2, appendix B.1.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(name.to_string(), expected);
        assert_eq!(blobs.get(name).await.unwrap().as_ref(), b"abc");
        assert!(folder.path().join("ba").join(expected).is_file());
        blobs.put(Bytes::from_static(b"abc")).await.unwrap();
        assert_eq!(std::fs::read_dir(folder.path().join("ba")).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn a_torn_blob_is_told_and_mended_by_storing_it_again() {
        let (folder, blobs) = store();
        let name = blobs.put(Bytes::from_static(b"abc")).await.unwrap();
        let file = folder.path().join("ba").join(name.to_string());
        std::fs::write(&file, b"ab").unwrap();
        let changed = blobs.get(name).await.unwrap_err().to_string();
        assert!(changed.contains(&sha256(b"ab").to_string()), "{changed}");
        blobs.put(Bytes::from_static(b"abc")).await.unwrap();
        blobs.get(name).await.unwrap();
        std::fs::remove_file(&file).unwrap();
        assert!(matches!(blobs.get(name).await, Err(BlobError::Missing { .. })));
    }

    #[tokio::test]
    async fn a_disk_that_takes_nothing_is_an_error_and_leaves_no_blob() {
        let (folder, blobs) = store();
        // What should be the blob's folder is a file, so nothing can be made in it.
        std::fs::write(folder.path().join("ba"), b"").unwrap();
        let refused = blobs.put(Bytes::from_static(b"abc")).await;
        assert!(matches!(refused, Err(BlobError::Store { doing: "stored", .. })));
        assert!(blobs.get(sha256(b"abc")).await.is_err());
    }
}
