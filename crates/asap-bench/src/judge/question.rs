//! Questions of a run, and the requests that put them.

use std::collections::BTreeSet;

use asap_core::chat::{ChatPart, ChatRequest, ImageBytes, Sampling};
use asap_core::judgement::Order;
use asap_core::{PromptId, Sha256};

use super::ladder::{Next, Wording};
use super::{Asked, Subject, question_key};
use crate::protocol::{Kind, Protocol, ShowPrompt};
use crate::run::Run;
use crate::{Error, Result};

/// A question with its cache key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The cache key.
    pub key: Sha256,
    /// The question by its names.
    pub asked: Asked,
    /// The text that the images were made from.
    pub prompt: String,
}

/// A piece of the user's message.
pub(super) enum Piece {
    Text(String),
    Image,
}

/// The message in order: each image behind its label, the prompt where it is shown, the question.
pub(super) fn pieces(protocol: &Protocol, prompt: &str) -> Vec<Piece> {
    let file = &protocol.file;
    let mut pieces = Vec::new();
    match file.kind {
        Kind::Image => pieces.push(Piece::Image),
        Kind::Pair => {
            for label in &file.labels {
                pieces.push(Piece::Text(label.clone()));
                pieces.push(Piece::Image);
            }
        }
    }
    if protocol.show_prompt == ShowPrompt::Always {
        pieces.push(Piece::Text(file.prompt_note.replace("{prompt}", prompt)));
    }
    pieces.push(Piece::Text(file.question.clone()));
    pieces
}

/// One question for each sample of a run and each repeat, in the order of [`Run::samples`].
pub fn image_questions(run: &Run, protocol: &Protocol, judge: &str, n_repeats: u32) -> Vec<Question> {
    let mut questions = Vec::new();
    for (prompt_id, seed) in run.samples() {
        for repeat in 0..n_repeats {
            let subject = Subject::Image {
                model: run.model().to_owned(),
                prompt_id: prompt_id.clone(),
                seed,
                sha256: run.image(prompt_id, seed).map(|image| image.sha256),
            };
            questions.push(question(run, protocol, judge, subject, repeat));
        }
    }
    questions
}

/// Two questions, one in each order, for each sample that both runs should have, and each repeat.
///
/// # Errors
/// [`Error::NotComparable`] for runs of one model, of other prompts or without a common seed.
pub fn pair_questions(
    run: &Run,
    baseline: &Run,
    protocol: &Protocol,
    judge: &str,
    n_repeats: u32,
) -> Result<Vec<Question>> {
    comparable(run, baseline)?;
    let mut questions = Vec::new();
    let seeds = &baseline.manifest().seeds;
    for (prompt_id, seed) in run.samples().filter(|(_, seed)| seeds.contains(seed)) {
        for repeat in 0..n_repeats {
            for order in Order::BOTH {
                let subject = Subject::Pair {
                    model: run.model().to_owned(),
                    baseline: baseline.model().to_owned(),
                    prompt_id: prompt_id.clone(),
                    seed,
                    sha256: [run, baseline].map(|run| run.image(prompt_id, seed).map(|image| image.sha256)),
                    order,
                };
                questions.push(question(run, protocol, judge, subject, repeat));
            }
        }
    }
    Ok(questions)
}

/// The questions about at most `n_samples` samples, spread evenly over all of them.
pub fn limited(questions: Vec<Question>, n_samples: usize) -> Vec<Question> {
    let sample = |question: &Question| {
        let (prompt_id, seed) = question.asked.subject.prompt_and_seed();
        (prompt_id.clone(), seed)
    };
    let mut samples: Vec<(PromptId, u64)> = questions.iter().map(sample).collect();
    samples.dedup();
    let n = n_samples.min(samples.len());
    let chosen: BTreeSet<&(PromptId, u64)> = (0..n).map(|idx| &samples[idx * samples.len() / n]).collect();
    questions
        .into_iter()
        .filter(|question| chosen.contains(&sample(question)))
        .collect()
}

