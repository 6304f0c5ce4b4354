//! Qwen2's decoder, from vectors on.
//!
//! Qwen2-VL counts positions along three axes. The reward network hands vectors over without positions, so that
//! the reference counts them along the sequence alone; all three axes are then equal, and this is plain Qwen2.

use candle_core::{Device, Result as CandleResult, Tensor};
use candle_nn::{Embedding, Linear, Module as _, RmsNorm};

use super::attention::{Qkv, Rotations, frequencies};
use super::config::Config;
use crate::Result;
use crate::scorers::checkpoint::Checkpoint;
use crate::scorers::network::causal_mask;

const PREFIX: &str = "model";

/// The decoder.
pub(super) struct Decoder {
    token: Embedding,
    layers: Vec<Layer>,
    norm: RmsNorm,
    n_tokens: usize,
    head_width: usize,
    theta: f64,
}

struct Layer {
    norm1: RmsNorm,
    query: Linear,
    key: Linear,
    value: Linear,
    out: Linear,
    norm2: RmsNorm,
    gate: Linear,
    up: Linear,
    down: Linear,
}

/// What all layers have in common.
#[derive(Clone, Copy)]
struct LayerShape {
    width: usize,
    head_width: usize,
    epsilon: f64,
}

impl Decoder {
    /// Reads the decoder; its sizes are those of the tensors, the number of tokens too.
    ///
    /// # Source
    /// `transformers` 4.45.2 `Qwen2VLModel`.
    pub(super) fn load(checkpoint: &mut Checkpoint, config: &Config) -> Result<Self> {
        let token_name = format!("{PREFIX}.embed_tokens.weight");
        let [n_tokens, width] = checkpoint.shape::<2>(&token_name)?;
        let shape = LayerShape {
            width,
            head_width: width / config.n_heads(width, checkpoint.path())?,
            epsilon: config.epsilon(),
        };
        let prefix = |idx: usize| format!("{PREFIX}.layers.{idx}");
        let n_layers = checkpoint.count_blocks(prefix, "mlp.gate_proj.weight");
        let layers = (0..n_layers.max(1)).map(|idx| Layer::load(checkpoint, &prefix(idx), shape));
        Ok(Self {
            layers: layers.collect::<Result<_>>()?,
            token: Embedding::new(checkpoint.tensor(&token_name, (n_tokens, width))?, width),
            norm: rms_norm(checkpoint, &format!("{PREFIX}.norm"), shape)?,
            n_tokens,
            head_width: shape.head_width,
            theta: config.theta(),
        })
    }

    /// How many tokens it knows: those of Qwen2-VL's tokenizer and one more, without the reserve of other files.
    pub(super) const fn n_tokens(&self) -> usize {
        self.n_tokens
    }

    /// The width of its vectors.
    pub(super) fn width(&self) -> usize {
        self.token.hidden_size()
    }

    /// The vectors of tokens.
    pub(super) fn embed(&self, ids: &[u32]) -> CandleResult<Tensor> {
        self.token
            .forward(&Tensor::new(ids, self.token.embeddings().device())?)
    }

    /// The last vector of each sequence after the last layer.
    ///
    /// Sequences are filled up to the longest one; what fills them comes after their last vector, where causal
    /// attention does not look, so the others in a batch change nothing.
    ///
    /// # Shapes
    /// Sequences of `n x width`, none empty; to `batch x width`.
    pub(super) fn last_hidden(&self, sequences: &[Tensor]) -> CandleResult<Tensor> {
        let lengths = sequences.iter().map(|sequence| sequence.dim(0));
        let lengths = lengths.collect::<CandleResult<Vec<usize>>>()?;
        let n = lengths.iter().copied().max().unwrap_or(0);
        let filled = sequences
            .iter()
            .zip(&lengths)
            .map(|(sequence, length)| sequence.pad_with_zeros(0, 0, n - length));
        let x = Tensor::stack(&filled.collect::<CandleResult<Vec<_>>>()?, 0)?;
        let device = self.token.embeddings().device();
        let rotations = self.rotations(n, device)?;
        let mask = causal_mask(n, device)?;
        let x = self.layers.iter().try_fold(x, |x, layer| {
            layer.forward(&x, &rotations, &mask, self.head_width)
        })?;
        let last: Vec<u32> = lengths
            .iter()
            .enumerate()
            .map(|(idx, length)| (idx * n + length - 1) as u32)
            .collect();
        let last = x.flatten(0, 1)?.index_select(&Tensor::new(last, device)?, 0)?;
        self.norm.forward(&last)
    }

