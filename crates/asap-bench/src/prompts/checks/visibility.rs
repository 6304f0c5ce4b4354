//! Whether the wording shows what the row claims. Without it a model passes by hiding the hands.

use asap_core::Prompt;
use asap_core::prompt::VisiblePart;

use super::{Hit, Subject};

/// Parts of `regions` that nothing in the text names or implies.
pub(super) fn unnamed_parts(subject: &Subject<'_>) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (prompt, text) in subject.rows() {
        for part in &prompt.regions {
            let lexicon = subject.rules.visible.get(part);
            if !lexicon.is_some_and(|lexicon| lexicon.is_in(&text.words)) {
                hits.push(Hit::in_prompt(&prompt.id, format!("`{}`", name(*part))));
            }
        }
    }
    hits
}

/// Words that hide hands or face, where these are claimed and no factor explains it.
pub(super) fn hidden_parts(subject: &Subject<'_>) -> Vec<Hit> {
    let hidden = &subject.rules.hidden;
    let mut hits = Vec::new();
    for (prompt, text) in subject.rows() {
        if prompt
            .factors
            .iter()
            .any(|factor| hidden.explained_by.contains(factor))
        {
            continue;
        }
        for (part, lexicon) in [
            (VisiblePart::Hands, &hidden.hands),
            (VisiblePart::Face, &hidden.face),
        ] {
            if !prompt.regions.contains(&part) {
                continue;
            }
            for words in lexicon.quotes(&text.words) {
                let evidence = format!("\"{words}\" hides `{}`", name(part));
                hits.push(Hit::in_prompt(&prompt.id, evidence));
            }
        }
    }
    hits
}

/// Hands in the text that the row does not claim.
pub(super) fn unclaimed_hands(subject: &Subject<'_>) -> Vec<Hit> {
    let claims_none = |prompt: &Prompt| !prompt.regions.contains(&VisiblePart::Hands);
    let mut hits = Vec::new();
    for (prompt, text) in subject.rows().filter(|(prompt, _)| claims_none(prompt)) {
        let named = text
            .words
            .iter()
            .find(|word| matches!(word.base.as_str(), "hand" | "finger" | "thumb"));
        if let Some(word) = named {
            hits.push(Hit::in_prompt(&prompt.id, format!("\"{}\"", word.lower)));
        }
    }
    hits
}

/// The name used in files.
pub(in super::super) const fn name(part: VisiblePart) -> &'static str {
    match part {
        VisiblePart::Hands => "hands",
        VisiblePart::Face => "face",
        VisiblePart::Arms => "arms",
        VisiblePart::Legs => "legs",
        VisiblePart::Feet => "feet",
        VisiblePart::Torso => "torso",
    }
}