/// The settings of a call. A seed differs for each repeat and each call of an attempt, as a server with seeds would
/// only repeat itself, and has 31 bits, as Gemini's have.
pub(super) fn sampling_of(protocol: &Protocol, repeat: u32, ask: u32, max_output_tokens: u32) -> Sampling {
    const CALLS_OF_AN_ATTEMPT: u64 = 1 << 20;
    let sampling = &protocol.file.sampling;
    let place = u64::from(repeat)
        .wrapping_mul(CALLS_OF_AN_ATTEMPT)
        .wrapping_add(ask.into());
    Sampling {
        max_output_tokens,
        seed: sampling.seed.map(|seed| seed.wrapping_add(place) & 0x7fff_ffff),
        ..sampling.clone()
    }
}

/// Whether two runs can be compared image by image.
pub(super) fn comparable(run: &Run, baseline: &Run) -> Result<()> {
    let not = |message: String| {
        Err(Error::NotComparable {
            model: run.dir().display().to_string(),
            baseline: baseline.dir().display().to_string(),
            message,
        })
    };
    if run.model() == baseline.model() {
        return not(format!(
            "both are runs of `{}`; expected two names of models",
            run.model()
        ));
    }
    let [ours, theirs] = [run, baseline].map(|run| &run.manifest().benchmark);
    if ours.prompts_sha256 != theirs.prompts_sha256 {
        return not(format!(
            "expected the same prompts, got `{}` {} (SHA-256 {}) and `{}` {} ({})",
            ours.name,
            ours.version,
            ours.prompts_sha256.short(),
            theirs.name,
            theirs.version,
            theirs.prompts_sha256.short()
        ));
    }
    let [ours, theirs] = [run, baseline].map(|run| &run.manifest().seeds);
    if ours.iter().all(|seed| !theirs.contains(seed)) {
        return not(format!("expected a common seed, got {ours:?} and {theirs:?}"));
    }
    Ok(())
}

fn question(run: &Run, protocol: &Protocol, judge: &str, subject: Subject, repeat: u32) -> Question {
    let prompt_of = |id: &PromptId| {
        run.prompt(id)
            .map_or(String::new(), |prompt| prompt.prompt.clone())
    };
    let prompt = prompt_of(subject.prompt_and_seed().0);
    Question {
        key: question_key(protocol, judge, &subject, &prompt, repeat),
        prompt,
        asked: Asked {
            judge: judge.to_owned(),
            protocol: protocol.id.clone(),
            protocol_sha256: protocol.sha256,
            subject,
            repeat,
        },
    }
}

/// The request that puts a question for the first time; `images` are in the order shown.
pub fn request(question: &Question, protocol: &Protocol, images: Vec<ImageBytes>) -> ChatRequest {
    let first = Next {
        ask: 0,
        max_output_tokens: protocol.file.sampling.max_output_tokens,
        wording: Wording::Plain,
    };
    request_of(question, protocol, images, first)
}

/// The request of any call of the ladder.
pub(super) fn request_of(
    question: &Question,
    protocol: &Protocol,
    images: Vec<ImageBytes>,
    next: Next,
) -> ChatRequest {
    let file = &protocol.file;
    let mut images = images.into_iter();
    let mut parts: Vec<ChatPart> = pieces(protocol, &question.prompt)
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Text(text) => Some(ChatPart::Text(text)),
            Piece::Image => images.next().map(ChatPart::Image),
        })
        .collect();
    if next.wording == Wording::WithReminder {
        parts.push(ChatPart::Text(file.reask.clone()));
    }
    let sampling = sampling_of(protocol, question.asked.repeat, next.ask, next.max_output_tokens);
    let (_, model) = question
        .asked
        .judge
        .split_once(':')
        .unwrap_or(("", &question.asked.judge));
    ChatRequest {
        model: model.to_owned(),
        system: file.system.clone(),
        parts,
        schema_name: file.answer.name.clone(),
        schema_json: file.answer.schema.clone(),
        sampling,
    }
}
