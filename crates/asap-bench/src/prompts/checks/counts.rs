//! Numbers in the text against what a body has and what the row says.

use asap_core::Prompt;

use super::super::Rules;
use super::super::words::{Gap, Text, Word, number};
use super::{Hit, Subject};

/// Words between a number and its noun, as in `three tired young dancers`.
const WORDS_BETWEEN: usize = 3;
/// Fingers of a hand, the thumb among them.
const FINGERS_EACH: u32 = 5;
/// Parts of which a person has two, and parts of which a person has one.
const PAIRED: [&str; 17] = [
    "hand", "thumb", "fist", "palm", "wrist", "elbow", "arm", "forearm", "shoulder", "knee", "leg", "thigh",
    "foot", "ankle", "heel", "eye", "ear",
];
const SINGLE: [&str; 6] = ["head", "face", "nose", "mouth", "neck", "chin"];

/// More of a part than `persons` have: three hands of one person.
pub(super) fn parts(subject: &Subject<'_>) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (prompt, text) in subject.rows() {
        for (n, noun) in counted(text) {
            let each = match noun {
                _ if PAIRED.contains(&noun) => 2,
                _ if SINGLE.contains(&noun) => 1,
                _ => continue,
            };
            let most = prompt.persons.saturating_mul(each);
            if n > most {
                let evidence = format!("{n} of \"{noun}\", {} persons have {most}", prompt.persons);
                hits.push(Hit::in_prompt(&prompt.id, evidence));
            }
        }
    }
    hits
}

/// More fingers than five on one hand, or than all hands of the row have.
pub(super) fn fingers(subject: &Subject<'_>) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (prompt, text) in subject.rows() {
        let is_one_hand = [
            "on one hand",
            "on a hand",
            "on each hand",
            "on his hand",
            "on her hand",
            "of one hand",
            "of a hand",
        ]
        .iter()
        .any(|words| text.normal.contains(words));
        let n_hands = if is_one_hand { 1 } else { prompt.hands_expected.max };
        for (n, noun) in counted(text) {
            let most = FINGERS_EACH * n_hands;
            if noun == "finger" && n > most {
                let evidence = format!("{n} fingers, {n_hands} hands have {most}");
                hits.push(Hit::in_prompt(&prompt.id, evidence));
            }
        }
    }
    hits
}

/// `both hands` and counted hands against `hands_expected`.
pub(super) fn hands(subject: &Subject<'_>) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (prompt, text) in subject.rows() {
        let max = prompt.hands_expected.max;
        let too_many = counted(text).find(|&(n, noun)| noun == "hand" && n > max);
        if let Some((n, _)) = too_many {
            let evidence = format!("{n} hands, `hands_expected` has max {max}");
            hits.push(Hit::in_prompt(&prompt.id, evidence));
        }
    }
    hits
}

/// The number of persons that the text names against `persons`. Where one mention has no number that the rule
/// can read, it says nothing.
pub(super) fn persons(subject: &Subject<'_>) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (prompt, text) in subject.rows() {
        if let Some(named) = persons_named(subject.rules, text)
            && named != prompt.persons
        {
            hits.push(Hit::in_prompt(&prompt.id, evidence_of(prompt, named)));
        }
    }
    hits
}

fn evidence_of(prompt: &Prompt, named: u32) -> String {
    format!("{named} in the text, `persons` is {}", prompt.persons)
}

/// Numbers with the noun that they count, in the singular: the nearest known part of the body or finger within
/// four words.
fn counted(text: &Text) -> impl Iterator<Item = (u32, &str)> {
    let words = &text.words;
    (0..words.len()).filter_map(move |at| {
        let n = number(&words[at].lower)?;
        let phrase = words[at + 1..].iter().take(WORDS_BETWEEN + 1);
        let phrase = phrase.take_while(|word| word.gap.is_close());
        let noun = phrase
            .take_while(|word| number(&word.lower).is_none())
            .find(|word| {
                let base = word.base.as_str();
                // `two hand weights`: the singular is no counted noun.
                let is_plural = n == 1 || word.lower != word.base;
                is_plural && (base == "finger" || PAIRED.contains(&base) || SINGLE.contains(&base))
            })?;
        Some((n, noun.base.as_str()))
    })
}

