//! AdamW on `f32` leaves, in one kernel for all of them.

use std::ffi::{c_char, c_int};

use tch::{Kind, Tensor};

use crate::native::{TensorPtr, call, pointers};
use crate::{Array, Error, Result};

/// What stays the same over a run. The learning rate is given at each step.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdamWSettings {
    /// How much of the mean of the gradients is kept at a step.
    pub beta1: f64,
    /// How much of the mean of their squares is kept at a step.
    pub beta2: f64,
    /// Added to the root of the second mean.
    pub epsilon: f64,
    /// A step takes `learning_rate * weight_decay` of each weight away, apart from the gradient.
    pub weight_decay: f64,
}

/// All that a resumed run needs to go on bit for bit.
#[derive(Clone, Debug, PartialEq)]
pub struct AdamWState {
    /// Steps taken.
    pub step: u32,
    /// The mean of the gradients, in the order of the leaves.
    pub exp_avg: Vec<Array>,
    /// The mean of their squares, in the order of the leaves.
    pub exp_avg_sq: Vec<Array>,
}

/// The optimiser and the leaves that it moves.
///
/// # Source
/// "Decoupled Weight Decay Regularization", arXiv:1711.05101, algorithm 2; arithmetic as in
/// `torch.optim.AdamW(fused=True)`.
pub(crate) struct AdamW {
    settings: AdamWSettings,
    leaves: Vec<Tensor>,
    exp_avg: Vec<Tensor>,
    exp_avg_sq: Vec<Tensor>,
    /// One count per leaf, on its device: what the kernel asks for. All are equal.
    steps: Vec<Tensor>,
    step: u32,
}

/// As csrc/optim.cpp lays it out.
#[repr(C)]
struct Rates {
    learning_rate: f64,
    beta1: f64,
    beta2: f64,
    weight_decay: f64,
    epsilon: f64,
}

#[expect(unsafe_code, reason = "the C++ part is called")]
unsafe extern "C" {
    fn asap_adamw(
        leaves: *const TensorPtr,
        gradients: *const TensorPtr,
        exp_avg: *const TensorPtr,
        exp_avg_sq: *const TensorPtr,
        steps: *const TensorPtr,
        n: usize,
        rates: *const Rates,
        error: *mut *mut c_char,
    ) -> c_int;
}

impl AdamW {
    /// Before the first step.
    ///
    /// # Errors
    /// [`Error::Argument`] where a leaf is not `f32` or not contiguous.
    pub(crate) fn new(leaves: &[Tensor], settings: AdamWSettings) -> Result<Self> {
        for leaf in leaves {
            plain("a leaf of the optimiser", leaf)?;
        }
        let zeros = || leaves.iter().map(|leaf| leaf.detach().zeros_like()).collect();
        Ok(Self {
            settings,
            leaves: leaves.iter().map(Tensor::shallow_clone).collect(),
            exp_avg: zeros(),
            exp_avg_sq: zeros(),
            steps: leaves
                .iter()
                .map(|leaf| Tensor::zeros([], (Kind::Float, leaf.device())))
                .collect(),
            step: 0,
        })
    }

    /// Moves each leaf by its gradient.
    ///
    /// Shapes: one gradient for each leaf, of its sizes, `f32`.
    ///
    /// # Errors
    /// [`Error::Argument`] where the gradients do not fit the leaves, [`Error::Torch`] where libtorch refuses.
    #[expect(unsafe_code, reason = "the C++ part is called")]
    pub(crate) fn step(&mut self, gradients: &[Tensor], learning_rate: f64) -> Result<()> {
        self.check(gradients)?;
        if self.leaves.is_empty() {
            return Ok(());
        }
        let rates = Rates {
            learning_rate,
            beta1: self.settings.beta1,
            beta2: self.settings.beta2,
            weight_decay: self.settings.weight_decay,
            epsilon: self.settings.epsilon,
        };
        let (leaves, gradients) = (pointers(&self.leaves), pointers(gradients));
        let (exp_avg, exp_avg_sq) = (pointers(&self.exp_avg), pointers(&self.exp_avg_sq));
        let steps = pointers(&self.steps);
        // SAFETY: all five lists have one live tensor for each leaf, and messages are made by `strdup`.
        unsafe {
            call("a step of AdamW", |error| {
                asap_adamw(
                    leaves.as_ptr(),
                    gradients.as_ptr(),
                    exp_avg.as_ptr(),
                    exp_avg_sq.as_ptr(),
                    steps.as_ptr(),
                    leaves.len(),
                    &raw const rates,
                    error,
                )
            })?;
        }
        self.step += 1;
        Ok(())
    }

    /// A copy of the state.
    pub(crate) fn state(&self) -> AdamWState {
        AdamWState {
            step: self.step,
            exp_avg: self.exp_avg.iter().map(Array::of).collect(),
            exp_avg_sq: self.exp_avg_sq.iter().map(Array::of).collect(),
        }
    }

    /// Puts a state back.
    ///
    /// # Errors
    /// [`Error::Argument`] where it is the state of other leaves.
    pub(crate) fn restore(&mut self, state: &AdamWState) -> Result<()> {
        fits("exp_avg of the optimiser", &self.leaves, &state.exp_avg)?;
        fits("exp_avg_sq of the optimiser", &self.leaves, &state.exp_avg_sq)?;
        put_back(&mut self.exp_avg, &state.exp_avg);
        put_back(&mut self.exp_avg_sq, &state.exp_avg_sq);
        for count in &mut self.steps {
            *count = count.full_like(f64::from(state.step));
        }
        self.step = state.step;
        Ok(())
    }

    fn check(&self, gradients: &[Tensor]) -> Result<()> {
        if gradients.len() != self.leaves.len() {
            let what = "the gradients of a step";
            return Err(Error::argument(what, self.leaves.len(), gradients.len()));
        }
        for (leaf, gradient) in self.leaves.iter().zip(gradients) {
            if leaf.size() != gradient.size() {
                let (expected, got) = (format!("{:?}", leaf.size()), format!("{:?}", gradient.size()));
                return Err(Error::argument("the sizes of a gradient", expected, got));
            }
            plain("a gradient", gradient)?;
        }
        Ok(())
    }
}

/// The kernel walks through memory, so strides and types must be plain.
fn plain(what: &'static str, tensor: &Tensor) -> Result<()> {
    if tensor.kind() == Kind::Float && tensor.is_contiguous() {
        return Ok(());
    }
    let got = format!("{:?} with strides {:?}", tensor.kind(), tensor.stride());
    Err(Error::argument(what, "contiguous f32", got))
}

/// Whether there is one array for each tensor, of its sizes.
pub(super) fn fits(what: &'static str, tensors: &[Tensor], arrays: &[Array]) -> Result<()> {
    let expected: Vec<Vec<i64>> = tensors.iter().map(Tensor::size).collect();
    let got: Vec<Vec<i64>> = arrays
        .iter()
        .map(|array| array.shape().iter().map(|&n| n as i64).collect())
        .collect();
    if expected.len() != got.len() {
        return Err(Error::argument(what, expected.len(), got.len()));
    }
    for (expected, got) in expected.iter().zip(&got) {
        if expected != got {
            return Err(Error::argument(what, format!("{expected:?}"), format!("{got:?}")));
        }
    }
    Ok(())
}

pub(super) fn put_back(tensors: &mut [Tensor], arrays: &[Array]) {
    let _off = tch::no_grad_guard();
    for (tensor, array) in tensors.iter_mut().zip(arrays) {
        tensor.copy_(&array.tensor());
    }
}
