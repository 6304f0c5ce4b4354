//! The state of the grid as a query string: read and written by the same code on both sides.

use form_urlencoded::Serializer;
use serde::{Deserialize, Serialize};

use crate::filter::{Bounds, Facet, Filter, Measure};

/// Longest query string that is read, in bytes.
pub const MAX_QUERY_BYTES: usize = 8192;
/// Longest search text, in characters.
pub const MAX_TEXT_CHARS: usize = 200;
/// Pairs on a page where nothing scrolls by itself.
pub const PAGE_LEN: usize = 48;

/// A query string that cannot be read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum QueryError {
    /// A value that its key does not have.
    #[error("`{key}` is `{value}`: expected {expected}")]
    Value {
        /// The key.
        key: String,
        /// The value, cut to 80 characters.
        value: String,
        /// What would have been right.
        expected: &'static str,
    },
    /// More than is read.
    #[error("the query has {got} bytes: expected at most {MAX_QUERY_BYTES}")]
    TooLong {
        /// Its length.
        got: usize,
    },
}

impl QueryError {
    pub(crate) fn value(key: &str, value: &str, expected: &'static str) -> Self {
        Self::Value {
            key: key.to_owned(),
            value: value.chars().take(80).collect(),
            expected,
        }
    }
}

/// What a list is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SortKey {
    /// By source, then id: pairs of one positive stand together.
    #[default]
    Source,
    /// By SSIM inside.
    SsimInside,
    /// By SSIM outside.
    SsimOutside,
    /// By the marked share of the image.
    MaskShare,
}

impl SortKey {
    /// Every key.
    pub const ALL: [Self; 4] = [Self::Source, Self::SsimInside, Self::SsimOutside, Self::MaskShare];

    /// The name in addresses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::SsimInside => "ssim_in",
            Self::SsimOutside => "ssim_out",
            Self::MaskShare => "mask_share",
        }
    }

    /// The name for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Source => "Source",
            Self::SsimInside => "SSIM inside",
            Self::SsimOutside => "SSIM outside",
            Self::MaskShare => "Mask area",
        }
    }
}

/// Which end comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Small first.
    #[default]
    Ascending,
    /// Large first.
    Descending,
}

/// Filter, order and page of the grid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GridQuery {
    /// What is shown.
    pub filter: Filter,
    /// What it is sorted by.
    pub sort: SortKey,
    /// In which direction.
    pub order: Order,
    /// The page, from 1.
    pub page: u32,
}

impl Default for GridQuery {
    fn default() -> Self {
        Self {
            filter: Filter::default(),
            sort: SortKey::default(),
            order: Order::default(),
            page: 1,
        }
    }
}

impl From<Filter> for GridQuery {
    fn from(filter: Filter) -> Self {
        Self {
            filter,
            ..Self::default()
        }
    }
}