/// How many persons a text names: the number after a group (`a family of three`), else the sum of the numbers
/// and articles before the nouns of persons. `the`, `other` and the like refer back to one who was named. The
/// rule says nothing where it cannot tell: after `his` and `her`, where a person owns what is no part of a body
/// (`a tailor's room`), and where `two rivals, a man and a woman` may name the same persons twice.
fn persons_named(rules: &Rules, text: &Text) -> Option<u32> {
    let words = &text.words;
    if let Some(n) = group_size(rules, words) {
        return Some(n);
    }
    let (mut n_alone, mut n_together) = (0, 0);
    for at in 0..words.len() {
        let [one, two] = [&rules.persons.one, &rules.persons.two].map(|it| it.len_at(words, at));
        let next = at + one.max(two);
        if next == at || is_attribute(rules, words, next) {
            continue;
        }
        if owns_a_thing(rules, words, next) {
            return None;
        }
        match mention(words, at) {
            Mention::Number(n) if two > 0 => n_together += 2 * n.min(1),
            Mention::Number(1) => n_alone += 1,
            Mention::Number(n) => n_together += n,
            Mention::Back => {}
            Mention::Unknown => return None,
        }
    }
    let is_clear = (n_alone > 0) != (n_together > 0);
    is_clear.then_some(n_alone + n_together)
}

fn group_size(rules: &Rules, words: &[Word]) -> Option<u32> {
    let groups = rules.persons.groups.find(words).into_iter();
    let mut sizes = groups.filter_map(|(at, len)| {
        let after = words.get(at + len..at + len + 2)?;
        (after[0].lower == "of")
            .then(|| number(&after[1].lower))
            .flatten()
    });
    sizes.next()
}

/// Whether a noun of a person stands right before another one, as in `a child actor`.
fn is_attribute(rules: &Rules, words: &[Word], next: usize) -> bool {
    follows_closely(words, next) && rules.persons.one.len_at(words, next) > 0
}

/// Whether a person, whose noun ends before `next`, owns what is no part of a body. What is owned is named before
/// the next article, preposition or the like.
fn owns_a_thing(rules: &Rules, words: &[Word], next: usize) -> bool {
    let is_owned = |at: usize| follows_closely(words, at) && !rules.stop.words.contains(&words[at].lower);
    let mut owned = (next..=next + WORDS_BETWEEN).take_while(|&at| is_owned(at));
    let is_body = |at| {
        rules
            .visible
            .values()
            .any(|lexicon| lexicon.len_at(words, at) > 0)
    };
    words[next - 1].is_possessive && !owned.any(is_body)
}

fn follows_closely(words: &[Word], at: usize) -> bool {
    words.get(at).is_some_and(|word| word.gap.is_close())
}

fn is_plural(word: &Word) -> bool {
    word.lower != word.base
}

enum Mention {
    Number(u32),
    Back,
    Unknown,
}

/// Reads backwards from a noun of a person to its number or article.
fn mention(words: &[Word], noun: usize) -> Mention {
    let mut at = noun;
    while at > 0 && words[at].gap != Gap::Sentence && noun - at <= WORDS_BETWEEN {
        at -= 1;
        match words[at].lower.as_str() {
            "the" | "other" | "both" | "each" | "first" | "second" => return Mention::Back,
            "his" | "her" | "their" => return Mention::Unknown,
            "a" | "an" | "another" => return Mention::Number(1),
            word => {
                if let Some(n) = number(word) {
                    return Mention::Number(n);
                }
            }
        }
    }
    if is_plural(&words[noun]) {
        Mention::Unknown
    } else {
        Mention::Number(1)
    }
}
