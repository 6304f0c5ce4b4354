//! Each check on a prompt that fails it and on one close to it that passes.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{report, row, rows, told};

/// A check with rows that fail it and rows that pass all.
struct Case {
    check: &'static str,
    fails: Vec<Value>,
    evidence: &'static str,
    passes: Vec<Value>,
}

/// A case of one prompt whose text is what matters.
fn text(check: &'static str, fails: &str, evidence: &'static str, passes: &str) -> Case {
    case(
        check,
        json!({"prompt": fails}),
        evidence,
        json!({"prompt": passes}),
    )
}

/// A case of one prompt with other keys too.
fn case(check: &'static str, fails: Value, evidence: &'static str, passes: Value) -> Case {
    Case {
        check,
        fails: vec![row(fails)],
        evidence,
        passes: vec![row(passes)],
    }
}

/// A case of a set.
fn set(check: &'static str, fails: &[&str], evidence: &'static str, passes: &[&str]) -> Case {
    Case {
        check,
        fails: rows(fails.iter().copied()),
        evidence,
        passes: rows(passes.iter().copied()),
    }
}

fn check(cases: Vec<Case>) {
    for case in cases {
        let failing = report(&case.fails, CAPTIONS);
        let hit = failing.findings.iter().find(|it| it.check == case.check);
        let hit = hit.unwrap_or_else(|| panic!("{} lets pass {:?}", case.check, case.fails));
        assert!(
            hit.evidence.contains(case.evidence),
            "{}: {}",
            case.check,
            hit.evidence
        );
        assert!(hit.message.contains(&hit.evidence), "{}", hit.message);
        let passing = report(&case.passes, CAPTIONS);
        assert_eq!(told(&passing.findings), [""; 0], "near {}", case.check);
    }
}

const CAPTIONS: &[&str] = &["a woman in a red coat waves with her left hand on a bridge"];
const A: &str = "A bearded potter raises one open hand beside a sunlit kiln.";
const B: &str = "Close-up of a cellist pressing two strings with the left hand on stage.";
const C: &str = "On a foggy pier, a fisherman ties a bowline knot with cold fingers.";

#[test]
fn duplicates() {
    check(vec![
        set("duplicate.exact", &[A, B, A], "as `haf-bas-0001`", &[A, B, C]),
        set(
            "duplicate.normalised",
            &[
                A,
                "a bearded potter raises one OPEN hand, beside a sun\u{ad}lit kiln",
                "A Bearded potter raises one open hand beside a sunlit kiln!",
            ],
            "as `haf-bas-0001`",
            &[A, B],
        ),
        set(
            "duplicate.near",
            &[A, "A bearded potter raises one open hand beside a rainy kiln."],
            "0.78 of the words",
            &[
                A,
                "A bearded farmer raises one muddy hand beside a sunlit tractor.",
            ],
        ),
    ]);
}

#[test]
fn lengths() {
    let long = |n_words: usize| format!("{} {}", A, ["clay pots"].repeat(n_words / 2).join(" and "));
    check(vec![
        text(
            "length.words",
            "A raised open hand.",
            "got 4",
            "A potter with a raised hand.",
        ),
        text("length.words", &long(66), "6 to 60 words", A),
        text(
            "length.characters",
            &format!("{A} {}", "Earthenware-shelves-behind-glass ".repeat(14).trim()),
            "at most 400 characters",
            A,
        ),
        text("length.clip", &long(54), "of 77 tokens by estimate", A),
        text(
            "length.bert",
            "Seen from the side, a weathered fisherwoman on a foggy harbour wall ties a bowline knot in thick wet rope with both hands.",
            "1 prompts may have more than 35 tokens",
            C,
        ),
    ]);
}

#[test]
fn characters() {
    check(vec![
        text(
            "text.characters",
            "A potter raises one open hand \u{2014} beside a sunlit kiln.",
            "U+2014 at character 31",
            "A potter at a caf\u{e9} raises one open hand beside a window.",
        ),
        text(
            "text.characters",
            "A potter raises one\topen hand by a sunlit kiln.",
            "U+0009",
            A,
        ),
        text(
            "text.spacing",
            "A potter  raises one open hand beside a kiln.",
            "A potter  raises",
            A,
        ),
        text(
            "text.spacing",
            "A potter raises one open open hand beside a kiln.",
            "\"open open\"",
            A,
        ),
        text(
            "text.spacing",
            "A so so potter raises one hand, hand open, by a a kiln.",
            "\"so so\"",
            "A so-so potter raises one hand, hand open, by a kiln.",
        ),
    ]);
}

