//! What the two layouts of CLIP files call the same tensors.

use crate::scorers::network::{BlockNames, QkvNames};

/// The projection of a tower's output into the common space.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ProjectionName {
    /// A layer's weight, `out x in`.
    Weight(&'static str),
    /// A matrix that rows are multiplied with from the right, `in x out`.
    Matrix(&'static str),
}

/// The image tower.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VisionNames {
    pub(crate) patch: &'static str,
    pub(crate) class: &'static str,
    pub(crate) position: &'static str,
    pub(crate) pre_norm: &'static str,
    /// The prefix of all blocks; the index comes after it.
    pub(crate) blocks: &'static str,
    pub(crate) block: BlockNames,
    pub(crate) post_norm: &'static str,
    pub(crate) projection: ProjectionName,
}

/// The text tower.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TextNames {
    pub(crate) token: &'static str,
    pub(crate) position: &'static str,
    /// The prefix of all blocks; the index comes after it.
    pub(crate) blocks: &'static str,
    pub(crate) block: BlockNames,
    pub(crate) final_norm: &'static str,
    pub(crate) projection: ProjectionName,
}

/// A layout.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names {
    pub(crate) vision: VisionNames,
    pub(crate) text: TextNames,
    pub(crate) logit_scale: &'static str,
    /// Ends of names that some files have and no network needs: positions counted up, the causal mask.
    pub(crate) ignored: &'static [&'static str],
}

const HUGGING_FACE_BLOCK: BlockNames = BlockNames {
    norm1: "layer_norm1",
    qkv: QkvNames::Split {
        query: "self_attn.q_proj",
        key: "self_attn.k_proj",
        value: "self_attn.v_proj",
    },
    out: "self_attn.out_proj",
    norm2: "layer_norm2",
    fc1: "mlp.fc1",
    fc2: "mlp.fc2",
};

/// `CLIPModel` of `transformers`.
pub(crate) const HUGGING_FACE: Names = Names {
    vision: VisionNames {
        patch: "vision_model.embeddings.patch_embedding.weight",
        class: "vision_model.embeddings.class_embedding",
        position: "vision_model.embeddings.position_embedding.weight",
        // Misspelt in the checkpoints.
        pre_norm: "vision_model.pre_layrnorm",
        blocks: "vision_model.encoder.layers",
        block: HUGGING_FACE_BLOCK,
        post_norm: "vision_model.post_layernorm",
        projection: ProjectionName::Weight("visual_projection.weight"),
    },
    text: TextNames {
        token: "text_model.embeddings.token_embedding.weight",
        position: "text_model.embeddings.position_embedding.weight",
        blocks: "text_model.encoder.layers",
        block: HUGGING_FACE_BLOCK,
        final_norm: "text_model.final_layer_norm",
        projection: ProjectionName::Weight("text_projection.weight"),
    },
    logit_scale: "logit_scale",
    ignored: &["embeddings.position_ids"],
};

const OPEN_CLIP_BLOCK: BlockNames = BlockNames {
    norm1: "ln_1",
    qkv: QkvNames::Fused {
        weight: "attn.in_proj_weight",
        bias: "attn.in_proj_bias",
    },
    out: "attn.out_proj",
    norm2: "ln_2",
    fc1: "mlp.c_fc",
    fc2: "mlp.c_proj",
};

/// `CLIP` of open_clip, as of OpenAI.
pub(crate) const OPEN_CLIP: Names = Names {
    vision: VisionNames {
        patch: "visual.conv1.weight",
        class: "visual.class_embedding",
        position: "visual.positional_embedding",
        pre_norm: "visual.ln_pre",
        blocks: "visual.transformer.resblocks",
        block: OPEN_CLIP_BLOCK,
        post_norm: "visual.ln_post",
        projection: ProjectionName::Matrix("visual.proj"),
    },
    text: TextNames {
        token: "token_embedding.weight",
        position: "positional_embedding",
        blocks: "transformer.resblocks",
        block: OPEN_CLIP_BLOCK,
        final_norm: "ln_final",
        projection: ProjectionName::Matrix("text_projection"),
    },
    logit_scale: "logit_scale",
    ignored: &["attn_mask"],
};
