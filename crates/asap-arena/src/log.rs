//! The log: append-only, each entry chained to the one before by its hash.
//!
//! An entry's hash covers its number, time, kind, body and the hash before it, so nobody can change, remove or insert an
//! entry without changing every later hash. Whoever wrote down a head ([`Log::head`]) can tell later whether the log
//! still leads to it.

use futures::TryStreamExt as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sqlx::Row as _;

use crate::db::{Database, Tx};
use crate::error::{Doing as _, Error, Result};
use crate::random::hex;
use crate::time::UnixMs;

/// What one entry is about; its body is one line of JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEntry {
    /// A word such as `vote`.
    pub kind: &'static str,
    /// JSON, kept as it is written here.
    pub body: String,
}

impl NewEntry {
    /// An entry whose body is `record` as JSON.
    ///
    /// # Errors
    /// [`Error::Json`] where the record does not become JSON.
    pub fn of(kind: &'static str, record: &impl Serialize) -> Result<Self> {
        let body = serde_json::to_string(record).map_err(|source| Error::Json { what: kind, source })?;
        Ok(Self { kind, body })
    }
}

/// A stored entry, as it is exported: one line of JSON each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// 1 for the first, without gaps.
    pub seq: u64,
    /// When it was stored.
    pub at: UnixMs,
    /// What it is about.
    pub kind: String,
    /// JSON, as it was hashed.
    pub body: String,
    /// The hash of the entry before; empty for the first.
    pub previous: String,
    /// SHA-256 over all of the above.
    pub hash: String,
}

impl Entry {
    fn after(head: &Head, at: UnixMs, new: &NewEntry) -> Self {
        let mut entry = Self {
            seq: head.seq + 1,
            at,
            kind: new.kind.to_owned(),
            body: new.body.clone(),
            previous: head.hash.clone(),
            hash: String::new(),
        };
        entry.hash = entry.computed_hash();
        entry
    }

    /// The hash that the other fields have. Each is preceded by its length, so no two entries run together.
    pub fn computed_hash(&self) -> String {
        let mut hasher = Sha256::new_with_prefix("asap log v1");
        let (seq, at) = (self.seq.to_string(), self.at.0.to_string());
        for field in [&seq, &at, &self.kind, &self.body, &self.previous] {
            hasher.update((field.len() as u64).to_le_bytes());
            hasher.update(field);
        }
        hex(&hasher.finalize())
    }
}

/// The end of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// How many entries there are.
    pub seq: u64,
    /// The hash of the last; empty without any.
    pub hash: String,
}

impl Head {
    /// Before the first entry.
    pub const fn start() -> Self {
        Self {
            seq: 0,
            hash: String::new(),
        }
    }
}

/// Where a log is not what it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Break {
    /// An entry is missing, or one is there twice.
    #[error("entry {expected} of the log is missing: found entry {got} in its place")]
    Number {
        /// The number that comes next.
        expected: u64,
        /// The number that is there.
        got: u64,
    },
    /// An entry does not follow the one before.
    #[error("entry {seq} of the log does not follow entry {}: expected hash `{expected}` before it, got `{got}`", seq - 1)]
    Link {
        /// Its number.
        seq: u64,
        /// The hash of the entry before.
        expected: String,
        /// What it says that hash is.
        got: String,
    },
    /// An entry was changed.
    #[error("entry {seq} of the log was changed: its fields have hash `{expected}`, got `{got}`")]
    Content {
        /// Its number.
        seq: u64,
        /// The hash of what stands there.
        expected: String,
        /// The hash that is stored.
        got: String,
    },
}

/// Follows a chain entry by entry.
#[derive(Clone, Debug)]
pub struct Chain {
    head: Head,
}

impl Chain {
    /// Before the first entry.
    pub const fn new() -> Self {
        Self { head: Head::start() }
    }

    /// Takes the next entry.
    ///
    /// # Errors
    /// [`Break`] where it does not follow.
    pub fn follow(&mut self, entry: &Entry) -> std::result::Result<(), Break> {
        let expected = self.head.seq + 1;
        if entry.seq != expected {
            return Err(Break::Number {
                expected,
                got: entry.seq,
            });
        }
        if entry.previous != self.head.hash {
            return Err(Break::Link {
                seq: entry.seq,
                expected: self.head.hash.clone(),
                got: entry.previous.clone(),
            });
        }
        let computed = entry.computed_hash();
        if entry.hash != computed {
            return Err(Break::Content {
                seq: entry.seq,
                expected: computed,
                got: entry.hash.clone(),
            });
        }
        self.head = Head {
            seq: entry.seq,
            hash: computed,
        };
        Ok(())
    }

    /// Where it has come to.
    pub const fn head(&self) -> &Head {
        &self.head
    }
}

impl Default for Chain {
    fn default() -> Self {
        Self::new()
    }
}

/// The log of a database.
pub struct Log;

impl Log {
    /// Appends entries in the transaction that makes them true; other writers of the log wait until it ends.
    pub(crate) async fn append(tx: &mut Tx, entries: &[NewEntry], at: UnixMs) -> Result<Head> {
        let mut head = Self::take(tx, entries.len()).await?;
        for new in entries {
            let entry = Entry::after(&head, at, new);
            sqlx::query(
                "INSERT INTO log (seq, at_ms, kind, body, previous, hash) VALUES ($1, $2, $3, $4, $5, $6)",
            )
            .bind(entry.seq.cast_signed())
            .bind(entry.at.0)
            .bind(&entry.kind)
            .bind(&entry.body)
            .bind(&entry.previous)
            .bind(&entry.hash)
            .execute(tx.on())
            .await
            .doing("append to the log")?;
            head = Head {
                seq: entry.seq,
                hash: entry.hash,
            };
        }
        sqlx::query("UPDATE log_head SET hash = $1 WHERE id = 1")
            .bind(&head.hash)
            .execute(tx.on())
            .await
            .doing("move the head of the log")?;
        Ok(head)
    }

