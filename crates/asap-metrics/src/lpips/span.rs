//! Which outputs of a layer see which inputs.
//!
//! Where two images are equal their features are equal, to the last bit, so only those outputs are computed that
//! see a difference, and only those inputs that such outputs need.

use std::ops::Range;

/// How a layer slides its window along one axis; the same for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// Side of the window.
    pub(crate) side: usize,
    pub(crate) stride: usize,
    /// Zeros before the first and after the last input.
    pub(crate) pad: usize,
}

/// A box of rows and columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) rows: Range<usize>,
    pub(crate) columns: Range<usize>,
}

impl Window {
    /// Outputs along an axis of `n_inputs`; none where the window does not fit.
    pub(crate) const fn n_outputs(self, n_inputs: usize) -> usize {
        let padded = n_inputs + 2 * self.pad;
        if padded < self.side {
            return 0;
        }
        (padded - self.side) / self.stride + 1
    }

    /// The outputs whose windows hold one of the inputs.
    fn outputs_seeing(self, inputs: &Range<usize>, n_inputs: usize) -> Range<usize> {
        if inputs.is_empty() {
            return 0..0;
        }
        // Output o sees the inputs o * stride - pad .. o * stride - pad + side.
        let first = (inputs.start + self.pad + 1)
            .saturating_sub(self.side)
            .div_ceil(self.stride);
        let end = (inputs.end - 1 + self.pad) / self.stride + 1;
        let n_outputs = self.n_outputs(n_inputs);
        first.min(n_outputs)..end.min(n_outputs)
    }

    /// The inputs that the windows of the outputs hold.
    fn inputs_of(self, outputs: &Range<usize>, n_inputs: usize) -> Range<usize> {
        if outputs.is_empty() {
            return 0..0;
        }
        let first = (outputs.start * self.stride).saturating_sub(self.pad);
        let end = ((outputs.end - 1) * self.stride + self.side).saturating_sub(self.pad);
        first.min(n_inputs)..end.min(n_inputs)
    }
}

impl Span {
    pub(crate) const EMPTY: Self = Self {
        rows: 0..0,
        columns: 0..0,
    };

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty() || self.columns.is_empty()
    }

    /// The smallest box that holds both.
    pub(crate) fn union(&self, other: &Self) -> Self {
        if self.is_empty() {
            return other.clone();
        }
        if other.is_empty() {
            return self.clone();
        }
        let both = |a: &Range<usize>, b: &Range<usize>| a.start.min(b.start)..a.end.max(b.end);
        Self {
            rows: both(&self.rows, &other.rows),
            columns: both(&self.columns, &other.columns),
        }
    }

    /// The outputs that see this box of an input of `(height, width)`.
    pub(crate) fn seen_through(&self, window: Window, (height, width): (usize, usize)) -> Self {
        Self {
            rows: window.outputs_seeing(&self.rows, height),
            columns: window.outputs_seeing(&self.columns, width),
        }
    }

    /// The inputs, of `(height, width)`, that this box of outputs sees.
    pub(crate) fn needed_through(&self, window: Window, (height, width): (usize, usize)) -> Self {
        Self {
            rows: window.inputs_of(&self.rows, height),
            columns: window.inputs_of(&self.columns, width),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_and_inputs_are_those_of_the_windows() {
        for (side, stride, pad) in [(11, 4, 2), (3, 2, 0), (5, 1, 2), (3, 1, 1), (2, 2, 0)] {
            let window = Window { side, stride, pad };
            for n_inputs in [side, 17, 40] {
                let holds = |o: usize, i: usize| o * stride <= i + pad && i + pad < o * stride + side;
                let n_outputs = window.n_outputs(n_inputs);
                assert!((n_outputs - 1) * stride + side <= n_inputs + 2 * pad);
                assert!(n_outputs * stride + side > n_inputs + 2 * pad);
                for (start, end) in [(0, 1), (3, 5), (n_inputs - 1, n_inputs), (0, n_inputs)] {
                    let seen = window.outputs_seeing(&(start..end), n_inputs);
                    let truly: Vec<usize> = (0..n_outputs)
                        .filter(|&o| (start..end).any(|i| holds(o, i)))
                        .collect();
                    // Windows may jump over an input when the stride is the larger.
                    assert_eq!(
                        seen.collect::<Vec<_>>(),
                        truly,
                        "{window:?} {start}..{end} of {n_inputs}"
                    );
                    let end = end.min(n_outputs);
                    let start = start.min(end);
                    let needed = window.inputs_of(&(start..end), n_inputs);
                    let truly: Vec<usize> = (0..n_inputs)
                        .filter(|&i| (start..end).any(|o| holds(o, i)))
                        .collect();
                    assert_eq!(
                        needed.collect::<Vec<_>>(),
                        truly,
                        "{window:?} {start}..{end} of {n_inputs}"
                    );
                }
            }
        }
    }
}
