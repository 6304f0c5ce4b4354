//! Reads verdicts out of answers: pure functions of what is stored.

use asap_core::chat::{ChatReply, Finish};
use asap_core::{Choice, UnscoredReason, Verdict};
use serde::{Deserialize, Serialize};

use super::{Event, Subject};

/// What an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// About one image.
    Verdict(Verdict),
    /// About two.
    Choice(Choice),
}

impl Said {
    /// The verdict as a word of the protocol; `unscored` where there is none.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Verdict(Verdict::Pass) => "pass",
            Self::Verdict(Verdict::Fail) => "fail",
            Self::Choice(Choice::First) => "first",
            Self::Choice(Choice::Second) => "second",
            Self::Choice(Choice::Tie) => "tie",
            Self::Verdict(Verdict::Unscored { .. }) | Self::Choice(Choice::Unscored { .. }) => "unscored",
        }
    }

    /// Why there is no verdict, if there is none.
    pub const fn unscored(self) -> Option<UnscoredReason> {
        match self {
            Self::Verdict(Verdict::Unscored { reason }) | Self::Choice(Choice::Unscored { reason }) => {
                Some(reason)
            }
            _ => None,
        }
    }
}

/// What an event says about its subject.
///
/// The text is read strictly first: one JSON object with a verdict of the protocol. Where that fails, the last whole
/// JSON object with a verdict inside the text is taken, as behind a preface or in a code fence. Nothing defaults: what
/// cannot be read is unscored with its reason. An answer that was cut counts only if its text is whole all the same.
pub fn said(subject: &Subject, event: &Event) -> Said {
    let word = match event {
        Event::NoImage => Err(UnscoredReason::NoImage),
        Event::Failure(_) => Err(UnscoredReason::Http),
        Event::Reply(reply) => word(reply),
    };
    match subject {
        Subject::Image { .. } => Said::Verdict(match word.and_then(|word| verdict(&word)) {
            Ok(verdict) => verdict,
            Err(reason) => Verdict::Unscored { reason },
        }),
        Subject::Pair { .. } => Said::Choice(match word.and_then(|word| choice(&word)) {
            Ok(choice) => choice,
            Err(reason) => Choice::Unscored { reason },
        }),
    }
}

/// The part of an answer that decides.
#[derive(Deserialize)]
struct Answer {
    verdict: String,
}

fn word(reply: &ChatReply) -> Result<String, UnscoredReason> {
    let whole = serde_json::from_str::<Answer>(&reply.text).ok();
    let answer = match &reply.finish {
        Finish::Blocked { .. } => return Err(UnscoredReason::Blocked),
        Finish::Refused { .. } => return Err(UnscoredReason::Refused),
        Finish::Truncated => whole.ok_or(UnscoredReason::Truncated)?,
        Finish::Complete => whole
            .or_else(|| serde_json::from_str(last_answer(&reply.text)?).ok())
            .ok_or(UnscoredReason::Parse)?,
    };
    Ok(answer.verdict.trim().to_ascii_lowercase())
}

fn verdict(word: &str) -> Result<Verdict, UnscoredReason> {
    match word {
        "pass" => Ok(Verdict::Pass),
        "fail" => Ok(Verdict::Fail),
        "unscorable" => Err(UnscoredReason::Declined),
        _ => Err(UnscoredReason::InvalidEnum),
    }
}

fn choice(word: &str) -> Result<Choice, UnscoredReason> {
    match word {
        "first" => Ok(Choice::First),
        "second" => Ok(Choice::Second),
        "tie" => Ok(Choice::Tie),
        "unscorable" => Err(UnscoredReason::Declined),
        _ => Err(UnscoredReason::InvalidEnum),
    }
}

