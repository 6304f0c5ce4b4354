//! CLIP's text tower: a causal transformer whose last token is projected.

use candle_core::{Result as CandleResult, Tensor};
use candle_nn::{Embedding, LayerNorm, Linear, Module as _};

use super::config::{Config, Tower};
use super::names::TextNames;
use super::projection;
use crate::Result;
use crate::scorers::checkpoint::Checkpoint;
use crate::scorers::network::{Activation, BlockShape, Blocks, causal_mask};

/// The text tower.
pub(crate) struct TextTower {
    token: Embedding,
    position: Tensor,
    blocks: Blocks,
    final_norm: LayerNorm,
    projection: Linear,
    n_tokens: usize,
    context: usize,
}

impl TextTower {
    /// Reads the tower; its sizes are those of the tensors.
    pub(crate) fn load(
        checkpoint: &mut Checkpoint,
        names: &TextNames,
        config: &Config,
        activation: Activation,
    ) -> Result<Self> {
        config.check_activation(Tower::Text, activation)?;
        let [n_tokens, width] = checkpoint.shape::<2>(names.token)?;
        let [context, _] = checkpoint.shape::<2>(names.position)?;
        let blocks = |idx: usize| format!("{}.{idx}", names.blocks);
        let n_blocks = checkpoint.count_blocks(blocks, &format!("{}.weight", names.block.fc1));
        let [mlp_width, _] = checkpoint.shape::<2>(&format!("{}.{}.weight", blocks(0), names.block.fc1))?;
        let shape = BlockShape {
            width,
            mlp_width,
            n_heads: config.n_heads(Tower::Text, width, checkpoint.path())?,
            activation,
            norm_epsilon: config.norm_epsilon(Tower::Text),
        };
        Ok(Self {
            token: Embedding::new(checkpoint.tensor(names.token, (n_tokens, width))?, width),
            position: checkpoint.tensor(names.position, (context, width))?,
            blocks: Blocks::load(checkpoint, n_blocks, blocks, &names.block, &shape)?,
            final_norm: checkpoint.layer_norm(names.final_norm, width, shape.norm_epsilon)?,
            projection: projection::load(checkpoint, names.projection, width)?,
            n_tokens,
            context,
        })
    }

    /// How many tokens it knows.
    pub(crate) const fn n_tokens(&self) -> usize {
        self.n_tokens
    }

    /// How many tokens of a text it reads, the first and the last included.
    pub(crate) const fn context(&self) -> usize {
        self.context
    }

    /// The width of its embeddings.
    pub(crate) fn embedding_width(&self) -> usize {
        self.projection.weight().dims()[0]
    }

    /// Embeddings of length 1, in f32, read at each text's last token.
    ///
    /// Texts are filled up to the longest one; what fills them comes after the last token, where causal
    /// attention does not look, so the others in a batch change nothing.
    ///
    /// # Shapes
    /// Texts of at most [`Self::context`] tokens, none empty; to `batch x embedding`.
    pub(crate) fn embed(&self, texts: &[&[u32]]) -> CandleResult<Tensor> {
        let device = self.position.device();
        let n = texts.iter().map(|text| text.len()).max().unwrap_or(0);
        let ids: Vec<u32> = texts
            .iter()
            .flat_map(|text| text.iter().copied().chain(std::iter::repeat(0)).take(n))
            .collect();
        let ids = Tensor::from_vec(ids, (texts.len(), n), device)?;
        let x = self
            .token
            .forward(&ids)?
            .broadcast_add(&self.position.narrow(0, 0, n)?)?;
        let x = self.blocks.forward(x, Some(&causal_mask(n, device)?))?;
        let last: Vec<u32> = texts
            .iter()
            .enumerate()
            .map(|(idx, text)| (idx * n + text.len() - 1) as u32)
            .collect();
        let last = Tensor::new(last, device)?;
        let pooled = x.flatten(0, 1)?.index_select(&last, 0)?;
        projection::to_unit_length(&self.projection.forward(&self.final_norm.forward(&pooled)?)?)
    }
}
