//! Killed writers, two writers, newer schemas, torn files, folders that cannot be written, full disks.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use asap_core::Stream;
use asap_store::{Dataset, Error};

use crate::fixture::{group, pair, positive};

/// Set in a child process: the dataset that it appends to until it is killed.
const CHILD_DATASET: &str = "ASAP_STORE_TEST_APPEND_TO";
/// Groups that the child appends in all.
const N_GROUPS: u64 = 60;

/// Not a test of its own: what the child process of other tests runs.
#[tokio::test]
async fn child_appends_until_it_is_killed() {
    let Ok(path) = std::env::var(CHILD_DATASET) else {
        return;
    };
    let mut dataset = Dataset::open_or_create(&path).await.unwrap();
    for number in 0..N_GROUPS {
        dataset.append(vec![group(number, 3)]).await.unwrap();
    }
}

fn spawn_appender(path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "disasters::child_appends_until_it_is_killed",
            "--test-threads=1",
        ])
        .env(CHILD_DATASET, path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn n_versions(path: &Path) -> usize {
    fs_err::read_dir(path.join("versions")).map_or(0, |names| names.count())
}

async fn assert_whole(dataset: &Dataset) {
    let rows = dataset.row_counts();
    assert_eq!(rows.pairs, rows.positives * 3, "a group was half written");
    assert_eq!(rows.assessments, rows.pairs);
    for number in 0..rows.positives {
        let expected = group(number, 3);
        assert_eq!(
            dataset.positive(expected.positive.id).await.unwrap(),
            expected.positive
        );
        for (pair, assessment) in expected.pairs.iter().zip(&expected.assessments) {
            assert_eq!(&dataset.pair(pair.id).await.unwrap(), pair);
            assert_eq!(
                dataset.assessment(pair.id).await.unwrap().as_ref(),
                Some(assessment)
            );
        }
    }
}

#[tokio::test]
async fn a_killed_writer_leaves_whole_rows_and_the_next_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hap.lance");
    let mut stream = Stream::new(11, "kill times");
    let mut n_seen = 0;
    for round in 0..6 {
        let before = n_versions(&path);
        let mut child = spawn_appender(&path);
        // The first one is killed wherever it is; the others after they have written something.
        while round > 0 && n_versions(&path) == before && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(2));
        }
        std::thread::sleep(Duration::from_millis(stream.below(250) as u64));
        // SIGKILL on Unix.
        child.kill().unwrap();
        child.wait().unwrap();
        match Dataset::open(&path).await {
            Ok(dataset) => {
                assert!(dataset.row_counts().positives >= n_seen, "rows were lost");
                n_seen = dataset.row_counts().positives;
                assert_whole(&dataset).await;
            }
            // Killed before it was made: the next child makes it.
            Err(Error::NotADataset { .. }) => assert_eq!(round, 0),
            Err(error) => panic!("{error}"),
        }
    }
    assert!(
        0 < n_seen && n_seen < N_GROUPS,
        "no writer was killed at work: {n_seen} groups"
    );
    let status = spawn_appender(&path).wait().unwrap();
    assert!(status.success());
    let dataset = Dataset::open(&path).await.unwrap();
    assert_eq!(dataset.row_counts().positives, N_GROUPS);
    assert_whole(&dataset).await;
    assert_eq!(dataset.summaries().await.unwrap().len() as u64, N_GROUPS * 3);
}

