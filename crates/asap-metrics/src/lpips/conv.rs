//! Convolution with ReLU, and pooling.
//!
//! A tile of up to six neighbouring outputs in one row, times sixteen channels, stays in registers while the
//! window and the input channels go by, a chunk of channels at a time so that its weights stay in the fastest
//! cache. Every output is summed up in one fixed order: over blocks of input channels, window rows, window
//! columns, channels of the block. So its bits do not depend on the tile that it falls into, on the box that is
//! computed, or on the number of threads. Machines without fused multiply-add round differently.

use std::ops::Range;

use multiversion::multiversion;
use rayon::prelude::*;

use super::plane::{LANES, Lane, Plane};
use super::span::{Span, Window};

/// Outputs of a tile. Six times two registers of eight, and four for the operands, are the sixteen of AVX2.
const TILE: usize = 6;
/// Bytes of weights that are used for many tiles before the next ones.
const WEIGHT_CHUNK_BYTES: usize = 20 << 10;
/// Outputs of one task, at least, where the map has as many.
const TASK_PX: usize = 96;

/// A convolution with its weights, in blocks of output channels.
#[derive(Debug)]
pub(crate) struct Conv {
    pub(crate) window: Window,
    /// Blocks of input channels and channels of each.
    inputs: (usize, usize),
    /// Output block, input block, window row, window column, input channel.
    weights: Vec<Lane>,
    /// By output block.
    bias: Vec<Lane>,
}

impl Conv {
    /// Reorders weights of shape `[outputs, inputs, side, side]`.
    ///
    /// The outputs must be a multiple of [`LANES`], the inputs too, or 3.
    pub(crate) fn new(weights: &[f32], bias: &[f32], n_inputs: usize, window: Window) -> Self {
        let block = if n_inputs == 3 { 3 } else { LANES };
        let n_in_blocks = n_inputs / block;
        let side = window.side;
        let mut packed = Vec::with_capacity(weights.len() / LANES);
        for out_block in 0..bias.len() / LANES {
            for in_block in 0..n_in_blocks {
                for place in 0..side * side {
                    for channel in 0..block {
                        let input = in_block * block + channel;
                        packed.push(std::array::from_fn(|lane| {
                            let output = out_block * LANES + lane;
                            weights[(output * n_inputs + input) * side * side + place]
                        }));
                    }
                }
            }
        }
        Self {
            window,
            inputs: (n_in_blocks, block),
            weights: packed,
            bias: bias.as_chunks::<LANES>().0.to_vec(),
        }
    }

    /// Blocks of output channels.
    pub(crate) fn n_out_blocks(&self) -> usize {
        self.bias.len()
    }

    /// Computes ReLU of the convolution in a box of `out`.
    pub(crate) fn apply(&self, input: &Plane, out: &mut Plane, span: &Span) {
        assert_eq!(
            (input.n_blocks, input.block),
            self.inputs,
            "channels of a layer's input"
        );
        if span.is_empty() {
            return;
        }
        let (row_len, block_len, rim) = (out.row_len(), out.block_len(), out.rim);
        let first_row = span.rows.start - out.span.rows.start + rim;
        let first_number = (span.columns.start - out.span.columns.start + rim) * LANES;
        let n_rows = TASK_PX.div_ceil(span.columns.len());
        out.data
            .par_chunks_mut(block_len)
            .enumerate()
            .for_each(|(out_block, block)| {
                let rows = &mut block[first_row * row_len..(first_row + span.rows.len()) * row_len];
                rows.par_chunks_mut(n_rows * row_len)
                    .enumerate()
                    .for_each(|(idx, rows)| {
                        let first = span.rows.start + idx * n_rows;
                        let task = Task {
                            conv: self,
                            input,
                            out_block,
                            rows: first..first + rows.len() / row_len,
                            columns: span.columns.clone(),
                            row_len,
                        };
                        task.run(&mut rows[first_number..]);
                    });
            });
    }
}

/// Some rows of one block of output channels.
struct Task<'a> {
    conv: &'a Conv,
    input: &'a Plane,
    out_block: usize,
    rows: Range<usize>,
    columns: Range<usize>,
    /// Numbers from one output row to the next.
    row_len: usize,
}

impl Task<'_> {
    fn run(&self, out: &mut [f32]) {
        match (self.input.block, has_fused_multiply_add()) {
            (3, true) => run_fused::<3>(self, out),
            (3, false) => run_plain::<3>(self, out),
            (_, true) => run_fused::<LANES>(self, out),
            (_, false) => run_plain::<LANES>(self, out),
        }
    }
}

/// Whether `mul_add` is one instruction in [`run_fused`]; elsewhere it would be a slow call.
fn has_fused_multiply_add() -> bool {
    #[cfg(target_arch = "x86_64")]
    let has = std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    let has = cfg!(target_arch = "aarch64");
    has
}

#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"), dispatcher = "direct")]
fn run_fused<const BLOCK: usize>(task: &Task<'_>, out: &mut [f32]) {
    run_rows::<BLOCK, true>(task, out);
}

#[multiversion(targets("x86_64+avx"), dispatcher = "direct")]
fn run_plain<const BLOCK: usize>(task: &Task<'_>, out: &mut [f32]) {
    run_rows::<BLOCK, false>(task, out);
}

