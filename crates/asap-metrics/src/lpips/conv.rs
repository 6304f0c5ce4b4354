//! Convolution with ReLU, and pooling.
//!
//! A tile of some neighbouring outputs in one row, times sixteen channels, stays in registers while the
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
/// Outputs of a tile with registers of sixteen, of which there are 32: enough sums at once to keep them busy.
const WIDE_TILE: usize = 12;
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
        self.apply_with(Instructions::of_this_machine(), input, out, span);
    }

    fn apply_with(&self, instructions: Instructions, input: &Plane, out: &mut Plane, span: &Span) {
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
                            instructions,
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
    instructions: Instructions,
}

impl Task<'_> {
    fn run(&self, out: &mut [f32]) {
        match self.instructions {
            Instructions::Avx512 => run_avx512(self, out),
            Instructions::Fused => run_fused(self, out),
            Instructions::Plain => run_plain(self, out),
        }
    }
}

/// The instructions that a task is run with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Instructions {
    /// Sixteen numbers at once, with fused multiply-add.
    Avx512,
    /// Fused multiply-add.
    Fused,
    /// Neither: `mul_add` would be a slow call.
    Plain,
}

impl Instructions {
    fn of_this_machine() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            // The last one tells processors apart that do not slow down: `multiversion` asks for it too.
            if has!("avx512f") && has!("avx512vl") && has!("avx512dq") && has!("avx512vbmi2") {
                return Self::Avx512;
            }
            if has!("avx2") && has!("fma") {
                return Self::Fused;
            }
        }
        if cfg!(target_arch = "aarch64") {
            return Self::Fused;
        }
        Self::Plain
    }
}

#[multiversion(
    targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2+fma"),
    dispatcher = "direct"
)]
fn run_avx512(task: &Task<'_>, out: &mut [f32]) {
    run_rows::<true, WIDE_TILE>(task, out);
}

#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"), dispatcher = "direct")]
fn run_fused(task: &Task<'_>, out: &mut [f32]) {
    run_rows::<true, TILE>(task, out);
}

#[multiversion(targets("x86_64+avx"), dispatcher = "direct")]
fn run_plain(task: &Task<'_>, out: &mut [f32]) {
    run_rows::<false, TILE>(task, out);
}

/// `a * b + c`, rounded once or twice.
#[inline(always)]
fn multiply_add<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// Chunk by chunk of input channels, row by row, tile by tile.
#[inline(always)]
fn run_rows<const FUSED: bool, const TILE: usize>(task: &Task<'_>, out: &mut [f32]) {
    let side = task.conv.window.side;
    let block_bytes = side * side * task.input.block * size_of::<Lane>();
    let n_chunk = (WEIGHT_CHUNK_BYTES / block_bytes).max(1);
    let n_in_blocks = task.conv.inputs.0;
    for first in (0..n_in_blocks).step_by(n_chunk) {
        let in_blocks = first..(first + n_chunk).min(n_in_blocks);
        for (idx, row) in task.rows.clone().enumerate() {
            let out = &mut out[idx * task.row_len..][..task.columns.len() * LANES];
            run_row::<FUSED, TILE>(task, row, &in_blocks, out);
        }
    }
}