    fn rotations(&self, n: usize, device: &Device) -> CandleResult<Rotations> {
        let frequencies = frequencies(self.theta, self.head_width);
        let row = |place: usize| {
            frequencies
                .iter()
                .map(|frequency| place as f64 * frequency)
                .collect()
        };
        Rotations::new(&(0..n).map(row).collect::<Vec<Vec<f64>>>(), device)
    }
}

impl Layer {
    fn load(checkpoint: &mut Checkpoint, prefix: &str, shape: LayerShape) -> Result<Self> {
        let LayerShape {
            width, head_width, ..
        } = shape;
        let at = |name: &str| format!("{prefix}.{name}");
        let [mlp_width, _] = checkpoint.shape::<2>(&at("mlp.gate_proj.weight"))?;
        let [group_width, _] = checkpoint.shape::<2>(&at("self_attn.k_proj.weight"))?;
        if group_width == 0 || !group_width.is_multiple_of(head_width) || !width.is_multiple_of(group_width) {
            return Err(checkpoint.refusal(format!(
                "expected `{}` to be shared evenly by heads of {head_width} of {width}, got {group_width} rows",
                at("self_attn.k_proj.weight")
            )));
        }
        Ok(Self {
            norm1: rms_norm(checkpoint, &at("input_layernorm"), shape)?,
            query: checkpoint.linear(&at("self_attn.q_proj"), width, width)?,
            key: checkpoint.linear(&at("self_attn.k_proj"), width, group_width)?,
            value: checkpoint.linear(&at("self_attn.v_proj"), width, group_width)?,
            out: unbiased(checkpoint, &at("self_attn.o_proj"), width, width)?,
            norm2: rms_norm(checkpoint, &at("post_attention_layernorm"), shape)?,
            gate: unbiased(checkpoint, &at("mlp.gate_proj"), width, mlp_width)?,
            up: unbiased(checkpoint, &at("mlp.up_proj"), width, mlp_width)?,
            down: unbiased(checkpoint, &at("mlp.down_proj"), mlp_width, width)?,
        })
    }

    fn forward(
        &self,
        x: &Tensor,
        rotations: &Rotations,
        mask: &Tensor,
        head_width: usize,
    ) -> CandleResult<Tensor> {
        let normed = self.norm1.forward(x)?;
        let qkv = Qkv {
            query: self.query.forward(&normed)?,
            key: self.key.forward(&normed)?,
            value: self.value.forward(&normed)?,
            head_width,
        };
        let x = (x + self.out.forward(&qkv.attend(rotations, Some(mask))?)?)?;
        let normed = self.norm2.forward(&x)?;
        let gated = (self.gate.forward(&normed)?.silu()? * self.up.forward(&normed)?)?;
        &x + self.down.forward(&gated)?
    }
}

fn rms_norm(checkpoint: &mut Checkpoint, prefix: &str, shape: LayerShape) -> Result<RmsNorm> {
    let weight = checkpoint.tensor(&format!("{prefix}.weight"), shape.width)?;
    Ok(RmsNorm::new(weight, shape.epsilon))
}

fn unbiased(checkpoint: &mut Checkpoint, prefix: &str, n_in: usize, n_out: usize) -> Result<Linear> {
    let weight = checkpoint.tensor(&format!("{prefix}.weight"), (n_out, n_in))?;
    Ok(Linear::new(weight, None))
}
