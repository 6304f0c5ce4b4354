//! The sizes of a UNet.

use crate::{Error, Result};

/// Whether the layers of a resolution attend to the text.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Deserialize)]
pub enum BlockKind {
    /// Convolutions alone.
    #[serde(rename = "DownBlock2D", alias = "UpBlock2D")]
    Plain,
    /// Each resnet is followed by a transformer.
    #[serde(rename = "CrossAttnDownBlock2D", alias = "CrossAttnUpBlock2D")]
    Attending,
}

/// The sizes of a UNet; lists go from the finest resolution to the coarsest.
#[derive(Clone, Debug, PartialEq)]
pub struct UnetConfig {
    /// Channels of the latent.
    pub in_channels: i64,
    /// Channels of the prediction.
    pub out_channels: i64,
    /// Channels at each resolution.
    pub block_channels: Vec<i64>,
    /// Kinds of the blocks on the way down, finest first.
    pub down_blocks: Vec<BlockKind>,
    /// Kinds of the blocks on the way up, coarsest first.
    pub up_blocks: Vec<BlockKind>,
    /// Resnets per block on the way down; the way up has one more.
    pub layers_per_block: usize,
    /// Blocks of each transformer.
    pub transformer_layers: Vec<i64>,
    /// Heads of each attention. The file calls it `attention_head_dim`, which it is not.
    pub n_heads: Vec<i64>,
    /// Width of the text tokens.
    pub token_dim: i64,
    /// Groups of each group norm.
    pub norm_groups: i64,
    /// Of the group norms outside transformers.
    pub norm_eps: f64,
    /// Whether a transformer is entered and left by a linear layer; by a 1x1 convolution otherwise.
    pub projects_linearly: bool,
    /// Width of the sinusoid of each of the six sizes.
    pub size_dim: i64,
    /// Width of the pooled text.
    pub pooled_dim: i64,
}

impl UnetConfig {
    /// The sizes of SDXL 1.0, for files without a configuration.
    pub fn sdxl() -> Self {
        use BlockKind::{Attending, Plain};
        Self {
            in_channels: 4,
            out_channels: 4,
            block_channels: vec![320, 640, 1280],
            down_blocks: vec![Plain, Attending, Attending],
            up_blocks: vec![Attending, Attending, Plain],
            layers_per_block: 2,
            transformer_layers: vec![1, 2, 10],
            n_heads: vec![5, 10, 20],
            token_dim: 2048,
            norm_groups: 32,
            norm_eps: 1e-5,
            projects_linearly: true,
            size_dim: 256,
            pooled_dim: 1280,
        }
    }

    /// Width of the embedding of time and sizes.
    pub(crate) fn embedding_dim(&self) -> i64 {
        self.block_channels[0] * 4
    }

    /// Rejects inputs of other sizes than the network's: the latent `[B, C, h, w]`, the tokens `[B, n, token_dim]` and
    /// the pooled text `[B, pooled_dim]`, by their sizes.
    ///
    /// # Errors
    /// [`Error::Argument`] with both sizes.
    pub fn check_inputs(&self, latent: &[i64], tokens: &[i64], pooled: &[i64]) -> Result<()> {
        let &[batch, channels, ..] = latent else {
            return Err(Error::argument(
                "the latent",
                "[B, C, h, w]",
                format!("{latent:?}"),
            ));
        };
        let fits = latent.len() == 4 && channels == self.in_channels && latent[2] > 0 && latent[3] > 0;
        if !fits {
            let expected = format!("[B, {}, h, w]", self.in_channels);
            return Err(Error::argument("the latent", expected, format!("{latent:?}")));
        }
        let fits = matches!(tokens, &[b, n, dim] if b == batch && n > 0 && dim == self.token_dim);
        if !fits {
            let expected = format!("[{batch}, n, {}]", self.token_dim);
            return Err(Error::argument(
                "the text tokens",
                expected,
                format!("{tokens:?}"),
            ));
        }
        if pooled != [batch, self.pooled_dim] {
            let expected = format!("[{batch}, {}]", self.pooled_dim);
            return Err(Error::argument(
                "the pooled text",
                expected,
                format!("{pooled:?}"),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_of_other_sizes_are_rejected_with_both() {
        let config = UnetConfig::sdxl();
        config
            .check_inputs(&[2, 4, 128, 96], &[2, 77, 2048], &[2, 1280])
            .unwrap();
        let refused = |latent: &[i64], tokens: &[i64], pooled: &[i64]| {
            config
                .check_inputs(latent, tokens, pooled)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            refused(&[2, 16, 128, 96], &[2, 77, 2048], &[2, 1280]),
            "the latent: expected [B, 4, h, w], got [2, 16, 128, 96]"
        );
        assert_eq!(
            refused(&[2, 4, 8, 8], &[1, 77, 2048], &[2, 1280]),
            "the text tokens: expected [2, n, 2048], got [1, 77, 2048]"
        );
        assert_eq!(
            refused(&[2, 4, 8, 8], &[2, 77, 2048], &[2, 768]),
            "the pooled text: expected [2, 1280], got [2, 768]"
        );
    }
}