#[tokio::test]
async fn what_was_never_made_visible_is_written_again_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hap.lance");
    let mut dataset = Dataset::create(&path).await.unwrap();
    dataset.append(vec![group(1, 2)]).await.unwrap();
    dataset.append(vec![group(2, 2)]).await.unwrap();
    drop(dataset);
    // As after a kill between the commits of the tables and the entry of the log.
    fs_err::remove_file(path.join("versions/0000000003.json")).unwrap();
    let mut dataset = Dataset::open(&path).await.unwrap();
    assert_eq!(dataset.count_rows(), 2);
    assert!(dataset.pair(pair(&positive(2), 0).id).await.is_err());
    dataset.append(vec![group(2, 2), group(3, 1)]).await.unwrap();
    let dataset = Dataset::open(&path).await.unwrap();
    assert_eq!((dataset.version(), dataset.count_rows()), (3, 5));
    assert_eq!(dataset.summaries().await.unwrap().len(), 5);
    for group in [group(1, 2), group(2, 2), group(3, 1)] {
        for pair in &group.pairs {
            assert_eq!(&dataset.pair(pair.id).await.unwrap(), pair);
        }
    }
}

#[tokio::test]
async fn a_second_writer_is_told_to_wait_and_readers_are_not_blocked() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hap.lance");
    let mut first = Dataset::create(&path).await.unwrap();
    first.append(vec![group(1, 1)]).await.unwrap();
    let mut second = Dataset::open(&path).await.unwrap();
    let error = second.append(vec![group(2, 1)]).await.unwrap_err();
    let expected = format!(
        "`{}` is being written by process {}: wait until it has finished, or write to another dataset",
        path.display(),
        std::process::id()
    );
    assert_eq!(error.to_string(), expected);
    assert_eq!(second.summaries().await.unwrap().len(), 1);
    first.append(vec![group(3, 1)]).await.unwrap();
    drop(first);
    // The second writer goes on from what the first one wrote.
    second.append(vec![group(2, 1)]).await.unwrap();
    assert_eq!(second.count_rows(), 3);
    let mut reader = Dataset::open_at(&path, 2).await.unwrap();
    assert_eq!(reader.count_rows(), 1);
    assert!(reader.refresh().await.unwrap());
    assert_eq!(reader.count_rows(), 3);
}

#[tokio::test]
async fn a_newer_schema_is_refused_with_the_way_out() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hap.lance");
    drop(Dataset::create(&path).await.unwrap());
    let entry = path.join("versions/0000000001.json");
    let text = fs_err::read_to_string(&entry).unwrap();
    fs_err::write(
        &entry,
        text.replace("\"schema\": 1", "\"schema\": 7, \"unknown\": []"),
    )
    .unwrap();
    let error = Dataset::open(&path).await.err().unwrap().to_string();
    let expected =
        "` has schema version 7, this program knows versions up to 1: get a newer `asap`".to_owned();
    assert!(error.ends_with(&expected), "{error}");
}

#[tokio::test]
async fn what_is_not_a_dataset_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let cases = [
        ("absent", "there is no such folder"),
        ("empty", "it has no finished version"),
        ("file", "it is not a folder"),
    ];
    fs_err::create_dir(dir.path().join("empty")).unwrap();
    fs_err::write(dir.path().join("file"), "x").unwrap();
    for (name, expected) in cases {
        let path = dir.path().join(name);
        let error = Dataset::open(&path).await.err().unwrap().to_string();
        assert_eq!(
            error,
            format!("`{}` is not a HAP dataset: {expected}", path.display())
        );
    }
    let other = dir.path().join("other");
    fs_err::create_dir(&other).unwrap();
    fs_err::write(other.join("thesis.txt"), "x").unwrap();
    let error = Dataset::open_or_create(&other).await.err().unwrap();
    assert!(matches!(error, Error::Exists { .. }), "{error}");
}

/// The first file below a folder with that extension.
fn find(folder: &Path, extension: &str) -> std::path::PathBuf {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                return path;
            }
        }
    }
    panic!("no *.{extension} in `{}`", folder.display());
}

