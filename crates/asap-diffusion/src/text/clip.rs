//! The text encoder of CLIP: OpenAI's ViT-L/14 and OpenCLIP's ViT-bigG/14.
//!
//! Source: "Learning transferable visual models from natural language supervision", §2.4.

use tch::{Kind, Tensor};

use crate::Result;
use crate::device::{Place, Precision};
use crate::nn::{Embedding, LayerNorm, Linear, merge_heads, split_heads};
use crate::text::config::{ClipActivation, ClipConfig};
use crate::weights::{Checkpoint, Loader, Path};

/// What becomes of the vector that stands for the text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Head {
    /// It is given as it is; weights of a projection may be there.
    Plain,
    /// It is projected into the space that texts share with images.
    Projected,
}

/// What the encoder makes of texts.
pub(crate) struct ClipOutput {
    /// `[B, N, hidden_size]`: the tokens before the last layer, not normalised.
    pub(crate) penultimate: Tensor,
    /// `[B, hidden_size]`, or `[B, projection_dim]` with a projection: the vector of the last token of the text.
    pub(crate) pooled: Tensor,
}

/// Attention in which a token sees itself and the tokens before it.
pub(super) struct Attention {
    q_proj: Linear,
    k_proj: Linear,
    v_proj: Linear,
    out_proj: Linear,
    n_heads: i64,
}

impl Attention {
    fn load(path: &Path<'_>, config: &ClipConfig) -> Self {
        let dim = config.hidden_size;
        let linear = |word| Linear::load(&path.at(word), dim, dim);
        Self {
            q_proj: linear("q_proj"),
            k_proj: linear("k_proj"),
            v_proj: linear("v_proj"),
            out_proj: linear("out_proj"),
            n_heads: config.num_attention_heads,
        }
    }

    /// Shapes: `[B, N, dim]`, as it comes.
    pub(super) fn forward(&self, x: &Tensor) -> Tensor {
        let heads = |layer: &Linear| split_heads(&layer.base(x), self.n_heads);
        let (query, key, value) = (heads(&self.q_proj), heads(&self.k_proj), heads(&self.v_proj));
        let mixed = Tensor::scaled_dot_product_attention(
            &query,
            &key,
            &value,
            None::<&Tensor>,
            0.0,
            true,
            None,
            false,
        );
        self.out_proj.base(&merge_heads(&mixed))
    }
}

pub(super) struct Mlp {
    fc1: Linear,
    fc2: Linear,
    activation: ClipActivation,
}

impl Mlp {
    fn load(path: &Path<'_>, config: &ClipConfig) -> Self {
        let (dim, wide) = (config.hidden_size, config.intermediate_size);
        Self {
            fc1: Linear::load(&path.at("fc1"), dim, wide),
            fc2: Linear::load(&path.at("fc2"), wide, dim),
            activation: config.hidden_act,
        }
    }

    /// Shapes: `[B, N, dim]`, as it comes.
    pub(super) fn forward(&self, x: &Tensor) -> Tensor {
        let x = self.fc1.base(x);
        let x = match self.activation {
            ClipActivation::QuickGelu => &x * (&x * 1.702).sigmoid(),
            ClipActivation::Gelu => x.gelu("none"),
        };
        self.fc2.base(&x)
    }
}

pub(super) struct EncoderLayer {
    layer_norm1: LayerNorm,
    pub(super) self_attn: Attention,
    layer_norm2: LayerNorm,
    pub(super) mlp: Mlp,
}

impl EncoderLayer {
    fn load(path: &Path<'_>, config: &ClipConfig) -> Self {
        let norm = |word| LayerNorm::load(&path.at(word), config.hidden_size, config.layer_norm_eps);
        Self {
            layer_norm1: norm("layer_norm1"),
            self_attn: Attention::load(&path.at("self_attn"), config),
            layer_norm2: norm("layer_norm2"),
            mlp: Mlp::load(&path.at("mlp"), config),
        }
    }

    /// Shapes: `[B, N, dim]`, as it comes.
    pub(super) fn forward(&self, x: &Tensor) -> Tensor {
        let x = x + self.self_attn.forward(&self.layer_norm1.forward(x));
        &x + self.mlp.forward(&self.layer_norm2.forward(&x))
    }
}

pub(crate) struct ClipText {
    token_embedding: Embedding,
    position_embedding: Tensor,
    pub(super) layers: Vec<EncoderLayer>,
    final_layer_norm: LayerNorm,
    text_projection: Option<Linear>,
    eos_token_id: i64,
}

impl ClipText {
    /// Loads the weights of transformers, with or without `text_model.` before their names.
    pub(crate) fn load(
        checkpoint: &Checkpoint,
        config: &ClipConfig,
        head: Head,
        place: Place,
        precision: Precision,
    ) -> Result<Self> {
        let mut loader = Loader::new(checkpoint, place, precision)
            .with_expendable(&["text_model.embeddings.position_ids", "embeddings.position_ids"]);
        if head == Head::Plain {
            loader = loader.with_expendable(&["text_projection."]);
        }
        let root = loader.root();
        let text = if root.has("embeddings.token_embedding.weight") {
            root.clone()
        } else {
            root.at("text_model")
        };
        let dim = config.hidden_size;
        let embeddings = text.at("embeddings");
        let project = || Linear::load_without_bias(&root.at("text_projection"), dim, config.projection_dim);
        let network = Self {
            token_embedding: Embedding::load(&embeddings.at("token_embedding"), config.vocab_size, dim),
            position_embedding: embeddings.tensor(
                "position_embedding.weight",
                &[config.max_position_embeddings, dim],
            ),
            layers: (0..config.num_hidden_layers)
                .map(|at| EncoderLayer::load(&text.nth("encoder.layers", at), config))
                .collect(),
            final_layer_norm: LayerNorm::load(&text.at("final_layer_norm"), dim, config.layer_norm_eps),
            text_projection: (head == Head::Projected).then(project),
            eos_token_id: config.eos_token_id,
        };
        Ok(loader.finish(network)?.0)
    }

    /// Shapes: `ids` `[B, N]` (`i64`), N at most `max_position_embeddings`.
    pub(crate) fn forward(&self, ids: &Tensor) -> ClipOutput {
        let n_tokens = ids.size()[1];
        let mut x = self.token_embedding.forward(ids) + self.position_embedding.narrow(0, 0, n_tokens);
        let mut penultimate = x.shallow_clone();
        for layer in &self.layers {
            penultimate = x;
            x = layer.forward(&penultimate);
        }
        let pooled = self.pooled(&self.final_layer_norm.forward(&x), ids);
        ClipOutput {
            penultimate,
            pooled: match &self.text_projection {
                Some(projection) => projection.base(&pooled),
                None => pooled,
            },
        }
    }

    /// The vector of the token that ends the text: the first of its kind, as texts may be filled up with it.
    ///
    /// Source: `CLIPTextModel.forward` of transformers, with its rule for files that say 2.
    fn pooled(&self, x: &Tensor, ids: &Tensor) -> Tensor {
        let (n_texts, _, dim) = x.size3().unwrap_or_default();
        let at = match self.eos_token_id {
            2 => ids.argmax(-1, false),
            end => ids.eq(end).to_kind(Kind::Int64).argmax(-1, false),
        };
        let at = at.reshape([n_texts, 1, 1]).expand([n_texts, 1, dim], false);
        x.gather(1, &at, false).squeeze_dim(1)
    }
}
