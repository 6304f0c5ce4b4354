//! What a prediction is conditioned on, where the network is.

use tch::{Device, Tensor};

use crate::flux::{FluxConfig, FluxText};
use crate::sdxl::{SdxlText, UnetConfig};
use crate::training::Conditioning;
use crate::training::input::stacked;
use crate::{Array, Error, Result};

/// The conditionings of a batch: each tensor's first axis is that of the batch.
pub(super) enum Prompt {
    Flux { text: FluxText, guidance: f64 },
    Sdxl { text: SdxlText, time_ids: Tensor },
}

/// Text and guidance of a batch for a FLUX network: of one guidance and one number of tokens.
pub(super) fn flux_prompt(
    conditionings: &[&Conditioning],
    config: &FluxConfig,
    device: Device,
) -> Result<(FluxText, f64)> {
    let (mut all_t5, mut all_pooled, mut guidances) = (Vec::new(), Vec::new(), Vec::new());
    for conditioning in conditionings {
        let Conditioning::Flux { t5, pooled, guidance } = conditioning else {
            return Err(of_the_other("FLUX"));
        };
        config.check_text(t5, pooled, None)?;
        config.check_guidance(*guidance)?;
        all_t5.push(t5);
        all_pooled.push(pooled);
        guidances.push(guidance.unwrap_or_default());
    }
    let guidance = guidances.first().copied().unwrap_or_default();
    if let Some(other) = guidances.iter().find(|other| **other != guidance) {
        return Err(Error::argument("a guidance of a batch", guidance, other));
    }
    let text = FluxText {
        t5: alike("the T5 embeddings of a batch", &all_t5, device)?,
        pooled: alike("the pooled texts of a batch", &all_pooled, device)?,
    };
    Ok((text, guidance))
}

/// Text and sizes of a batch for an SDXL network: of one number of tokens.
pub(super) fn sdxl_prompt(
    conditionings: &[&Conditioning],
    config: &UnetConfig,
    device: Device,
) -> Result<(SdxlText, Tensor)> {
    let (mut all_tokens, mut all_pooled, mut all_time_ids) = (Vec::new(), Vec::new(), Vec::new());
    for conditioning in conditionings {
        let Conditioning::Sdxl {
            tokens,
            pooled,
            time_ids,
        } = conditioning
        else {
            return Err(of_the_other("SDXL"));
        };
        check("the text embeddings", tokens, &[None, Some(config.token_dim)])?;
        check("the pooled text", pooled, &[Some(config.pooled_dim)])?;
        all_tokens.push(tokens);
        all_pooled.push(pooled);
        all_time_ids.push(Tensor::from_slice(time_ids));
    }
    let text = SdxlText {
        tokens: alike("the text embeddings of a batch", &all_tokens, device)?,
        pooled: alike("the pooled texts of a batch", &all_pooled, device)?,
    };
    Ok((text, Tensor::stack(&all_time_ids, 0).to_device(device)))
}

/// Arrays of the sizes of the first as one tensor, on the device.
fn alike(what: &'static str, arrays: &[&Array], device: Device) -> Result<Tensor> {
    let shape = arrays.first().map_or(&[][..], |array| array.shape());
    stacked(what, arrays, shape, device)
}

fn of_the_other(expected: &str) -> Error {
    Error::argument("the conditioning", expected, "that of the other backbone")
}

/// Checks the sizes of an array; `None` stands for any size but 0.
fn check(what: &'static str, array: &Array, sizes: &[Option<i64>]) -> Result<()> {
    let fits = |(got, wanted): (&usize, &Option<i64>)| match wanted {
        Some(wanted) => i64::try_from(*got).ok() == Some(*wanted),
        None => *got > 0,
    };
    if array.shape().len() == sizes.len() && array.shape().iter().zip(sizes).all(fits) {
        return Ok(());
    }
    let shown: Vec<String> = sizes
        .iter()
        .map(|size| size.map_or("n".to_owned(), |size| size.to_string()))
        .collect();
    Err(Error::argument(
        what,
        format!("[{}]", shown.join(", ")),
        format!("{:?}", array.shape()),
    ))
}