#[tokio::test]
async fn a_torn_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hap.lance");
    let mut dataset = Dataset::create(&path).await.unwrap();
    dataset.append(vec![group(1, 2)]).await.unwrap();
    drop(dataset);
    let data = find(&path.join("pairs.lance/data"), "lance");
    let whole = fs_err::read(&data).unwrap();
    fs_err::write(&data, &whole[..whole.len() / 2]).unwrap();
    let error = Dataset::open(&path).await.err().unwrap().to_string();
    let expected = format!(
        "`{}` is damaged: it has {} bytes, expected {}; restore it from a copy",
        data.display(),
        whole.len() / 2,
        whole.len()
    );
    assert_eq!(error, expected);
    fs_err::remove_file(&data).unwrap();
    let error = Dataset::open(&path).await.err().unwrap().to_string();
    assert!(
        error.contains("the file is missing") && error.contains(data.to_str().unwrap()),
        "{error}"
    );
    fs_err::write(&data, &whole).unwrap();
    assert_eq!(
        Dataset::open(&path)
            .await
            .unwrap()
            .summaries()
            .await
            .unwrap()
            .len(),
        2
    );
    let entry = path.join("versions/0000000002.json");
    fs_err::write(&entry, "{\"format\":").unwrap();
    let error = Dataset::open(&path).await.err().unwrap().to_string();
    assert!(
        error.starts_with(&format!("`{}` is damaged", entry.display())),
        "{error}"
    );
}

/// A tmpfs of the given size, unmounted on drop; `None`, with a line that says so, where that needs rights.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(test: &str, size: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let options = format!("size={size}");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(dir.path())
            .output();
        match mount {
            Ok(output) if output.status.success() => Some(Self(dir)),
            _ => {
                println!("skipped {test}: mounting a small tmpfs needs the right to mount");
                None
            }
        }
    }

    fn remount(&self, option: &str) {
        let status = Command::new("mount")
            .args(["-o", &format!("remount,{option}")])
            .arg(self.0.path())
            .status();
        assert!(status.unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[tokio::test]
async fn a_full_disk_loses_nothing_that_was_written() {
    let Some(disk) = SmallDisk::mount("a_full_disk_loses_nothing_that_was_written", "600k") else {
        return;
    };
    let path = disk.0.path().join("hap.lance");
    let mut dataset = Dataset::create(&path).await.unwrap();
    let mut number = 0;
    let error = loop {
        match dataset.append(vec![group(number, 3)]).await {
            Ok(_) => number += 1,
            Err(error) => break error,
        }
        assert!(number < 500, "the disk never filled");
    };
    assert!(number > 0, "nothing was written before the disk was full");
    assert!(matches!(error, Error::DiskFull { .. }), "{error:?}");
    assert!(
        error.to_string().starts_with("no space left on the disk of `"),
        "{error}"
    );
    assert_eq!(dataset.row_counts().positives, number);
    assert_whole(&dataset).await;
    drop(dataset);
    let mut dataset = Dataset::open(&path).await.unwrap();
    assert_eq!(dataset.row_counts().positives, number);
    assert_whole(&dataset).await;
    // With room again the same append goes through.
    disk.remount("size=4m");
    dataset.append(vec![group(number, 3)]).await.unwrap();
    assert_whole(&dataset).await;
}

#[tokio::test]
async fn a_read_only_folder_is_read_and_refuses_writes() {
    let Some(disk) = SmallDisk::mount("a_read_only_folder_is_read_and_refuses_writes", "4m") else {
        return;
    };
    let path = disk.0.path().join("hap.lance");
    let mut dataset = Dataset::create(&path).await.unwrap();
    dataset.append(vec![group(0, 3)]).await.unwrap();
    drop(dataset);
    disk.remount("ro");
    let mut dataset = Dataset::open(&path).await.unwrap();
    assert_whole(&dataset).await;
    let error = dataset.append(vec![group(1, 1)]).await.unwrap_err();
    assert!(matches!(error, Error::NotWritable { .. }), "{error:?}");
    let error = Dataset::create(disk.0.path().join("new.lance"))
        .await
        .err()
        .unwrap();
    assert!(matches!(error, Error::NotWritable { .. }), "{error:?}");
    disk.remount("rw");
}
