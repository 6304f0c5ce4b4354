//! What must hold inside one row, whatever its text says.

use asap_core::prompt::{VisiblePart, version_key};
use asap_core::{Category, Prompt, PromptId};

use super::Taxonomy;

/// A person has two hands.
const HANDS_EACH: u32 = 2;

/// Everything that is inconsistent in a row, in a fixed order.
pub(super) fn faults(prompt: &Prompt, taxonomy: Option<&Taxonomy>) -> Vec<String> {
    let mut found = Vec::new();
    found.extend(id_fault(&prompt.id, prompt.category));
    found.extend(hand_faults(prompt));
    if prompt.regions.is_empty() {
        found.push("`regions` is empty: name at least one visible part".to_owned());
    }
    found.extend(order_fault("regions", &prompt.regions));
    found.extend(order_fault("factors", &prompt.factors));
    if prompt.prompt.trim().is_empty() {
        found.push("`prompt` is empty".to_owned());
    }
    if !(1..=3).contains(&prompt.difficulty) {
        found.push(format!(
            "`difficulty`: expected 1 to 3, got {}",
            prompt.difficulty
        ));
    }
    if prompt.lang.len() != 2 || !prompt.lang.bytes().all(|byte| byte.is_ascii_lowercase()) {
        found.push(format!(
            "`lang`: expected two small letters (ISO 639-1), got `{}`",
            prompt.lang
        ));
    }
    if prompt.license.trim().is_empty() {
        found.push("`license` is empty: name an SPDX licence".to_owned());
    }
    if version_key(&prompt.added).is_none() {
        found.push(format!(
            "`added`: expected a version such as `1.0.0`, got `{}`",
            prompt.added
        ));
    }
    if let Some(taxonomy) = taxonomy {
        found.extend(taxonomy_faults(prompt, taxonomy));
    }
    found
}

/// An id of the form `NAME-CODE-NUMBER` must carry the code of its category. Other forms carry none and are
/// left to whoever numbers their own prompts.
fn id_fault(id: &PromptId, category: Category) -> Option<String> {
    let mut parts = id.as_str().rsplitn(3, '-');
    let number = parts.next()?;
    let code = parts.next()?;
    parts.next()?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && code != category.code()).then(|| {
        format!(
            "id `{id}`: expected the code `{}` of category `{}`, got `{code}`",
            category.code(),
            category.name()
        )
    })
}

fn hand_faults(prompt: &Prompt) -> Vec<String> {
    let mut found = Vec::new();
    let hands = prompt.hands_expected;
    if prompt.persons == 0 {
        found.push("`persons`: expected at least 1, got 0".to_owned());
    }
    if hands.min > hands.max {
        found.push(format!(
            "`hands_expected`: min {} is above max {}",
            hands.min, hands.max
        ));
    }
    let most = prompt.persons.saturating_mul(HANDS_EACH);
    if hands.max > most {
        found.push(format!(
            "`hands_expected`: max {} is more than the {most} hands of {} persons",
            hands.max, prompt.persons
        ));
    }
    let shows_hands = prompt.regions.contains(&VisiblePart::Hands);
    if shows_hands && hands.min == 0 {
        found.push("`regions` names `hands`, but `hands_expected` has min 0".to_owned());
    }
    if !shows_hands && hands.min > 0 {
        found.push(format!(
            "`hands_expected` has min {}, but `regions` lacks `hands`",
            hands.min
        ));
    }
    found
}

fn order_fault<T: Ord>(key: &str, values: &[T]) -> Option<String> {
    let is_sorted = values.windows(2).all(|pair| pair[0] < pair[1]);
    (!is_sorted).then(|| format!("`{key}`: expected sorted values, each once"))
}

fn taxonomy_faults(prompt: &Prompt, taxonomy: &Taxonomy) -> Vec<String> {
    let mut found = Vec::new();
    if !taxonomy.is_numbered_id(&prompt.id, prompt.category) {
        found.push(format!(
            "id `{}`: expected `{}-{}-` and four digits",
            prompt.id,
            taxonomy.id_prefix,
            prompt.category.code()
        ));
    }
    match taxonomy.category_of(&prompt.subcategory) {
        Some(category) if category == prompt.category => {}
        Some(category) => found.push(format!(
            "subcategory `{}` belongs to `{}`, not to `{}`",
            prompt.subcategory,
            category.name(),
            prompt.category.name()
        )),
        None => found.push(format!(
            "subcategory `{}` is not in the taxonomy",
            prompt.subcategory
        )),
    }
    for factor in &prompt.factors {
        if !taxonomy.has_factor(factor) {
            found.push(format!("factor `{factor}` is not in the taxonomy"));
        }
    }
    found
}