impl GridQuery {
    /// Reads a query string. Keys that mean nothing here are skipped, empty values mean "not asked for".
    ///
    /// # Errors
    /// [`QueryError`] for a known key with a value that it does not have, or for too long a string.
    pub fn parse(query: &str) -> Result<Self, QueryError> {
        let mut parsed = Self::default();
        for (key, value) in pairs(query)? {
            if !value.is_empty() {
                parsed.set(&key, &value)?;
            }
        }
        Ok(parsed)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), QueryError> {
        if let Some(facet) = Facet::from_key(key) {
            if !facet.accepts(value) {
                return Err(QueryError::value(key, value, "a name of the vocabulary"));
            }
            self.filter
                .chosen
                .entry(facet)
                .or_default()
                .insert(value.to_owned());
            return Ok(());
        }
        for measure in Measure::ALL {
            let (min_key, max_key) = measure.keys();
            if key == min_key {
                self.filter.bounds_mut(measure).min = Some(parse_number(key, value)?);
            } else if key == max_key {
                self.filter.bounds_mut(measure).max = Some(parse_number(key, value)?);
            }
        }
        match key {
            "q" => self.filter.text = parse_text(value)?,
            "sort" => {
                self.sort = SortKey::ALL
                    .into_iter()
                    .find(|sort| sort.name() == value)
                    .ok_or_else(|| {
                        QueryError::value(key, value, "`source`, `ssim_in`, `ssim_out` or `mask_share`")
                    })?;
            }
            "order" => {
                self.order = match value {
                    "asc" => Order::Ascending,
                    "desc" => Order::Descending,
                    _ => return Err(QueryError::value(key, value, "`asc` or `desc`")),
                };
            }
            "page" => {
                self.page = value
                    .parse()
                    .ok()
                    .filter(|page| (1..=1_000_000).contains(page))
                    .ok_or_else(|| QueryError::value(key, value, "a whole number from 1"))?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Writes the keys that differ from the defaults, in one fixed order.
    pub(crate) fn write(&self, out: &mut Serializer<'_, String>) {
        for (facet, names) in &self.filter.chosen {
            for name in names {
                out.append_pair(facet.key(), name);
            }
        }
        for measure in Measure::ALL {
            let Bounds { min, max } = self.filter.bounds(measure);
            let (min_key, max_key) = measure.keys();
            for (key, bound) in [(min_key, min), (max_key, max)] {
                if let Some(bound) = bound {
                    out.append_pair(key, &bound.to_string());
                }
            }
        }
        if !self.filter.text.is_empty() {
            out.append_pair("q", &self.filter.text);
        }
        if self.sort != SortKey::default() {
            out.append_pair("sort", self.sort.name());
        }
        if self.order == Order::Descending {
            out.append_pair("order", "desc");
        }
        if self.page > 1 {
            out.append_pair("page", &self.page.to_string());
        }
    }

    /// The query string; empty for the defaults.
    pub fn to_query(&self) -> String {
        let mut out = Serializer::new(String::new());
        self.write(&mut out);
        out.finish()
    }

    /// The address of the grid in this state.
    pub fn href(&self) -> String {
        with_query("/pairs", &self.to_query())
    }

    /// This state on another page.
    #[must_use]
    pub fn at_page(&self, page: u32) -> Self {
        Self { page, ..self.clone() }
    }
}

/// The decoded keys and values of a query string.
pub(crate) fn pairs(query: &str) -> Result<impl Iterator<Item = (String, String)>, QueryError> {
    if query.len() > MAX_QUERY_BYTES {
        return Err(QueryError::TooLong { got: query.len() });
    }
    Ok(form_urlencoded::parse(query.as_bytes()).map(|(key, value)| (key.into_owned(), value.into_owned())))
}

/// `path?query`, or `path` alone.
pub(crate) fn with_query(path: &str, query: &str) -> String {
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

fn parse_number(key: &str, value: &str) -> Result<f64, QueryError> {
    value
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite() && number.abs() <= 1e6)
        .ok_or_else(|| QueryError::value(key, value, "a number"))
}

fn parse_text(value: &str) -> Result<String, QueryError> {
    if value.chars().count() > MAX_TEXT_CHARS {
        return Err(QueryError::value("q", value, "at most 200 characters"));
    }
    Ok(value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_survives_its_address() {
        let query = "decision=kept&region=face&region=left_hand&operator=hand.fused%401&ssim_in_min=0.1\
                     &ssim_in_max=0.75&q=r%C3%A9d+%26+blue&sort=ssim_in&order=desc&page=3";
        let parsed = GridQuery::parse(query).unwrap();
        assert_eq!(parsed.filter.text, "réd & blue");
        assert_eq!(
            parsed.filter.names(Facet::Region).collect::<Vec<_>>(),
            ["face", "left_hand"]
        );
        assert_eq!(GridQuery::parse(&parsed.to_query()), Ok(parsed));
        assert_eq!(GridQuery::default().href(), "/pairs");
    }

    #[test]
    fn what_a_form_leaves_empty_is_not_asked_for() {
        let parsed = GridQuery::parse("ssim_in_min=&q=&sort=source&order=asc&unknown=1").unwrap();
        assert_eq!(parsed, GridQuery::default());
    }

    #[test]
    fn wrong_values_are_refused_by_name() {
        for (query, text) in [
            (
                "region=tail",
                "`region` is `tail`: expected a name of the vocabulary",
            ),
            ("ssim_in_min=NaN", "`ssim_in_min` is `NaN`: expected a number"),
            (
                "ssim_out_max=1e999",
                "`ssim_out_max` is `1e999`: expected a number",
            ),
            ("page=0", "`page` is `0`: expected a whole number from 1"),
            ("order=up", "`order` is `up`: expected `asc` or `desc`"),
        ] {
            assert_eq!(GridQuery::parse(query).unwrap_err().to_string(), text);
        }
        assert!(matches!(
            GridQuery::parse(&"a".repeat(9000)),
            Err(QueryError::TooLong { got: 9000 })
        ));
    }
}