    /// Moves the head on by `n` and holds it; what it was before is returned.
    async fn take(tx: &mut Tx, n: usize) -> Result<Head> {
        let row = sqlx::query("UPDATE log_head SET seq = seq + $1 WHERE id = 1 RETURNING seq, hash")
            .bind(i64::try_from(n).unwrap_or(i64::MAX))
            .fetch_one(tx.on())
            .await
            .doing("take the head of the log")?;
        let seq: i64 = row.try_get("seq").doing("read the head of the log")?;
        Ok(Head {
            seq: seq.cast_unsigned() - n as u64,
            hash: row.try_get("hash").doing("read the head of the log")?,
        })
    }

    /// The end of the log.
    ///
    /// # Errors
    /// [`Error::Database`] where it does not answer.
    pub async fn head(db: &Database) -> Result<Head> {
        let row = sqlx::query("SELECT seq, hash FROM log_head WHERE id = 1")
            .fetch_one(db.pool())
            .await
            .doing("read the head of the log")?;
        let seq: i64 = row.try_get("seq").doing("read the head of the log")?;
        Ok(Head {
            seq: seq.cast_unsigned(),
            hash: row.try_get("hash").doing("read the head of the log")?,
        })
    }

    /// Calls `each` with every entry after number `after`, in order; one is in memory at a time.
    ///
    /// # Errors
    /// [`Error::Database`] where it does not answer, and those of `each`.
    pub async fn read(db: &Database, after: u64, mut each: impl FnMut(Entry) -> Result<()>) -> Result<()> {
        let mut rows =
            sqlx::query("SELECT seq, at_ms, kind, body, previous, hash FROM log WHERE seq > $1 ORDER BY seq")
                .bind(after.cast_signed())
                .fetch(db.pool());
        while let Some(row) = rows.try_next().await.doing("read the log")? {
            each(entry(&row).doing("read an entry of the log")?)?;
        }
        Ok(())
    }
}

fn entry(row: &sqlx::any::AnyRow) -> sqlx::Result<Entry> {
    Ok(Entry {
        seq: row.try_get::<i64, _>("seq")?.cast_unsigned(),
        at: UnixMs(row.try_get("at_ms")?),
        kind: row.try_get("kind")?,
        body: row.try_get("body")?,
        previous: row.try_get("previous")?,
        hash: row.try_get("hash")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::databases;

    fn new(number: u32) -> NewEntry {
        NewEntry::of("test", &serde_json::json!({ "number": number })).unwrap()
    }

    async fn append(db: &Database, numbers: &[u32]) -> Head {
        let entries: Vec<_> = numbers.iter().map(|number| new(*number)).collect();
        let mut tx = db.write().await.unwrap();
        let head = Log::append(&mut tx, &entries, UnixMs(7)).await.unwrap();
        tx.commit().await.unwrap();
        head
    }

    async fn all(db: &Database) -> Vec<Entry> {
        let mut found = Vec::new();
        Log::read(db, 0, |entry| {
            found.push(entry);
            Ok(())
        })
        .await
        .unwrap();
        found
    }

    fn follow(entries: &[Entry]) -> Result<Head, Break> {
        let mut chain = Chain::new();
        entries.iter().try_for_each(|entry| chain.follow(entry))?;
        Ok(chain.head().clone())
    }

    #[tokio::test]
    async fn every_change_of_a_chain_is_found() {
        for test in databases().await {
            append(&test.db, &[1, 2]).await;
            let head = append(&test.db, &[3]).await;
            let entries = all(&test.db).await;
            assert_eq!(follow(&entries).unwrap(), head);
            assert_eq!(Log::head(&test.db).await.unwrap(), head);

            let mut changed = entries.clone();
            changed[1].body = new(9).body;
            assert!(matches!(follow(&changed), Err(Break::Content { seq: 2, .. })));
            changed[1].hash = changed[1].computed_hash();
            assert!(matches!(follow(&changed), Err(Break::Link { seq: 3, .. })));
            let mut removed = entries.clone();
            removed.remove(1);
            assert_eq!(follow(&removed), Err(Break::Number { expected: 2, got: 3 }));
            let mut swapped = entries;
            swapped.swap(0, 1);
            assert!(follow(&swapped).is_err());
            test.end().await;
        }
    }

    #[tokio::test]
    async fn an_append_that_is_given_up_leaves_no_gap() {
        for test in databases().await {
            append(&test.db, &[1]).await;
            let mut tx = test.db.write().await.unwrap();
            Log::append(&mut tx, &[new(2)], UnixMs(7)).await.unwrap();
            drop(tx);
            append(&test.db, &[3]).await;
            let entries = all(&test.db).await;
            assert_eq!(entries.len(), 2);
            follow(&entries).unwrap();
            test.end().await;
        }
    }

    #[tokio::test]
    async fn writers_at_once_make_one_chain() {
        for test in databases().await {
            let writers = (0..8).map(|writer| {
                let db = test.db.clone();
                tokio::spawn(async move {
                    for number in 0..5 {
                        append(&db, &[writer * 10 + number, writer]).await;
                    }
                })
            });
            futures::future::try_join_all(writers).await.unwrap();
            let entries = all(&test.db).await;
            assert_eq!(entries.len(), 80);
            assert_eq!(follow(&entries).unwrap(), Log::head(&test.db).await.unwrap());
            test.end().await;
        }
    }
}