#[test]
fn visibility() {
    check(vec![
        text(
            "visible.part",
            "A bearded potter beside a sunlit kiln in the morning.",
            "`hands`",
            "A bearded potter kneads wet clay beside a sunlit kiln.",
        ),
        case(
            "visible.part",
            json!({"prompt": "A potter raises one open hand beside a sunlit kiln.", "regions": ["hands", "face"]}),
            "`face`",
            json!({"prompt": "A smiling potter raises one open hand beside a sunlit kiln.", "regions": ["hands", "face"]}),
        ),
        text(
            "visible.hidden",
            "A potter with both hands in his pockets beside a kiln.",
            "\"in his pockets\" hides `hands`",
            "A potter with both hands on the hips beside a kiln.",
        ),
        case(
            "visible.hidden",
            json!({"prompt": "A boxer raises one gloved hand beside the ring."}),
            "\"gloved\"",
            json!({"prompt": "A boxer raises one gloved hand beside the ring.", "factors": ["gloves"]}),
        ),
        case(
            "visible.unclaimed",
            json!({"prompt": "A potter with a broad smile lifts a thumb beside a kiln.", "regions": ["face"], "hands_expected": {"min": 0, "max": 2}}),
            "\"thumb\"",
            json!({"prompt": "A potter with a broad smile looks up beside a kiln.", "regions": ["face"], "hands_expected": {"min": 0, "max": 2}}),
        ),
    ]);
}

#[test]
fn ambiguity() {
    check(vec![
        text(
            "ambiguous.quantity",
            "A potter holds several bowls in front of a sunlit kiln.",
            "\"several\"",
            "A potter holds two stacked bowls in front of a sunlit kiln.",
        ),
        text(
            "ambiguous.choice",
            "A potter raises one or two open hands beside a kiln.",
            "\"or\"",
            "A potter raises two open hands beside a kiln.",
        ),
        text(
            "ambiguous.pronoun",
            "With her hand on the wheel, a potter shapes a tall vase.",
            "\"her\"",
            "A potter shapes a tall vase with her hand on the wheel.",
        ),
    ]);
}

#[test]
fn counts() {
    let pair = json!({"min": 2, "max": 4});
    check(vec![
        text(
            "count.parts",
            "A potter lifts three wet hands above a sunlit kiln.",
            "3 of \"hand\", 1 persons have 2",
            "A potter lifts two wet hands above a sunlit kiln.",
        ),
        text(
            "count.fingers",
            "A potter spreads six fingers on one hand beside a kiln.",
            "6 fingers, 1 hands have 5",
            "A potter spreads four fingers on one hand beside a kiln.",
        ),
        text(
            "count.persons",
            "Two young potters raise one open hand beside a kiln.",
            "2 in the text, `persons` is 1",
            "One young potter raises two open hands beside a kiln.",
        ),
        case(
            "count.persons",
            json!({"prompt": "A potter and a baker shake hands beside a kiln.", "persons": 3, "hands_expected": pair}),
            "2 in the text, `persons` is 3",
            json!({"prompt": "A potter and a baker shake hands beside a kiln.", "persons": 2, "hands_expected": pair}),
        ),
        text(
            "count.persons",
            "A tailor and a young potter raise one open hand in a room.",
            "2 in the text, `persons` is 1",
            "In a tailor's room a barefoot potter raises one open hand.",
        ),
        case(
            "count.persons",
            json!({"prompt": "A family of four, mother seated, raises one open hand each.", "persons": 3, "hands_expected": {"min": 3, "max": 3}}),
            "4 in the text, `persons` is 3",
            json!({"prompt": "A family of three, mother seated, raises one open hand each.", "persons": 3, "hands_expected": {"min": 3, "max": 3}}),
        ),
        case(
            "count.persons",
            json!({"prompt": "Two rivals shake hands beside a kiln.", "persons": 3, "hands_expected": pair}),
            "2 in the text, `persons` is 3",
            json!({"prompt": "Two rivals shake hands, a potter and a baker.", "persons": 2, "hands_expected": pair}),
        ),
        case(
            "count.hands",
            json!({"prompt": "A potter lifts both hands above a sunlit kiln.", "hands_expected": {"min": 1, "max": 1}}),
            "2 hands, `hands_expected` has max 1",
            json!({"prompt": "A potter lifts one hand above a sunlit kiln.", "hands_expected": {"min": 1, "max": 1}}),
        ),
    ]);
}

