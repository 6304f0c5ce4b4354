//! Attention between queries, keys and values.

use tch::Tensor;

/// `[B, N, heads * dim]` to `[B, heads, N, dim]`.
pub(crate) fn split_heads(x: &Tensor, n_heads: i64) -> Tensor {
    let size = x.size();
    x.reshape([size[0], size[1], n_heads, size[2] / n_heads])
        .transpose(1, 2)
}

/// `[B, heads, N, dim]` to `[B, N, heads * dim]`.
pub(crate) fn merge_heads(x: &Tensor) -> Tensor {
    let size = x.size();
    x.transpose(1, 2).reshape([size[0], size[2], size[1] * size[3]])
}

/// Softmax attention with scale `1 / sqrt(dim)`; `bias`, where given, is added before the softmax.
///
/// Shapes: `query` `[B, heads, N, dim]`, `key` and `value` `[B, heads, M, dim]`, `bias` broadcast to
/// `[B, heads, N, M]`; the result is like `query`.
pub(crate) fn attention(query: &Tensor, key: &Tensor, value: &Tensor, bias: Option<&Tensor>) -> Tensor {
    Tensor::scaled_dot_product_attention(query, key, value, bias, 0.0, false, None, false)
}
