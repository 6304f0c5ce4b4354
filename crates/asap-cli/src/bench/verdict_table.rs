//! What judging came to, in words.

use std::collections::BTreeMap;

use asap_bench::cost::DryRun;
use asap_bench::judge::{Stop, Summary};

use crate::failure::hinted;

/// Counts by name: `pass 12, fail 3`.
pub(super) fn counts(counts: &BTreeMap<&'static str, usize>) -> String {
    let parts: Vec<String> = counts.iter().map(|(name, n)| format!("{name} {n}")).collect();
    parts.join(", ")
}

/// The summary of a run of judging.
pub(super) fn text(summary: &Summary) -> String {
    let n_verdicts: usize = summary.verdicts.values().sum();
    let mut text = format!("{n_verdicts} of {} answers have a verdict", summary.n_questions);
    if n_verdicts > 0 {
        text.push_str(&format!(": {}", counts(&summary.verdicts)));
    }
    text.push('\n');
    if !summary.unscored.is_empty() {
        text.push_str(&format!("without a verdict: {}\n", counts(&summary.unscored)));
    }
    if summary.n_left > 0 {
        text.push_str(&format!("not asked: {}\n", summary.n_left));
    }
    let usage = summary.usage;
    text.push_str(&format!(
        "{} calls, {} tokens in and {} out",
        summary.n_calls,
        usage.prompt,
        usage.output + usage.thoughts
    ));
    match summary.spent_usd {
        Some(spent) => text.push_str(&format!(
            "; {:.4} USD, {spent:.4} with earlier calls\n",
            summary.usd
        )),
        None => text.push('\n'),
    }
    text
}

/// The estimate of a dry run.
pub(super) fn dry_run_text(plan: &DryRun) -> String {
    let usd = |usd: Option<f64>| {
        usd.map_or_else(
            || "unknown, there is no price".to_owned(),
            |usd| format!("{usd:.2} USD"),
        )
    };
    let mut text = format!(
        "{} questions: {} answered already, {} without an image, {} to ask\n\
         {} tokens in, {} tokens out\n\
         estimated cost {}; {} if every answer is as long as it may be; spent so far {:.2} USD\n\
         assumed:\n",
        plan.n_questions,
        plan.n_answered,
        plan.n_without_image,
        plan.n_calls,
        plan.input_tokens,
        plan.output_tokens,
        usd(plan.usd),
        usd(plan.most_usd),
        plan.spent_usd
    );
    for assumption in &plan.assumptions {
        text.push_str(&format!("  - {assumption}\n"));
    }
    text
}

/// Why a run ended early, as the failure of the command.
pub(super) fn stopped(stop: &Stop, max_usd: Option<f64>) -> anyhow::Error {
    let kept = "every answer so far is kept";
    match stop {
        Stop::Interrupted => hinted(
            "stopped before all was asked",
            format!("{kept}; the same command goes on"),
        ),
        Stop::DailyQuota { message } => hinted(
            format!("the quota of the day is used up: {message}"),
            format!(
                "{kept}; run the same command again tomorrow (Gemini's days begin at midnight Pacific time)"
            ),
        ),
        Stop::Budget { spent_usd, next_usd } => hinted(
            format!(
                "the next call may cost up to {next_usd:.4} USD and {spent_usd:.4} are spent: that could pass --max-usd {}",
                max_usd.unwrap_or_default()
            ),
            format!("{kept}; the same command with a larger --max-usd goes on"),
        ),
        Stop::Denied { message } => hinted(
            format!("the judge does not let us in: {message}"),
            "check the key in GEMINI_API_KEY or OPENAI_API_KEY and the name of the model",
        ),
        Stop::Failing { n_failures, message } => hinted(
            format!("{n_failures} failures in a row, the last one: {message}"),
            format!("{kept}; run the same command again when the server is well"),
        ),
    }
}

/// What is left undone although nothing stopped the run.
pub(super) fn undone(summary: &Summary) -> Option<anyhow::Error> {
    let n_failed = summary.unscored.get("http").copied().unwrap_or(0);
    (n_failed > 0).then(|| {
        hinted(
            format!("{n_failed} questions have no answer, because calls failed"),
            "run the same command again: it asks for these only; -v shows each failure",
        )
    })
}