#[test]
fn wording() {
    check(vec![
        text(
            "wording.negation",
            "A potter raises one hand without a ring beside a kiln.",
            "\"without\"",
            "A potter raises one bare hand beside a kiln.",
        ),
        text(
            "wording.style",
            "A potter raises one open hand, highly detailed, 8k.",
            "\"highly detailed\"",
            "A potter raises one open hand, detailed kiln behind.",
        ),
        text(
            "wording.implausible",
            "A potter with wings raises one open hand beside a kiln.",
            "\"wings\"",
            "A potter with a wingback chair raises one open hand.",
        ),
    ]);
}

#[test]
fn names_and_safety() {
    check(vec![
        text(
            "name.person",
            "Marie Kondo raises one open hand beside a wardrobe.",
            "\"marie kondo\"",
            "Elderly Japanese potter raises one open hand beside a wardrobe.",
        ),
        text(
            "name.person",
            "A potter like Picasso raises one open hand beside a kiln.",
            "\"picasso\"",
            "A Nigerian potter makes the OK sign with one hand.",
        ),
        text(
            "name.person",
            "Letter F signed by Ada Lovelace with one hand beside a window.",
            "\"ada lovelace\"",
            "Letter F signed by a woman with Down syndrome with one hand.",
        ),
        text(
            "name.brand",
            "A potter holds an iPhone in one open hand.",
            "\"iphone\"",
            "A potter holds a telephone in one open hand.",
        ),
        text(
            "safety.unsafe",
            "A potter holds a pistol in one hand beside a kiln.",
            "\"pistol\"",
            "A potter holds a whistle in one hand beside a kiln.",
        ),
        text(
            "safety.unsafe",
            "A potter gives the middle finger with one hand beside a kiln.",
            "\"gives the middle finger\"",
            "A potter lays the middle finger of one hand on a kiln.",
        ),
        text(
            "safety.minor",
            "A girl in a bikini raises one open hand beside a pool.",
            "\"girl\" with \"bikini\"",
            "A girl in a raincoat raises one open hand beside a pool.",
        ),
    ]);
}

/// Openings of their own, so that only the tails repeat.
fn many(openings: &[&str], tail: &str) -> Vec<String> {
    openings
        .iter()
        .map(|opening| format!("{opening} {tail}"))
        .collect()
}

#[test]
fn templates() {
    let tails = [
        "raises one open hand beside a sunlit kiln",
        "pours glaze with a steady left hand at dawn",
        "wipes both palms on a linen apron outdoors",
    ];
    let same: Vec<String> = tails
        .iter()
        .map(|tail| format!("A bearded potter gently {tail}."))
        .collect();
    let other = many(
        &[
            "A young potter slowly",
            "Near noon a sculptor",
            "Seen close, a baker",
        ],
        "",
    );
    let other: Vec<String> = other.iter().zip(tails).map(|(a, b)| format!("{a}{b}.")).collect();
    let skeletons = [
        "A young potter with a red scarf raises a bowl in one hand.",
        "An old baker with a blue hat raises a loaf in one hand.",
        "A tall sailor with a green belt raises a rope in one hand.",
    ];
    let refs = |texts: &'_ [String]| rows(texts.iter().map(String::as_str));
    check(vec![
        Case {
            check: "template.opening",
            fails: refs(&same),
            evidence: "\"a bearded potter gently\" in 3 of 3 prompts",
            passes: refs(&other),
        },
        Case {
            check: "template.skeleton",
            fails: rows([
                "A young potter with a red scarf raises one hand in the sun.",
                "A tall baker with a blue scarf raises one hand in the rain.",
                "An old sailor with one green scarf raises both hands in the fog.",
                "A short farmer with a grey scarf raises one hand in the snow.",
            ]),
            evidence: "of 4 prompts",
            passes: rows(skeletons),
        },
    ]);
}

#[test]
fn leakage() {
    check(vec![
        text(
            "leak.ngram",
            "On Sunday a woman in a red coat waves with her right hand at gulls.",
            "\"a woman in a red coat waves with\" of \"a woman in a red coat",
            "On Sunday a woman in a red coat greets gulls with one hand.",
        ),
        text(
            "leak.near",
            "On a bridge, a woman waves a left hand in a red coat.",
            "1.00 of the words in common",
            "On a pier, a woman waves a right hand in a green coat.",
        ),
    ]);
}

/// Which checks the tables above have; a new check without a case fails here.
#[test]
fn every_check_has_a_case() {
    let source = include_str!("checks.rs");
    let without: BTreeSet<&str> = report(&[row(json!({}))], CAPTIONS)
        .checks
        .iter()
        .map(|count| count.check)
        .filter(|check| {
            *check != "format" && !check.starts_with("balance.") && !source.contains(&format!("\"{check}\""))
        })
        .collect();
    assert_eq!(without, BTreeSet::new());
}
