//! An average of the weights over time, kept beside them.

use tch::Tensor;

use crate::optim::adamw::{fits, put_back};
use crate::{Array, Result};

/// All that a resumed run needs to go on bit for bit.
#[derive(Clone, Debug, PartialEq)]
pub struct EmaState {
    /// Updates made.
    pub n_updates: u32,
    /// The averages, in the order of the leaves.
    pub shadow: Vec<Array>,
}

/// The exponential moving average of the leaves.
///
/// # Source
/// `diffusers.training_utils.EMAModel` without its options: the first update takes the weights as they are; update
/// n, from 1, keeps the smaller of `decay` and `(1 + n) / (10 + n)`, so the first weights do not weigh on a short
/// run.
pub(crate) struct Ema {
    decay: f64,
    leaves: Vec<Tensor>,
    shadow: Vec<Tensor>,
    n_updates: u32,
}

impl Ema {
    /// Begins with the weights as they are. `decay` in 0..1 is how much of the average an update keeps.
    pub(crate) fn new(leaves: &[Tensor], decay: f64) -> Self {
        Self {
            decay,
            leaves: leaves.iter().map(Tensor::shallow_clone).collect(),
            shadow: leaves.iter().map(|leaf| leaf.detach().copy()).collect(),
            n_updates: 0,
        }
    }

    /// Moves the average towards the weights; once after each step of the optimiser.
    pub(crate) fn update(&mut self) {
        let _off = tch::no_grad_guard();
        let n = f64::from(self.n_updates);
        let ramp = if self.n_updates == 0 {
            0.0
        } else {
            (1.0 + n) / (10.0 + n)
        };
        let keep = self.decay.min(ramp);
        for (shadow, leaf) in self.shadow.iter_mut().zip(&self.leaves) {
            let step = (&*shadow - leaf) * (1.0 - keep);
            *shadow -= step;
        }
        self.n_updates += 1;
    }

    /// Exchanges the weights and their averages; a second call puts both back, bit for bit.
    pub(crate) fn swap(&mut self) {
        let _off = tch::no_grad_guard();
        for (shadow, leaf) in self.shadow.iter_mut().zip(&mut self.leaves) {
            let held = leaf.detach().copy();
            leaf.copy_(shadow);
            shadow.copy_(&held);
        }
    }

    /// A copy of the state.
    pub(crate) fn state(&self) -> EmaState {
        EmaState {
            n_updates: self.n_updates,
            shadow: self.shadow.iter().map(Array::of).collect(),
        }
    }

    /// Puts a state back.
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) where it is the state of other leaves.
    pub(crate) fn restore(&mut self, state: &EmaState) -> Result<()> {
        fits("the averages of weights", &self.leaves, &state.shadow)?;
        put_back(&mut self.shadow, &state.shadow);
        self.n_updates = state.n_updates;
        Ok(())
    }
}
