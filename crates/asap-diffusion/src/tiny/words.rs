//! Prompts as vectors without a text encoder: a word's vector is drawn from a stream named by the word.

use asap_core::Stream;

use crate::{Array, Result};

/// The words of a prompt as tokens and their mean as the pooled vector, in the shapes of a FLUX prompt.
///
/// # Shapes
/// tokens `[n_tokens, token_dim]`, pooled `[pooled_dim]`. A shorter prompt is filled up with zeros, the words after
/// the last token are left out of both.
/// # Units
/// Unit variance per word.
/// # Errors
/// None for sizes that fit in memory.
pub fn embed(prompt: &str, n_tokens: usize, token_dim: usize, pooled_dim: usize) -> Result<(Array, Array)> {
    let lower = prompt.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(n_tokens)
        .collect();
    let mut tokens = vec![0f32; n_tokens * token_dim];
    let mut pooled = vec![0f32; pooled_dim];
    let share = 1.0 / (words.len().max(1) as f32).sqrt();
    for (token, word) in tokens.chunks_exact_mut(token_dim.max(1)).zip(&words) {
        fill(token, "token", word);
        let mut vector = vec![0f32; pooled_dim];
        fill(&mut vector, "pooled", word);
        for (sum, value) in pooled.iter_mut().zip(vector) {
            *sum += share * value;
        }
    }
    Ok((
        Array::new(&[n_tokens, token_dim], tokens)?,
        Array::new(&[pooled_dim], pooled)?,
    ))
}

fn fill(vector: &mut [f32], role: &str, word: &str) {
    let mut stream = Stream::new(0, &format!("tiny/{role}/{word}"));
    for value in vector {
        *value = stream.normal() as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_the_same_everywhere() {
        let (a, pooled) = embed("A woman waves", 4, 8, 6).unwrap();
        let (b, _) = embed("waves, a WOMAN!", 4, 8, 6).unwrap();
        assert_eq!(a.values()[..8], b.values()[8..16]);
        assert_eq!(a.values()[16..24], b.values()[..8]);
        assert!(a.values()[24..].iter().all(|&value| value == 0.0));
        assert_eq!(pooled.shape(), [6]);
        assert!(pooled.values().iter().any(|&value| value != 0.0));
    }

    #[test]
    fn an_empty_prompt_is_all_zeros() {
        let (tokens, pooled) = embed("", 2, 3, 3).unwrap();
        assert!(
            tokens
                .values()
                .iter()
                .chain(pooled.values())
                .all(|&value| value == 0.0)
        );
    }
}
