//! Layers with one input that the original checkpoints store as one: `qkv`, and `linear1` of FLUX's single blocks.
//!
//! Stored as one, the layers' A stand under each other and their B form a block-diagonal matrix, so the rank is the
//! sum of the ranks and each layer's product is what it was. A layer without adapter has rows of zeros.

use super::LowRankArrays;
use super::names::Group;
use crate::{Array, Error, Result};

/// Rows of a fused layer's part. The inner width of FLUX is its input width; its MLP is four times as wide.
fn n_rows(path: &str, n_in: usize) -> usize {
    if path.ends_with(".proj_mlp") {
        4 * n_in
    } else {
        n_in
    }
}

/// One pair for the whole group; `part` gives the pair of each layer that has one.
///
/// # Errors
/// [`Error::Argument`] where a part has not the sizes that its place among the others asks for.
pub(super) fn fuse<'a>(
    group: &Group,
    part: impl Fn(&str) -> Option<&'a LowRankArrays>,
) -> Result<LowRankArrays> {
    let parts: Vec<Option<&LowRankArrays>> = group.paths.iter().map(|path| part(path)).collect();
    let present = || parts.iter().flatten();
    let n_in = present().next().map_or(0, |first| first.down.shape()[1]);
    let rank: usize = present().map(|part| part.down.shape()[0]).sum();
    let n_out: usize = group.paths.iter().map(|path| n_rows(path, n_in)).sum();
    let mut down = Vec::with_capacity(rank * n_in);
    let mut up = vec![0.0; n_out * rank];
    let (mut row, mut column) = (0, 0);
    for (path, part) in group.paths.iter().zip(&parts) {
        let n_rows = n_rows(path, n_in);
        if let Some(part) = part {
            let (own_rank, own_shape) = (part.down.shape()[0], part.up.shape());
            if part.down.shape()[1] != n_in || own_shape[0] != n_rows {
                return Err(Error::argument(
                    "a layer to store with others as one",
                    format!("`{path}` of {n_in} inputs and {n_rows} outputs"),
                    format!("{} and {}", part.down.shape()[1], own_shape[0]),
                ));
            }
            down.extend_from_slice(part.down.values());
            for (at, values) in part.up.values().chunks(own_rank).enumerate() {
                let start = (row + at) * rank + column;
                up[start..start + own_rank].copy_from_slice(values);
            }
            column += own_rank;
        }
        row += n_rows;
    }
    Ok(LowRankArrays {
        down: Array::new(&[rank, n_in], down)?,
        up: Array::new(&[n_out, rank], up)?,
    })
}

/// The layers of a group: each takes its rows of B, and the columns in which they are not all zero. So what
/// [`fuse`] made comes apart as it was, and a dense B (other trainers have one) gives every layer the whole A.
///
/// # Errors
/// What was expected and what is there, where the rows of B are not the group's.
pub(super) fn split<'a>(
    group: &'a Group,
    fused: &LowRankArrays,
) -> std::result::Result<Vec<(&'a str, LowRankArrays)>, (String, String)> {
    let (rank, n_in, n_out) = fused.sizes()?;
    let expected: usize = group.paths.iter().map(|path| n_rows(path, n_in)).sum();
    if n_out != expected {
        let all = group.paths.join("`, `");
        return Err((format!("{expected} rows for `{all}`"), n_out.to_string()));
    }
    let mut rest = fused.up.values();
    let mut layers = Vec::new();
    for path in &group.paths {
        let (rows, others) = rest.split_at(n_rows(path, n_in) * rank);
        rest = others;
        let is_used = |&column: &usize| rows.iter().skip(column).step_by(rank).any(|&value| value != 0.0);
        let columns: Vec<usize> = (0..rank).filter(is_used).collect();
        if !columns.is_empty() {
            layers.push((path.as_str(), columns_of(rows, &columns, fused)));
        }
    }
    Ok(layers)
}

fn columns_of(rows: &[f32], columns: &[usize], fused: &LowRankArrays) -> LowRankArrays {
    let &[rank, n_in] = fused.down.shape() else {
        unreachable!("the sizes were checked")
    };
    let down = columns
        .iter()
        .flat_map(|&column| &fused.down.values()[column * n_in..(column + 1) * n_in]);
    let up = rows
        .chunks(rank)
        .flat_map(|row| columns.iter().map(|&column| row[column]));
    let array = |shape: &[usize], values: Vec<f32>| {
        Array::new(shape, values).expect("as many values as rows and columns were taken")
    };
    LowRankArrays {
        down: array(&[columns.len(), n_in], down.copied().collect()),
        up: array(&[rows.len() / rank, columns.len()], up.collect()),
    }
}