/// The last outermost JSON object of a text that has a verdict.
fn last_answer(text: &str) -> Option<&str> {
    let mut last = None;
    let mut at = 0;
    while let Some(offset) = text[at..].find('{') {
        let start = at + offset;
        let mut values =
            serde_json::Deserializer::from_str(&text[start..]).into_iter::<serde::de::IgnoredAny>();
        match values.next() {
            Some(Ok(_)) => {
                let end = start + values.byte_offset();
                let object = &text[start..end];
                if serde_json::from_str::<Answer>(object).is_ok() {
                    last = Some(object);
                }
                at = end;
            }
            // An object that the text ends in is cut: what stands inside of it is no answer.
            Some(Err(error)) if error.is_eof() => break,
            _ => at = start + 1,
        }
    }
    last
}

/// What a judge gave as evidence; for people, never for verdicts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Why the judge decided so.
    pub reason: Option<String>,
    /// `low`, `medium` or `high`.
    pub confidence: Option<String>,
    /// Defects of the image, or of both: `image` is then 1 or 2 in the order shown.
    pub defects: Vec<Defect>,
    /// Hands that the judge saw, in one image; `None` for pairs and where it does not say. A model that hides its
    /// hands passes without drawing them.
    pub n_hands: Option<usize>,
}

/// A defect as a judge described it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Defect {
    /// 1, or 2 for the second image of a pair.
    pub image: u8,
    /// `hand`, `face`, ...
    pub body_part: String,
    /// `count`, `shape`, ...
    pub kind: String,
    /// `slight`, `clear` or `severe`.
    pub severity: String,
    /// What is visible.
    pub evidence: String,
}

/// The evidence of an answer, as far as it can be read.
pub fn evidence(event: &Event) -> Option<Evidence> {
    let Event::Reply(reply) = event else {
        return None;
    };
    let is_whole = serde_json::from_str::<Answer>(&reply.text).is_ok();
    let object = if is_whole {
        &reply.text
    } else {
        last_answer(&reply.text)?
    };
    let value: serde_json::Value = serde_json::from_str(object).ok()?;
    let mut defects = defects(&value["defects"], 1);
    for (image, name) in [(1, "image_1"), (2, "image_2")] {
        defects.extend(self::defects(&value[name]["defects"], image));
    }
    let hands = |body: &serde_json::Value| body["hands"].as_array().map(Vec::len);
    Some(Evidence {
        reason: text(&value["reason"]),
        confidence: text(&value["verdict_confidence"]),
        defects,
        n_hands: value["bodies"]
            .as_array()
            .and_then(|bodies| bodies.iter().map(hands).sum()),
    })
}

fn defects(value: &serde_json::Value, image: u8) -> Vec<Defect> {
    let word = |value: &serde_json::Value| text(value).unwrap_or_default();
    let items = value.as_array().map_or(&[][..], Vec::as_slice);
    items
        .iter()
        .filter(|item| item.is_object())
        .map(|item| Defect {
            image,
            body_part: word(&item["body_part"]),
            kind: word(&item["kind"]),
            severity: word(&item["severity"]),
            evidence: word(&item["evidence"]),
        })
        .collect()
}

