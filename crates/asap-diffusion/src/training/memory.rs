//! What saves memory or time leaves the result as it is.

use tch::Tensor;

use super::parity::{Case, Inputs, optimiser};
use super::*;
use crate::Array;
use crate::device::{Place, Placement, Precision};
use crate::run::{Adapter, Checkpointing, Residual};

const BACKBONES: [&str; 2] = ["flux.bounded-local", "sdxl.bounded-local"];

/// One layout of the computation.
#[derive(Clone, Copy)]
struct Layout {
    backward: Backward,
    checkpointing: Checkpointing,
    residual: Residual,
    swap_blocks: usize,
}

impl Layout {
    fn each() -> impl Iterator<Item = Self> {
        let backward = [Backward::Split, Backward::Joint];
        let checkpointing = [Checkpointing::Off, Checkpointing::EveryNth(1)];
        backward.into_iter().flat_map(move |backward| {
            checkpointing.map(|checkpointing| Self {
                backward,
                checkpointing,
                residual: Residual::Model,
                swap_blocks: 0,
            })
        })
    }

    fn trainee(self, case: &Case) -> Trainee {
        let placement = Placement {
            place: Place::Cpu,
            precision: Precision::F32,
            swap_blocks: self.swap_blocks,
        };
        let mut trainee = case.placed(optimiser(), placement);
        trainee.checkpointing = self.checkpointing;
        trainee.residual = self.residual;
        trainee
    }

    fn descent(self, n_pairs: usize, rejected: Rejected) -> Descent {
        // Weights that differ by pair, as the areas of masks do.
        let weights = (0..n_pairs).map(|at| ErrorWeights([1.0, 20.0 + at as f64, 100.0]));
        Descent {
            weights: weights.collect(),
            backward: self.backward,
            rejected,
        }
    }
}

/// Factors that depend on both images, as those of an objective do.
fn factors(errors: &[[Errors; 2]]) -> Vec<[f64; 2]> {
    let of = |[preferred, rejected]: &[Errors; 2]| {
        let slope = 2.0 * (rejected.e0 - preferred.e0 - 0.3);
        [-slope, slope]
    };
    errors.iter().map(of).collect()
}

/// The weights after two updates, with the errors of policy and reference on the way.
fn trained(case: &Case, layout: Layout) -> (Vec<[Errors; 2]>, Vec<Array>) {
    let mut trainee = layout.trainee(case);
    let mut told = Vec::new();
    for update in 0..2 {
        let inputs = Inputs::new(case, update, 0);
        let pairs = [inputs.pair()];
        told.extend(trainee.errors(&pairs, Adapter::Off, layout.backward).unwrap());
        let descent = layout.descent(1, Rejected::Trained);
        told.extend(trainee.accumulate(&pairs, &descent, factors).unwrap());
        trainee.apply(1e-3, 1, None).unwrap();
    }
    (told, trainee.weights().into_values().collect())
}

#[test]
fn swapped_blocks_change_no_bit() {
    for name in BACKBONES {
        let case = Case::new(name);
        for layout in Layout::each() {
            let plain = trained(&case, layout);
            // One block, and all that there are.
            for swap_blocks in [1, 100] {
                let swapped = trained(
                    &case,
                    Layout {
                        swap_blocks,
                        ..layout
                    },
                );
                assert_eq!(plain, swapped, "{name}, {swap_blocks} blocks");
            }
        }
    }
}

/// Blocks can begin to wait between two steps.
#[test]
fn blocks_that_wait_later_change_no_bit() {
    for name in BACKBONES {
        let case = Case::new(name);
        for layout in Layout::each() {
            let mut trainee = layout.trainee(&case);
            assert!(trainee.n_blocks() > 1);
            let inputs = Inputs::new(&case, 0, 0);
            let mut step = |n_waiting: usize| {
                trainee.swap_blocks(n_waiting).unwrap();
                let descent = layout.descent(1, Rejected::Trained);
                let told = trainee.accumulate(&[inputs.pair()], &descent, factors);
                let sum: Vec<Tensor> = trainee.sum.iter().map(Tensor::copy).collect();
                trainee.forget_sum().unwrap();
                (told.unwrap(), sum)
            };
            let plain = step(0);
            assert_eq!(plain, step(1));
            assert_eq!(plain, step(100));
        }
    }
}

