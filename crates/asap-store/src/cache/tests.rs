//! What a cache keeps, shares and refuses.

use std::path::{Path, PathBuf};

use asap_core::Sha256;

use super::{ReferenceCache, ReferenceErrors};
use crate::lock::WriterLock;
use crate::{Error, sha256};

fn key(number: u32) -> Sha256 {
    sha256(&number.to_le_bytes())
}

/// Numbers whose last bits count.
fn errors(number: u32) -> ReferenceErrors {
    let n = f64::from(number) + 1.0;
    ReferenceErrors {
        preferred: [1.0 / n, 0.1 / n, 1e-300 / n],
        rejected: [n.sqrt(), n.ln(), f64::MIN_POSITIVE],
    }
}

fn draws(numbers: std::ops::Range<u32>) -> Vec<(Sha256, ReferenceErrors)> {
    numbers.map(|number| (key(number), errors(number))).collect()
}

async fn told(path: &Path) -> String {
    match ReferenceCache::open(path).await {
        Ok(cache) => panic!("it opened with {} draws", cache.len()),
        Err(error) => error.to_string(),
    }
}

fn data_files(root: &Path) -> Vec<PathBuf> {
    let names = fs_err::read_dir(root.join("reference.lance/data")).unwrap();
    let mut files: Vec<PathBuf> = names.map(|name| name.unwrap().path()).collect();
    files.sort_unstable();
    files
}

#[tokio::test]
async fn draws_come_back_in_every_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.cache");
    let mut cache = ReferenceCache::open(&path).await.unwrap();
    assert!(cache.is_empty());
    assert_eq!(cache.append(&draws(0..5)).await.unwrap(), 5);
    assert_eq!(cache.append(&draws(3..9)).await.unwrap(), 4);
    assert_eq!(cache.append(&draws(0..9)).await.unwrap(), 0);
    let again = ReferenceCache::open(&path).await.unwrap();
    for cache in [&cache, &again] {
        assert_eq!(cache.len(), 9);
        for number in 0..9 {
            let found = cache.get(&key(number)).unwrap();
            assert_eq!(
                found.numbers().map(f64::to_bits),
                errors(number).numbers().map(f64::to_bits)
            );
        }
        assert_eq!(cache.get(&key(9)), None);
    }
    // The first numbers stay.
    assert_eq!(cache.append(&[(key(0), errors(1))]).await.unwrap(), 0);
    assert_eq!(cache.get(&key(0)), Some(errors(0)));
}

#[tokio::test]
async fn two_writers_add_to_one_cache() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.cache");
    let mut first = ReferenceCache::open(&path).await.unwrap();
    let mut second = ReferenceCache::open(&path).await.unwrap();
    assert_eq!(first.append(&draws(0..4)).await.unwrap(), 4);
    assert_eq!(second.append(&draws(2..6)).await.unwrap(), 2);
    assert_eq!(first.get(&key(5)), None);
    assert_eq!(first.append(&draws(5..7)).await.unwrap(), 1);
    assert_eq!(first.len(), 7);

    // An append waits for the writer before it.
    let lock = WriterLock::take(&path).unwrap();
    let waiting = tokio::spawn(async move { second.append(&draws(7..8)).await });
    tokio::time::sleep(super::PAUSE * 3).await;
    assert!(!waiting.is_finished());
    drop(lock);
    assert_eq!(waiting.await.unwrap().unwrap(), 1);
}

#[tokio::test]
async fn numbers_that_are_none_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = ReferenceCache::open(&folder.path().join("a.cache"))
        .await
        .unwrap();
    let mut bad = draws(0..2);
    bad[1].1.rejected[0] = f64::NAN;
    let told = cache.append(&bad).await.unwrap_err().to_string();
    assert!(told.contains("expected finite numbers"), "{told}");
    assert!(cache.is_empty());
}

#[tokio::test]
async fn a_torn_or_foreign_folder_is_refused_with_what_to_delete() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.cache");
    let mut cache = ReferenceCache::open(&path).await.unwrap();
    cache.append(&draws(0..200)).await.unwrap();
    let file = data_files(&path).pop().unwrap();
    let whole = fs_err::read(&file).unwrap();

    fs_err::write(&file, &whole[..whole.len() / 2]).unwrap();
    let torn = told(&path).await;
    assert!(torn.contains("bytes, expected"), "{torn}");
    assert!(
        torn.contains("delete that folder, and it is filled anew"),
        "{torn}"
    );

    // One bit of a number: the file has its size, and Lance reads it.
    let number = errors(7).rejected[0].to_le_bytes();
    let at = whole.windows(8).position(|bytes| bytes == number).unwrap();
    let mut flipped = whole.clone();
    flipped[at] ^= 1;
    fs_err::write(&file, &flipped).unwrap();
    let bits = told(&path).await;
    assert!(bits.contains("the checksum of draw"), "{bits}");

    fs_err::remove_file(&file).unwrap();
    assert!(told(&path).await.contains("the file is missing"));
    fs_err::write(&file, &whole).unwrap();
    assert_eq!(ReferenceCache::open(&path).await.unwrap().len(), 200);

    let foreign = folder.path().join("photos");
    fs_err::create_dir(&foreign).unwrap();
    fs_err::write(foreign.join("a.jpg"), b"x").unwrap();
    let told = told(&foreign).await;
    assert!(told.contains("it holds `a.jpg`"), "{told}");
    assert_eq!(fs_err::read_dir(&foreign).unwrap().count(), 1);
}

#[tokio::test]
async fn a_beginning_that_was_interrupted_is_begun_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.cache");
    fs_err::create_dir_all(path.join("reference.lance/data")).unwrap();
    fs_err::write(path.join("reference.lance/data/left.lance"), b"half").unwrap();
    assert!(ReferenceCache::open(&path).await.unwrap().is_empty());
    // A commit that never came to its name is not seen.
    let mut cache = ReferenceCache::open(&path).await.unwrap();
    cache.append(&draws(0..3)).await.unwrap();
    fs_err::write(path.join("reference.lance/data/left.lance"), b"half").unwrap();
    assert_eq!(ReferenceCache::open(&path).await.unwrap().len(), 3);
    assert!(matches!(
        ReferenceCache::open(&path.join("writer.lock")).await,
        Err(Error::Io { .. } | Error::Cache { .. })
    ));
}
