//! Reference errors as rows of a table, each with a checksum of its own.

use std::collections::BTreeMap;

use arrow::array::{Array as _, BinaryArray, RecordBatch, UInt64Array};
use asap_core::Sha256;

use super::ReferenceErrors;
use crate::columns::{Columns, Rows};
use crate::tables::{Kind, Table};
use crate::{Error, Result, schema, sha256};

const KEY: &str = "key";
const CHECK: &str = "check";
/// In the order of [`ReferenceErrors`].
const NUMBERS: [&str; 6] = [
    "preferred_e0",
    "preferred_e1",
    "preferred_e2",
    "rejected_e0",
    "rejected_e1",
    "rejected_e2",
];
/// Says in the metadata of the table what it is and in which layout.
const FORMAT_KEY: &str = "asap.cache";
const FORMAT: &str = "reference-errors 1";

pub(super) fn encode(draws: &BTreeMap<Sha256, ReferenceErrors>) -> Result<RecordBatch> {
    let mut columns = Columns::default();
    columns.bytes(KEY, draws.keys().map(|key| Some(key.as_bytes())));
    for (idx, name) in NUMBERS.iter().enumerate() {
        columns.f64(name, draws.values().map(|errors| Some(errors.numbers()[idx])));
    }
    columns.u64(
        CHECK,
        draws.iter().map(|(key, errors)| Some(checksum(key, errors))),
    );
    let mut metadata = schema::metadata();
    metadata.insert(FORMAT_KEY.to_owned(), FORMAT.to_owned());
    columns
        .into_batch(metadata)
        .map_err(|error| Error::table("encode rows of", Kind::Reference.name().as_ref(), error))
}

/// Refuses a table of something else or of another layout.
pub(super) fn check_format(table: &Table) -> Result<()> {
    match table.metadata(FORMAT_KEY) {
        Some(FORMAT) => Ok(()),
        got => Err(Error::Damaged {
            path: table.path().to_owned(),
            reason: format!(
                "its format is `{}`, expected `{FORMAT}`",
                got.unwrap_or("none of a cache")
            ),
        }),
    }
}

pub(super) async fn decode_all(table: &Table) -> Result<BTreeMap<Sha256, ReferenceErrors>> {
    let mut known = BTreeMap::new();
    let columns: Vec<&str> = [KEY, CHECK].into_iter().chain(NUMBERS).collect();
    table
        .scan(&columns, |batch| decode(table, batch, &mut known))
        .await?;
    Ok(known)
}

fn decode(table: &Table, batch: &RecordBatch, known: &mut BTreeMap<Sha256, ReferenceErrors>) -> Result<()> {
    let rows = Rows::of_batch(Kind::Reference.name(), batch);
    let (keys, checks) = (rows.get::<BinaryArray>(KEY)?, rows.get::<UInt64Array>(CHECK)?);
    for row in 0..batch.num_rows() {
        let damaged = |reason: String| Error::Damaged {
            path: table.path().to_owned(),
            reason,
        };
        let key = keys
            .value(row)
            .try_into()
            .map(Sha256::from_bytes)
            .map_err(|_size| damaged(format!("a key has {} bytes, expected 32", keys.value_length(row))))?;
        let mut numbers = [0.0; 6];
        for (number, name) in numbers.iter_mut().zip(NUMBERS) {
            *number = rows.f64(name, row)?.unwrap_or(f64::NAN);
        }
        let [a, b, c, d, e, f] = numbers;
        let errors = ReferenceErrors {
            preferred: [a, b, c],
            rejected: [d, e, f],
        };
        if !checks.is_valid(row) || checks.value(row) != checksum(&key, &errors) {
            return Err(damaged(format!(
                "the checksum of draw `{}` does not hold",
                key.short()
            )));
        }
        known.insert(key, errors);
    }
    Ok(())
}

/// Lance checks no bytes when it reads: a flipped bit in a number would train in silence.
fn checksum(key: &Sha256, errors: &ReferenceErrors) -> u64 {
    let mut bytes = key.as_bytes().to_vec();
    for number in errors.numbers() {
        bytes.extend(number.to_le_bytes());
    }
    let [a, b, c, d, e, f, g, h, ..] = *sha256(&bytes).as_bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}
