//! Whether inputs fit the network: one check for the images of a training and the batches of a sampler.

use crate::flux::FluxConfig;
use crate::{Array, Error, Result};

impl FluxConfig {
    /// Whether latents of these sizes can be predicted: `[C, h, w]`, or with a `batch` before them.
    pub(crate) fn check_latents(&self, shape: &[usize], batch: Option<usize>) -> Result<()> {
        let channels = self.latent_channels();
        let is_even = |side: usize| side > 0 && side.is_multiple_of(2);
        let fits = matches!(*of_one(shape, batch), [c, h, w]
            if i64::try_from(c).ok() == Some(channels) && is_even(h) && is_even(w));
        if fits {
            return Ok(());
        }
        let expected = format!("[{}{channels}, h, w] with even h and w", shown(batch));
        Err(Error::argument("the latents", expected, format!("{shape:?}")))
    }

    /// Whether a text is that of the network's encoders: T5's `[T, joint_attention_dim]` and CLIP's
    /// `[pooled_projection_dim]`, or with a `batch` before them.
    pub(crate) fn check_text(&self, t5: &Array, pooled: &Array, batch: Option<usize>) -> Result<()> {
        let told = |what, sizes: String, got: &Array| {
            let expected = format!("[{}{sizes}]", shown(batch));
            Err(Error::argument(what, expected, format!("{:?}", got.shape())))
        };
        let fits = |got: usize, wanted: i64| i64::try_from(got).ok() == Some(wanted);
        let dim = self.joint_attention_dim;
        if !matches!(*of_one(t5.shape(), batch), [n, d] if n > 0 && fits(d, dim)) {
            return told("the T5 embeddings", format!("T, {dim}"), t5);
        }
        let dim = self.pooled_projection_dim;
        if !matches!(*of_one(pooled.shape(), batch), [d] if fits(d, dim)) {
            return told("the pooled text", dim.to_string(), pooled);
        }
        Ok(())
    }

    /// Whether a guidance is given where the network embeds one, and only there.
    pub(crate) fn check_guidance(&self, guidance: Option<f64>) -> Result<()> {
        let told = |expected: &str, got: String| Err(Error::argument("the guidance", expected, got));
        match (self.guidance_embeds, guidance) {
            (true, None) => told("a number: the network embeds one", "none".to_owned()),
            (false, Some(guidance)) => told("none: the network embeds none", guidance.to_string()),
            (true, Some(guidance)) if !guidance.is_finite() => told("a finite number", guidance.to_string()),
            _ => Ok(()),
        }
    }
}

/// The sizes of one of a batch; nothing fits where the batch is another.
fn of_one(shape: &[usize], batch: Option<usize>) -> &[usize] {
    match (batch, shape) {
        (None, shape) => shape,
        (Some(batch), [first, rest @ ..]) if *first == batch && batch > 0 => rest,
        (Some(_), _) => &[],
    }
}

fn shown(batch: Option<usize>) -> String {
    batch.map_or_else(String::new, |batch| format!("{batch}, "))
}
