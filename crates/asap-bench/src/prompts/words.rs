//! Text as the checks see it: normal forms, words, phrases.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization as _;

/// A prompt's text, taken apart once.
#[derive(Clone, Debug)]
pub(super) struct Text {
    /// NFKC, small letters, everything but letters, digits and inner apostrophes a single space.
    pub(super) normal: String,
    /// The words of [`Self::normal`], without the possessive `'s`.
    pub(super) words: Vec<Word>,
}

/// One word and how it stood in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// Small letters.
    pub(super) lower: String,
    /// The singular, by [`singular`].
    pub(super) base: String,
    /// Whether it was written with a capital first letter.
    pub(super) is_capitalised: bool,
    /// Whether `'s` followed it.
    pub(super) is_possessive: bool,
    /// What parts it from the word before.
    pub(super) gap: Gap,
}

/// What stands before a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gap {
    /// A hyphen, an opening quote: no space.
    Joined,
    /// A space.
    Space,
    /// A comma, a dash, a bracket.
    Comma,
    /// The end of a sentence or the start of the text.
    Sentence,
}

impl Gap {
    /// Whether no mark of punctuation parts the words.
    pub(super) const fn is_close(self) -> bool {
        matches!(self, Self::Joined | Self::Space)
    }
}

impl Text {
    pub(super) fn new(text: &str) -> Self {
        let words = words(text);
        let normal: Vec<String> = words
            .iter()
            .map(|word| match word.is_possessive {
                true => format!("{}'s", word.lower),
                false => word.lower.clone(),
            })
            .collect();
        Self {
            normal: normal.join(" "),
            words,
        }
    }

    /// The words that carry meaning, in the singular, each once.
    pub(super) fn content<'a>(&'a self, stop_words: &BTreeSet<String>) -> BTreeSet<&'a str> {
        let words = self.words.iter().filter(|word| !stop_words.contains(&word.lower));
        words.map(|word| word.base.as_str()).collect()
    }

    /// Runs of `n` words, joined with spaces.
    pub(super) fn ngrams(&self, n: usize) -> impl Iterator<Item = String> + '_ {
        self.words.windows(n).map(|run| {
            let words: Vec<&str> = run.iter().map(|word| word.lower.as_str()).collect();
            words.join(" ")
        })
    }
}

fn words(text: &str) -> Vec<Word> {
    let text: String = text
        .nfkc()
        .filter(|&c| !is_unseen(c))
        .map(plain_apostrophe)
        .collect();
    let mut words = Vec::new();
    let mut gap = Gap::Sentence;
    let mut rest = text.as_str();
    while let Some(start) = rest.find(char::is_alphanumeric) {
        gap = rest[..start].chars().map(gap_of).fold(gap, Gap::max);
        rest = &rest[start..];
        let end = word_end(rest);
        words.push(word(&rest[..end], gap));
        gap = Gap::Joined;
        rest = &rest[end..];
    }
    words
}

/// Soft hyphen, zero-width spaces and joiners, byte-order mark: two texts that differ in them look the same.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

fn plain_apostrophe(c: char) -> char {
    if matches!(c, '\u{2018}' | '\u{2019}' | '\u{2bc}') {
        '\''
    } else {
        c
    }
}

fn gap_of(c: char) -> Gap {
    match c {
        '.' | '!' | '?' => Gap::Sentence,
        ',' | ';' | ':' | '(' | ')' | '\u{2013}' | '\u{2014}' => Gap::Comma,
        _ if c.is_whitespace() => Gap::Space,
        _ => Gap::Joined,
    }
}

/// Letters and digits, with apostrophes between them.
fn word_end(text: &str) -> usize {
    let mut end = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let goes_on = c == '\'' && chars.peek().is_some_and(|(_, next)| next.is_alphanumeric());
        if !c.is_alphanumeric() && !goes_on {
            break;
        }
        end = at + c.len_utf8();
    }
    end
}

fn word(text: &str, gap: Gap) -> Word {
    let lower = text.to_lowercase();
    let stripped = lower.strip_suffix("'s");
    let is_possessive = stripped.is_some();
    let lower = stripped.map_or(lower.clone(), str::to_owned);
    Word {
        base: singular(&lower),
        is_capitalised: text.chars().next().is_some_and(char::is_uppercase),
        is_possessive,
        lower,
        gap,
    }
}

/// The singular of an English noun by its ending; a word that is no plural may lose its `s`, on both sides of
/// a comparison alike.
pub(super) fn singular(word: &str) -> String {
    let irregular = match word {
        "men" => Some("man"),
        "women" => Some("woman"),
        "people" => Some("person"),
        "children" => Some("child"),
        "feet" => Some("foot"),
        "teeth" => Some("tooth"),
        "knives" => Some("knife"),
        "leaves" => Some("leaf"),
        "scarves" => Some("scarf"),
        _ => None,
    };
    if let Some(found) = irregular {
        return found.to_owned();
    }
    if let Some(stem) = word.strip_suffix("men").filter(|stem| stem.len() > 2) {
        return format!("{stem}man");
    }
    if let Some(stem) = word.strip_suffix("ies").filter(|stem| stem.len() > 2) {
        return format!("{stem}y");
    }
    for ending in ["sses", "shes", "ches", "xes"] {
        if word.ends_with(ending) {
            return word[..word.len() - 2].to_owned();
        }
    }
    let keeps_its_s = word.len() < 4 || ["ss", "us", "is"].iter().any(|end| word.ends_with(end));
    if !keeps_its_s && let Some(stem) = word.strip_suffix('s') {
        return stem.to_owned();
    }
    word.to_owned()
}