fn text(value: &serde_json::Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(text: &str, finish: Finish) -> Event {
        Event::Reply(ChatReply {
            text: text.to_owned(),
            finish,
            model_version: None,
            response_id: None,
            usage: None,
            raw: String::new(),
            attempts: 1,
            unanswered: 0,
        })
    }

    fn image() -> Subject {
        Subject::Image {
            model: "m".to_owned(),
            prompt_id: "p".parse().unwrap(),
            seed: 0,
            sha256: None,
        }
    }

    #[track_caller]
    fn check(text: &str, finish: Finish, expected: std::result::Result<Verdict, UnscoredReason>) {
        let expected = expected.unwrap_or_else(|reason| Verdict::Unscored { reason });
        assert_eq!(
            said(&image(), &event(text, finish)),
            Said::Verdict(expected),
            "{text}"
        );
    }

    #[test]
    fn strict_then_the_last_whole_object_then_nothing() {
        use UnscoredReason::{InvalidEnum, Parse};
        check(
            r#"{"defects":[],"verdict":"pass"}"#,
            Finish::Complete,
            Ok(Verdict::Pass),
        );
        check(
            "  {\"verdict\": \"Fail\"}\n\n",
            Finish::Complete,
            Ok(Verdict::Fail),
        );
        check(
            "```json\n{\"verdict\":\"fail\"}\n```",
            Finish::Complete,
            Ok(Verdict::Fail),
        );
        let corrected =
            r#"First I thought {"verdict":"pass"}, but {"reason":"{}","verdict":"fail"} is right {x}"#;
        check(corrected, Finish::Complete, Ok(Verdict::Fail));
        // The verdict of an inner object is not the verdict of the answer.
        check(r#"{"image_1":{"verdict":"pass"}}"#, Finish::Complete, Err(Parse));
        check(
            r#"{"a":{"verdict":"pass"},"verdict":"fail"}"#,
            Finish::Complete,
            Ok(Verdict::Fail),
        );
        check(
            r#"{"verdict":"pass","verdict":"fail"}"#,
            Finish::Complete,
            Err(Parse),
        );
        check(
            r#"{"verdict":"probably pass"}"#,
            Finish::Complete,
            Err(InvalidEnum),
        );
        check(r#"{"verdict":"first"}"#, Finish::Complete, Err(InvalidEnum));
        check(r#"{"verdict":1}"#, Finish::Complete, Err(Parse));
        for nothing in [
            "",
            "pass",
            "1",
            "The image passes.",
            "{",
            "{\"verdict\":",
            "{}",
            "[]",
            "null",
        ] {
            check(nothing, Finish::Complete, Err(Parse));
        }
    }

    #[test]
    fn how_the_answer_ended_comes_first() {
        use UnscoredReason::{Blocked, Declined, Refused, Truncated};
        let pass = r#"{"verdict":"pass"}"#;
        let blocked = Finish::Blocked {
            reason: "SAFETY".to_owned(),
        };
        let refused = Finish::Refused {
            message: "no".to_owned(),
        };
        check(pass, blocked, Err(Blocked));
        check(pass, refused, Err(Refused));
        check(
            r#"{"defects":[{"verdict":"pass"}"#,
            Finish::Truncated,
            Err(Truncated),
        );
        check(
            "Well. {\"verdict\":\"pass\"} so",
            Finish::Truncated,
            Err(Truncated),
        );
        // Some servers go on with blanks until the limit after a whole answer.
        check(
            "{\"verdict\":\"pass\"}\n\n\n   ",
            Finish::Truncated,
            Ok(Verdict::Pass),
        );
        check(r#"{"verdict":"unscorable"}"#, Finish::Complete, Err(Declined));
        assert_eq!(
            said(&image(), &Event::NoImage).unscored(),
            Some(UnscoredReason::NoImage)
        );
    }

    #[test]
    fn evidence_is_taken_as_far_as_it_goes() {
        let text = r#"{"bodies":[{"hands":[{},{}]},{"hands":[{}]}],"defects":[{"body_part":"hand","kind":"count",
            "severity":"clear","evidence":"six"},7],"reason":"r","verdict":"fail","verdict_confidence":"high"}"#;
        let found = evidence(&event(text, Finish::Complete)).unwrap();
        assert_eq!(found.n_hands, Some(3));
        assert_eq!(found.defects.len(), 1);
        assert_eq!(
            (found.defects[0].image, found.defects[0].evidence.as_str()),
            (1, "six")
        );
        assert_eq!(found.confidence.as_deref(), Some("high"));
        let pair = r#"{"image_1":{"defects":[]},"image_2":{"defects":[{"kind":"shape"}]},"verdict":"first"}"#;
        let found = evidence(&event(pair, Finish::Complete)).unwrap();
        assert_eq!((found.defects[0].image, found.n_hands), (2, None));
        assert_eq!(evidence(&Event::NoImage), None);
    }
}