#[test]
fn in_f32_the_residual_stream_is_what_it_was() {
    for name in BACKBONES {
        let case = Case::new(name);
        for layout in Layout::each() {
            let residual = Residual::F32;
            assert_eq!(
                trained(&case, layout),
                trained(&case, Layout { residual, ..layout })
            );
        }
    }
}

/// The largest distance relative to the largest value of the first.
fn apart(one: &[Tensor], other: &[Tensor]) -> f64 {
    let largest = |tensors: &[Tensor]| {
        let values = tensors.iter().map(|tensor| tensor.abs().max().double_value(&[]));
        values.fold(0.0, f64::max)
    };
    let differences: Vec<Tensor> = one.iter().zip(other).map(|(one, other)| one - other).collect();
    largest(&differences) / largest(one)
}

fn goes_together_as_one_by_one(name: &'static str, rejected: Rejected) {
    let case = Case::new(name);
    let inputs: Vec<Inputs> = (0..3).map(|n| Inputs::new(&case, n / 2, n % 2)).collect();
    let pairs: Vec<PairInput<'_>> = inputs.iter().map(Inputs::pair).collect();
    for layout in Layout::each() {
        let descent = layout.descent(pairs.len(), rejected);
        let mut alone = layout.trainee(&case);
        let mut told = Vec::new();
        for (pair, weights) in pairs.iter().zip(&descent.weights) {
            let descent = Descent {
                weights: vec![*weights],
                ..descent.clone()
            };
            told.extend(alone.accumulate(&[*pair], &descent, factors).unwrap());
        }
        let mut together = layout.trainee(&case);
        let told_together = together.accumulate(&pairs, &descent, factors).unwrap();
        let distance = apart(&alone.sum, &together.sum);
        assert!(distance <= 1e-5, "{name}: gradients are {distance:e} apart");
        let measured = together.errors(&pairs, Adapter::On, layout.backward).unwrap();
        for (one, other) in told.iter().zip(&told_together).chain(told.iter().zip(&measured)) {
            for (one, other) in one.iter().zip(other) {
                for (one, other) in [(one.e0, other.e0), (one.e1, other.e1), (one.e2, other.e2)] {
                    assert!((one - other).abs() <= 1e-5 * one, "{name}: {one} and {other}");
                }
            }
        }
    }
}

#[test]
fn pairs_of_flux_go_together_as_one_by_one() {
    goes_together_as_one_by_one(BACKBONES[0], Rejected::Trained);
}

#[test]
fn pairs_of_sdxl_go_together_as_one_by_one() {
    goes_together_as_one_by_one(BACKBONES[1], Rejected::Trained);
}

/// Training on the preferred images alone: factors of the rejected ones are 0 there in the joint layout.
#[test]
fn measured_images_go_together_without_a_gradient() {
    let case = Case::new(BACKBONES[0]);
    let inputs: Vec<Inputs> = (0..2).map(|n| Inputs::new(&case, 0, n)).collect();
    let pairs: Vec<PairInput<'_>> = inputs.iter().map(Inputs::pair).collect();
    let sums = Layout::each().map(|layout| {
        let mut trainee = layout.trainee(&case);
        let descent = layout.descent(2, Rejected::Measured);
        let preferred = |errors: &[[Errors; 2]]| vec![[1.0, 0.0]; errors.len()];
        trainee.accumulate(&pairs, &descent, preferred).unwrap();
        trainee.sum
    });
    let sums: Vec<Vec<Tensor>> = sums.collect();
    for other in &sums[1..] {
        assert!(apart(&sums[0], other) <= 1e-5);
    }
}

#[test]
fn pairs_of_other_sizes_do_not_go_together() {
    let case = Case::new(BACKBONES[0]);
    let trainee = case.placed(optimiser(), Placement::whole(Place::Cpu, Precision::F32));
    let (one, mut other) = (Inputs::new(&case, 0, 0), Inputs::new(&case, 0, 1));
    other.preferred = Array::new(&[4, 6, 4], vec![0.0; 96]).unwrap();
    let told = |pairs: &[PairInput<'_>]| {
        let error = trainee.errors(pairs, Adapter::On, Backward::Split).unwrap_err();
        error.to_string()
    };
    assert_eq!(
        told(&[one.pair(), other.pair()]),
        "the preferred latent: expected [4, 4, 6], got [4, 6, 4]"
    );
    assert_eq!(told(&[]), "the pairs of a batch: expected at least 1, got 0");
}
