//! Versions of the tables' columns.

use std::collections::HashMap;

/// Every schema that this program reads: a closed list, so that a new one is a compile error at each match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SchemaVersion {
    /// Three tables: `positives`, `pairs`, `assessments`.
    V1,
}

impl SchemaVersion {
    /// What this program writes.
    pub const CURRENT: Self = Self::V1;

    /// The number on disk.
    pub const fn number(self) -> u32 {
        match self {
            Self::V1 => 1,
        }
    }

    /// The version of that number, if this program knows it.
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::V1),
            _ => None,
        }
    }
}

/// The key under which each table carries the number, for programs that open a table alone.
pub(crate) const METADATA_KEY: &str = "asap.schema_version";

/// Schema metadata of a table that is written now.
pub(crate) fn metadata() -> HashMap<String, String> {
    HashMap::from([(
        METADATA_KEY.to_owned(),
        SchemaVersion::CURRENT.number().to_string(),
    )])
}
