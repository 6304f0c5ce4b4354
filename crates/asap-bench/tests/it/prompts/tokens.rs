//! Estimates of token counts against the tokenizers themselves.

use asap_bench::prompts::{bert_tokens_estimate, clip_tokens_estimate};
use serde::Deserialize;

const GOLDEN: &str = include_str!("../../golden/prompts/token_counts.json");

#[derive(Deserialize)]
struct Golden {
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    text: String,
    clip: usize,
    bert: usize,
}

fn golden() -> Vec<Row> {
    serde_json::from_str::<Golden>(GOLDEN).unwrap().rows
}

/// Asserts that the estimate of every sentence is between the count and the count plus a half of it.
fn check(estimate: fn(&str) -> usize, count: fn(&Row) -> usize, mean_excess_max: f64) {
    let rows = golden();
    let sentences: Vec<&Row> = rows.iter().filter(|row| row.text.ends_with('.')).collect();
    assert!(sentences.len() > 100, "{}", sentences.len());
    let mut sum = 0.0;
    for row in &sentences {
        let (got, true_count) = (estimate(&row.text), count(row));
        assert!(
            got >= true_count,
            "{got} for {true_count} tokens of `{}`",
            row.text
        );
        sum += (got - true_count) as f64;
    }
    let mean_excess = sum / sentences.len() as f64;
    assert!(mean_excess <= mean_excess_max, "{mean_excess}");
}

#[test]
fn the_estimate_for_clip_is_from_above_and_near() {
    check(clip_tokens_estimate, |row| row.clip, 10.5);
}

#[test]
fn the_estimate_for_bert_is_from_above_and_near() {
    check(bert_tokens_estimate, |row| row.bert, 8.0);
}

#[test]
fn rare_words_alone_are_where_it_is_no_bound() {
    let below: Vec<String> = golden()
        .into_iter()
        .filter(|row| {
            clip_tokens_estimate(&row.text) < row.clip || bert_tokens_estimate(&row.text) < row.bert
        })
        .map(|row| row.text)
        .collect();
    assert_eq!(
        below,
        [
            "Metacarpophalangeal, sternocleidomastoid and gastrocnemius",
            "electroencephalography otorhinolaryngologist",
            "Uttanasana, Trikonasana, Adho Mukha Svanasana",
        ]
    );
}