/// A phrase of a lexicon. Its words match in the singular; a word that ends in `*` matches by its beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Phrase(Vec<Pattern>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Word { lower: String, base: String },
    Prefix(String),
}

impl Phrase {
    pub(super) fn new(text: &str) -> Self {
        let patterns = text.split([' ', '-']).filter(|part| !part.is_empty());
        Self(
            patterns
                .map(|part| match part.strip_suffix('*') {
                    Some(prefix) => Pattern::Prefix(prefix.to_owned()),
                    None => Pattern::Word {
                        lower: part.to_owned(),
                        base: singular(part),
                    },
                })
                .collect(),
        )
    }

    /// How many words it has.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it stands at the start of `words`.
    fn starts(&self, words: &[Word]) -> bool {
        words.len() >= self.len()
            && self.0.iter().zip(words).all(|(pattern, word)| match pattern {
                Pattern::Word { lower, base } => *lower == word.lower || *base == word.base,
                Pattern::Prefix(prefix) => word.lower.starts_with(prefix),
            })
    }
}

/// A list of phrases that stand for one thing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Phrases(Vec<Phrase>);

impl Phrases {
    pub(super) fn new<'a>(texts: impl IntoIterator<Item = &'a String>) -> Self {
        Self(texts.into_iter().map(|text| Phrase::new(text)).collect())
    }

    /// The length of the longest phrase that stands at `at`; 0 where there is none.
    pub(super) fn len_at(&self, words: &[Word], at: usize) -> usize {
        let fitting = self.0.iter().filter(|phrase| phrase.starts(&words[at..]));
        fitting.map(Phrase::len).max().unwrap_or(0)
    }

    /// Where its phrases stand, the longest at each place, without overlaps: start and length in words.
    pub(super) fn find(&self, words: &[Word]) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < words.len() {
            let len = self.len_at(words, at);
            if len > 0 {
                found.push((at, len));
            }
            at += len.max(1);
        }
        found
    }

    /// What was found, as it reads in the text.
    pub(super) fn quotes(&self, words: &[Word]) -> Vec<String> {
        let found = self.find(words).into_iter();
        found.map(|(at, len)| quote(&words[at..at + len])).collect()
    }

    pub(super) fn is_in(&self, words: &[Word]) -> bool {
        (0..words.len()).any(|at| self.len_at(words, at) > 0)
    }
}

/// Words with spaces between them.
pub(super) fn quote(words: &[Word]) -> String {
    let words: Vec<&str> = words.iter().map(|word| word.lower.as_str()).collect();
    words.join(" ")
}

/// The number that a word says: `both` and `couple` are 2.
pub(super) fn number(word: &str) -> Option<u32> {
    const WORDS: [(&str, u32); 17] = [
        ("both", 2),
        ("couple", 2),
        ("pair", 2),
        ("trio", 3),
        ("quartet", 4),
        ("one", 1),
        ("two", 2),
        ("three", 3),
        ("four", 4),
        ("five", 5),
        ("six", 6),
        ("seven", 7),
        ("eight", 8),
        ("nine", 9),
        ("ten", 10),
        ("eleven", 11),
        ("twelve", 12),
    ];
    let named = WORDS.iter().find(|(name, _)| *name == word).map(|&(_, n)| n);
    named.or_else(|| word.parse().ok())
}

/// The share of what two sets have in common: intersection over union; 0 for two empty sets.
pub(super) fn jaccard<T: Ord>(a: &BTreeSet<T>, b: &BTreeSet<T>) -> f64 {
    let n_common = a.intersection(b).count();
    let n_all = a.len() + b.len() - n_common;
    if n_all == 0 {
        return 0.0;
    }
    n_common as f64 / n_all as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lowers(text: &str) -> Vec<String> {
        Text::new(text).words.into_iter().map(|word| word.lower).collect()
    }

    #[test]
    fn words_are_plain_whatever_the_typography() {
        assert_eq!(
            lowers("A dancer\u{2019}s close-up; \u{ff14} toes, don't!"),
            ["a", "dancer", "close", "up", "4", "toes", "don't"]
        );
        assert_eq!(
            Text::new("The  \u{fb01}\u{ad}st, \"UP\"!").normal,
            Text::new("the fist up").normal
        );
    }

    #[test]
    fn gaps_tell_sentences_from_commas() {
        let gaps: Vec<Gap> = Text::new("One, two three-four. Five")
            .words
            .iter()
            .map(|word| word.gap)
            .collect();
        assert_eq!(
            gaps,
            [Gap::Sentence, Gap::Comma, Gap::Space, Gap::Joined, Gap::Sentence]
        );
    }

    #[test]
    fn plurals_meet_their_singular() {
        for (plural, expected) in [
            ("hands", "hand"),
            ("watches", "watch"),
            ("ladies", "lady"),
            ("glasses", "glass"),
            ("firemen", "fireman"),
            ("feet", "foot"),
            ("canvas", "canva"),
            ("bus", "bus"),
            ("pelvis", "pelvis"),
        ] {
            assert_eq!(singular(plural), expected);
        }
    }

    #[test]
    fn the_longest_phrase_wins() {
        let phrases = Phrases::new(&["behind back".to_owned(), "behind".to_owned(), "glov*".to_owned()]);
        let text = Text::new("Gloved hands behind backs");
        assert_eq!(phrases.find(&text.words), [(0, 1), (2, 2)]);
        assert_eq!(phrases.quotes(&text.words), ["gloved", "behind backs"]);
    }
}
