//! The taxonomy of a benchmark: category > subcategory, factors of difficulty.

use std::path::Path;

use asap_core::{Category, PromptId};
use serde::{Deserialize, Serialize};

use super::axis::Axis;
use super::{Error, Result};

/// All of `taxonomy.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taxonomy {
    /// The name of the benchmark.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What ids begin with: `haf` in `haf-obj-0042`.
    pub id_prefix: String,
    /// Prompts of each category.
    pub prompts_per_category: u32,
    /// Categories.
    #[serde(rename = "category")]
    pub categories: Vec<CategoryEntry>,
    /// Subcategories.
    #[serde(rename = "subcategory")]
    pub subcategories: Vec<Subcategory>,
    /// Factors of difficulty.
    #[serde(rename = "factor")]
    pub factors: Vec<Factor>,
    /// What the balance is counted over.
    #[serde(rename = "axis")]
    pub axes: Vec<Axis>,
}

/// What belongs to a category.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoryEntry {
    /// The category.
    pub id: Category,
    /// What belongs to it.
    pub definition: String,
}

/// A part of a category.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subcategory {
    /// Never reused.
    pub id: String,
    /// The category that it is part of.
    pub category: Category,
    /// What belongs to it.
    pub definition: String,
    /// How many prompts it has.
    pub n_prompts: u32,
}

/// Something that makes a prompt hard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Factor {
    /// Never reused.
    pub id: String,
    /// When a prompt has it.
    pub definition: String,
}

impl Taxonomy {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Read`]; [`Error::Toml`] for an unknown or missing key.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        toml::from_str(&text).map_err(|error| Error::Toml {
            path: path.to_owned(),
            reason: error.to_string().trim_end().to_owned(),
        })
    }

    /// Whether an id is `PREFIX-CODE-` and four digits.
    pub fn is_numbered_id(&self, id: &PromptId, category: Category) -> bool {
        let number = id.as_str().strip_prefix(self.id_prefix.as_str());
        let number = number.and_then(|rest| {
            rest.strip_prefix('-')?
                .strip_prefix(category.code())?
                .strip_prefix('-')
        });
        number.is_some_and(|digits| digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// The category of a subcategory.
    pub fn category_of(&self, subcategory: &str) -> Option<Category> {
        let found = self.subcategories.iter().find(|it| it.id == subcategory);
        found.map(|it| it.category)
    }

    /// Whether there is such a factor.
    pub fn has_factor(&self, id: &str) -> bool {
        self.factors.iter().any(|factor| factor.id == id)
    }
}
