//! What a figure shows, as a sentence from a versioned file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use asap_core::Stream;
use serde::Deserialize;

use super::look::{HairStyle, Legwear, Look, Pattern, Sleeves};
use super::pose::{Framing, Posed};
use crate::{Error, Result};

/// Id and version of the built-in file, which stand in the recipe of every positive.
pub(crate) const CAPTIONS: &str = "figure-captions@1";
/// The file that is built in.
const BUILT_IN: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../prompts/figures/captions.toml"
));

/// The sentences.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Captions {
    id: String,
    version: u32,
    places: BTreeMap<String, Vec<String>>,
    things: BTreeMap<String, String>,
    activities: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

impl Captions {
    /// The sentences that are built in.
    pub(crate) fn built_in() -> Result<Self> {
        let refused = |reason: String| Error::Parse {
            path: PathBuf::from("prompts/figures/captions.toml"),
            reason,
        };
        let captions: Self = toml::from_str(BUILT_IN).map_err(|error| refused(error.to_string()))?;
        let found = format!("{}@{}", captions.id, captions.version);
        if found != CAPTIONS {
            return Err(refused(format!("it is `{found}`, expected `{CAPTIONS}`")));
        }
        Ok(captions)
    }

    /// One sentence about a figure.
    pub(crate) fn sentence(&self, posed: &Posed, look: &Look, stream: &mut Stream) -> Result<String> {
        let missing = |what: String| Error::Parse {
            path: PathBuf::from("prompts/figures/captions.toml"),
            reason: format!("no sentence for `{what}`"),
        };
        let framing = posed.framing.name();
        let sentences = self
            .activities
            .get(posed.activity)
            .and_then(|by_framing| by_framing.get(framing))
            .filter(|sentences| !sentences.is_empty())
            .ok_or_else(|| missing(format!("activities.{}.{framing}", posed.activity)))?;
        let backdrop = look.backdrop.name();
        let places = self
            .places
            .get(backdrop)
            .filter(|places| !places.is_empty())
            .ok_or_else(|| missing(format!("places.{backdrop}")))?;
        let thing = match posed.thing {
            Some((thing, _)) => self
                .things
                .get(thing.name())
                .ok_or_else(|| missing(format!("things.{}", thing.name())))?,
            None => "",
        };
        let text = stream
            .choose(sentences)
            .replace("{person}", &person(look))
            .replace("{clothes}", &clothes(look, posed.framing))
            .replace("{place}", stream.choose::<String>(places))
            .replace("{thing}", &with_article(thing));
        Ok(capitalized(&text))
    }
}

fn person(look: &Look) -> String {
    let hair = look.hair.name;
    let style = match look.style {
        HairStyle::Bald => return "a bald person".to_owned(),
        HairStyle::Cropped => "cropped",
        HairStyle::Short | HairStyle::Quiff => "short",
        HairStyle::Bob => "chin-length",
        HairStyle::Long => "long",
        HairStyle::Bun => return format!("a person with {hair} hair in a bun"),
        HairStyle::Curly => "curly",
    };
    format!("a person with {style} {hair} hair")
}

fn clothes(look: &Look, framing: Framing) -> String {
    let pattern = match look.pattern {
        Pattern::Plain => "",
        Pattern::Stripes => "striped ",
        Pattern::Dots => "dotted ",
        Pattern::Checks => "checked ",
        Pattern::Block => "two-coloured ",
    };
    let kind = match look.sleeves {
        Sleeves::None => "sleeveless top",
        Sleeves::Short => "T-shirt",
        Sleeves::Long => "long-sleeved shirt",
    };
    let shirt = with_article(&format!("{pattern}{} {kind}", look.shirt.name));
    if framing != Framing::FullBody {
        return shirt;
    }
    let below = match look.legwear {
        Legwear::Trousers => format!("{} trousers", look.bottom.name),
        Legwear::Shorts => format!("{} shorts", look.bottom.name),
        Legwear::Skirt => with_article(&format!("{} skirt", look.bottom.name)),
    };
    format!("{shirt} and {below}")
}

fn with_article(words: &str) -> String {
    match words.chars().next() {
        Some('a' | 'e' | 'i' | 'o' | 'u') => format!("an {words}"),
        _ => format!("a {words}"),
    }
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::pose::{Category, sample};

    #[test]
    fn every_figure_has_a_whole_sentence() {
        let captions = Captions::built_in().unwrap();
        let mut seen = std::collections::BTreeSet::new();
        for idx in 0..2000 {
            let category = Category::ALL[idx % 5];
            let posed = sample(category, 512, &mut Stream::new(3, &format!("{idx}/pose")));
            let look = Look::sample(&mut Stream::new(3, &format!("{idx}/look")));
            let text = captions
                .sentence(&posed, &look, &mut Stream::new(3, &format!("{idx}/caption")))
                .unwrap();
            assert!(text.ends_with('.') && !text.contains(['{', '}']), "{text}");
            assert!(text.starts_with(|c: char| c.is_ascii_uppercase()), "{text}");
            assert!(!text.contains("  "), "{text}");
            seen.insert((posed.activity, posed.framing));
        }
        let sentences: usize = captions.activities.values().map(BTreeMap::len).sum();
        assert_eq!(seen.len(), sentences, "every sentence of the file is used");
    }
}