/// One row in tiles of nearly equal widths.
#[inline(always)]
fn run_row<const FUSED: bool, const TILE: usize>(
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
            1 => run_tile::<1, FUSED>(task, &at, out),
            2 => run_tile::<2, FUSED>(task, &at, out),
            3 => run_tile::<3, FUSED>(task, &at, out),
            4 => run_tile::<4, FUSED>(task, &at, out),
            5 => run_tile::<5, FUSED>(task, &at, out),
            6 => run_tile::<6, FUSED>(task, &at, out),
            7 if TILE > 6 => run_tile::<7, FUSED>(task, &at, out),
            8 if TILE > 6 => run_tile::<8, FUSED>(task, &at, out),
            9 if TILE > 6 => run_tile::<9, FUSED>(task, &at, out),
            10 if TILE > 6 => run_tile::<10, FUSED>(task, &at, out),
            11 if TILE > 6 => run_tile::<11, FUSED>(task, &at, out),
            _ => run_tile::<TILE, FUSED>(task, &at, out),
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
fn run_tile<const WIDTH: usize, const FUSED: bool>(task: &Task<'_>, at: &Tile<'_>, out: &mut [f32]) {
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
    // A row of the window is one run of numbers, in the input and in the weights.
    let (run, step) = (side * input.block, stride * input.block);
    for in_block in at.in_blocks.clone() {
        let first_weight = (task.out_block * n_in_blocks + in_block) * side * run;
        let weights = task.conv.weights[first_weight..][..side * run].chunks_exact(run);
        for (y, weights) in weights.enumerate() {
            let line = &input.data[input.offset_with_rim(in_block, row + y, column)..];
            let pixels: [&[f32]; WIDTH] = std::array::from_fn(|i| &line[i * step..][..weights.len()]);
            for (at, weights) in weights.iter().enumerate() {
                for (sums, pixels) in sums.iter_mut().zip(&pixels) {
                    for (sum, weight) in sums.iter_mut().zip(weights) {
                        *sum = multiply_add::<FUSED>(pixels[at], *weight, *sum);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A layer of made-up numbers and its input.
    fn made(n_inputs: usize, window: Window, size: (usize, usize)) -> (Conv, Plane) {
        let mut stream = asap_core::Stream::new(5, "convolution");
        let mut floats =
            |n: usize| -> Vec<f32> { (0..n).map(|_| stream.between(-1.0, 1.0) as f32).collect() };
        let weights = floats(2 * LANES * n_inputs * window.side * window.side);
        let conv = Conv::new(&weights, &floats(2 * LANES), n_inputs, window);
        let (n_blocks, block) = conv.inputs;
        let span = Span {
            rows: 0..size.0,
            columns: 0..size.1,
        };
        let mut plane = Plane::zeros(size, span.clone(), (n_blocks, block), window.pad);
        for block_idx in 0..n_blocks {
            for row in span.rows.clone() {
                let first = plane.offset_with_rim(block_idx, row + window.pad, window.pad);
                let line = floats(size.1 * block);
                plane.data[first..first + line.len()].copy_from_slice(&line);
            }
        }
        (conv, plane)
    }

    fn computed(conv: &Conv, input: &Plane, instructions: Instructions, boxes: &[Span]) -> Plane {
        let size = (
            conv.window.n_outputs(input.size.0),
            conv.window.n_outputs(input.size.1),
        );
        let whole = Span {
            rows: 0..size.0,
            columns: 0..size.1,
        };
        let mut out = Plane::zeros(size, whole, (conv.n_out_blocks(), LANES), 1);
        for span in boxes {
            conv.apply_with(instructions, input, &mut out, span);
        }
        out
    }

    #[test]
    fn bits_depend_neither_on_the_box_nor_on_the_tile() {
        for (n_inputs, side, stride, pad, size) in [
            (3, 11, 4, 2, (60, 71)),
            (32, 5, 1, 2, (9, 23)),
            (48, 3, 1, 1, (17, 14)),
        ] {
            let (conv, input) = made(n_inputs, Window { side, stride, pad }, size);
            let (height, width) = (conv.window.n_outputs(size.0), conv.window.n_outputs(size.1));
            let part = |rows: Range<usize>, columns: Range<usize>| Span { rows, columns };
            let whole = [part(0..height, 0..width)];
            let parts = [
                part(0..2, 0..width),
                part(2..height, 0..5),
                part(2..height, 5..6),
                part(2..height, 6..width),
            ];
            let here = Instructions::of_this_machine();
            let plain = computed(&conv, &input, Instructions::Plain, &whole);
            assert_eq!(
                computed(&conv, &input, here, &whole).data,
                computed(&conv, &input, here, &parts).data
            );
            assert_eq!(
                plain.data,
                computed(&conv, &input, Instructions::Plain, &parts).data
            );
            // Wider tiles, with whatever instructions there are.
            if here != Instructions::Plain {
                let wide = computed(&conv, &input, Instructions::Avx512, &whole);
                assert_eq!(wide.data, computed(&conv, &input, here, &whole).data);
            }
            // Rounded once or twice: nearly the same.
            for (a, b) in computed(&conv, &input, here, &whole).data.iter().zip(&plain.data) {
                assert!((a - b).abs() < 1e-4, "{a} {b}");
            }
        }
    }
}