/// `a * b + c`, rounded once or twice.
#[inline(always)]
fn multiply_add<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// Chunk by chunk of input channels, row by row, tile by tile.
#[inline(always)]
fn run_rows<const BLOCK: usize, const FUSED: bool>(task: &Task<'_>, out: &mut [f32]) {
    let side = task.conv.window.side;
    let block_bytes = side * side * BLOCK * size_of::<Lane>();
    let n_chunk = (WEIGHT_CHUNK_BYTES / block_bytes).max(1);
    let n_in_blocks = task.conv.inputs.0;
    for first in (0..n_in_blocks).step_by(n_chunk) {
        let in_blocks = first..(first + n_chunk).min(n_in_blocks);
        for (idx, row) in task.rows.clone().enumerate() {
            let out = &mut out[idx * task.row_len..][..task.columns.len() * LANES];
            run_row::<BLOCK, FUSED>(task, row, &in_blocks, out);
        }
    }
}

/// One row in tiles of nearly equal widths.
#[inline(always)]
fn run_row<const BLOCK: usize, const FUSED: bool>(
    task: &Task<'_>,
    row: usize,
    in_blocks: &Range<usize>,
    out: &mut [f32],
) {
    let n_columns = task.columns.len();
    let n_tiles = n_columns.div_ceil(TILE);
    let mut left = out;
    let mut column = task.columns.start;
    for tile in 0..n_tiles {
        let width = (n_columns * (tile + 1)) / n_tiles - (n_columns * tile) / n_tiles;
        let (out, rest) = left.split_at_mut(width * LANES);
        let at = Tile {
            row,
            column,
            in_blocks,
        };
        match width {
            1 => run_tile::<BLOCK, 1, FUSED>(task, &at, out),
            2 => run_tile::<BLOCK, 2, FUSED>(task, &at, out),
            3 => run_tile::<BLOCK, 3, FUSED>(task, &at, out),
            4 => run_tile::<BLOCK, 4, FUSED>(task, &at, out),
            5 => run_tile::<BLOCK, 5, FUSED>(task, &at, out),
            _ => run_tile::<BLOCK, TILE, FUSED>(task, &at, out),
        }
        left = rest;
        column += width;
    }
}

/// Where a tile is.
struct Tile<'a> {
    row: usize,
    column: usize,
    in_blocks: &'a Range<usize>,
}

/// Adds a chunk of input channels to a tile; the first chunk begins with the bias, the last one ends with ReLU.
#[inline(always)]
fn run_tile<const BLOCK: usize, const WIDTH: usize, const FUSED: bool>(
    task: &Task<'_>,
    at: &Tile<'_>,
    out: &mut [f32],
) {
    let Window { side, stride, pad } = task.conv.window;
    let (n_in_blocks, _) = task.conv.inputs;
    let input = task.input;
    let (lanes, _) = out.as_chunks_mut::<LANES>();
    let mut sums: [Lane; WIDTH] = if at.in_blocks.start == 0 {
        [task.conv.bias[task.out_block]; WIDTH]
    } else {
        std::array::from_fn(|i| lanes[i])
    };
    // The rim of the input is as wide as the padding, or wider.
    let (row, column) = (
        at.row * stride + input.rim - pad,
        at.column * stride + input.rim - pad,
    );
    for in_block in at.in_blocks.clone() {
        let first_weight = (task.out_block * n_in_blocks + in_block) * side * side * BLOCK;
        let (weights, _) = task.conv.weights[first_weight..][..side * side * BLOCK].as_chunks::<BLOCK>();
        for (y, weights) in weights.chunks_exact(side).enumerate() {
            let first = input.offset_with_rim(in_block, row + y, column);
            let line = &input.data[first..][..((WIDTH - 1) * stride + side) * BLOCK];
            let (pixels, _) = line.as_chunks::<BLOCK>();
            for (x, weights) in weights.iter().enumerate() {
                let pixels: [&[f32; BLOCK]; WIDTH] = std::array::from_fn(|i| &pixels[i * stride + x]);
                for channel in 0..BLOCK {
                    for i in 0..WIDTH {
                        for lane in 0..LANES {
                            sums[i][lane] = multiply_add::<FUSED>(
                                pixels[i][channel],
                                weights[channel][lane],
                                sums[i][lane],
                            );
                        }
                    }
                }
            }
        }
    }
    if at.in_blocks.end == n_in_blocks {
        for value in sums.as_flattened_mut() {
            *value = value.max(0.0);
        }
    }
    lanes.copy_from_slice(&sums);
}

/// The largest of each window, in a box of `out`.
pub(crate) fn max_pool(window: Window, input: &Plane, out: &mut Plane, span: &Span) {
    if span.is_empty() {
        return;
    }
    let (row_len, block_len, rim) = (out.row_len(), out.block_len(), out.rim);
    let first_row = span.rows.start - out.span.rows.start + rim;
    let first_number = (span.columns.start - out.span.columns.start + rim) * LANES;
    out.data
        .par_chunks_mut(block_len)
        .enumerate()
        .for_each(|(block_idx, block)| {
            let rows = block.chunks_exact_mut(row_len).skip(first_row);
            for (out, row) in rows.zip(span.rows.clone()) {
                let (lanes, _) = out[first_number..].as_chunks_mut::<LANES>();
                for (lane, column) in lanes.iter_mut().zip(span.columns.clone()) {
                    *lane = largest(window, input, block_idx, (row, column));
                }
            }
        });
}

fn largest(window: Window, input: &Plane, block_idx: usize, (row, column): (usize, usize)) -> Lane {
    // What is pooled went through ReLU.
    let mut largest = [0.0_f32; LANES];
    for y in 0..window.side {
        for x in 0..window.side {
            let lane = input.lane(block_idx, row * window.stride + y, column * window.stride + x);
            for (largest, value) in largest.iter_mut().zip(lane) {
                *largest = largest.max(*value);
            }
        }
    }
    largest
}
