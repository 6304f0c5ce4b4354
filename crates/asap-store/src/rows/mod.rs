//! How records become columns and come back: one file a table.
//!
//! Writing and reading a column stand side by side. Every column is nullable, so that a Parquet export can
//! hold pairs that nobody has assessed; a null where a value is needed is an error on reading.

pub(crate) mod assessment;
pub(crate) mod pair;
pub(crate) mod positive;

use arrow::array::{Array, StringArray, StructArray};
use asap_core::{Keypoint, Skeleton};

use crate::columns::Rows;
use crate::{Error, Result};

/// Three floats (column, row, score) a keypoint, 133 keypoints a person, one person after the other.
pub(crate) fn flat_skeletons(skeletons: &[Skeleton]) -> Vec<f32> {
    skeletons
        .iter()
        .flat_map(Skeleton::keypoints)
        .flat_map(|&keypoint| <[f32; 3]>::from(keypoint))
        .collect()
}

/// The inverse of [`flat_skeletons`].
pub(crate) fn skeletons(rows: &Rows<'_>, column: &str, row: usize) -> Result<Vec<Skeleton>> {
    const N_FLOATS: usize = asap_core::skeleton::N_KEYPOINTS * 3;
    let floats = rows.f32s(column, row)?;
    if floats.len() % N_FLOATS != 0 {
        let got = format!("{} floats", floats.len());
        return Err(rows.unknown(column, &got, "list of skeletons of 133 x 3 floats"));
    }
    floats
        .chunks_exact(N_FLOATS)
        .map(|person| {
            let keypoints: Vec<Keypoint> = person
                .chunks_exact(3)
                .map(|v| Keypoint::from([v[0], v[1], v[2]]))
                .collect();
            Skeleton::try_from(keypoints)
                .map_err(|error| rows.unknown(column, &error.to_string(), "skeleton"))
        })
        .collect()
}

/// The text of a row; null is an error.
pub(crate) fn text(rows: &Rows<'_>, column: &str, row: usize) -> Result<String> {
    let array = rows.get::<StringArray>(column)?;
    if array.is_null(row) {
        return Err(rows.unknown(column, "null", "text"));
    }
    Ok(array.value(row).to_owned())
}

/// The structs of a list in a row, each read by `read`.
pub(crate) fn structs<T>(
    rows: &Rows<'_>,
    column: &str,
    row: usize,
    read: impl Fn(&Rows<'_>, usize) -> Result<T>,
) -> Result<Vec<T>> {
    let items = rows.items::<StructArray>(column, row)?;
    let inner = Rows::of_struct(rows.table(), &items);
    (0..items.len()).map(|idx| read(&inner, idx)).collect()
}

/// Words of a closed list.
pub(crate) fn words<T>(
    rows: &Rows<'_>,
    column: &str,
    row: usize,
    parse: fn(&str) -> Option<T>,
) -> Result<Vec<T>> {
    rows.texts(column, row)?
        .iter()
        .map(|text| parse(text).ok_or_else(|| rows.unknown(column, text, "word of this schema version")))
        .collect()
}

/// The value of a primitive column; null is an error.
macro_rules! number {
    ($($name:ident: $array:ty => $value:ty),+ $(,)?) => {$(
        /// The number of a row; null is an error.
        pub(crate) fn $name(rows: &Rows<'_>, column: &str, row: usize) -> Result<$value> {
            let array = rows.get::<$array>(column)?;
            if array.is_null(row) {
                return Err(rows.unknown(column, "null", "number"));
            }
            Ok(array.value(row))
        }
    )+};
}
number! {
    truth: arrow::array::BooleanArray => bool,
    small: arrow::array::UInt8Array => u8,
    whole: arrow::array::UInt32Array => u32,
    large: arrow::array::UInt64Array => u64,
    float: arrow::array::Float64Array => f64,
}

/// A row that a reader expected and did not get.
pub(crate) fn missing(what: &'static str, id: impl ToString, path: &std::path::Path) -> Error {
    Error::Missing {
        what,
        id: id.to_string(),
        path: path.to_owned(),
    }
}
