//! The optimiser beside torch's; the golden numbers are from `tests/golden/optim.py`.

use tch::{Kind, Tensor};

use super::*;
use crate::Error;
use crate::testing::{Golden, values};

/// Between two versions of one kernel: the processors' own ways to round.
const SAME_KERNEL: f64 = 1e-7;
/// Between torch's kernel and its loop over plain operations.
const OTHER_ORDER: f64 = 1e-6;

struct Course {
    golden: Golden,
    shapes: Vec<Vec<i64>>,
}

impl Course {
    fn read() -> Self {
        let golden = Golden::read("optim");
        let shapes = golden.fact("/shapes");
        Self { golden, shapes }
    }

    fn leaves(&self) -> Vec<Tensor> {
        self.inputs("leaf", 1.0)
            .into_iter()
            .map(|leaf| leaf.set_requires_grad(true))
            .collect()
    }

    fn inputs(&self, name: &str, scale: f32) -> Vec<Tensor> {
        let input = |(at, shape): (usize, &Vec<i64>)| Golden::input(&format!("{name}.{at}"), shape, scale);
        self.shapes.iter().enumerate().map(input).collect()
    }

    fn optimizer(&self, leaves: &[Tensor]) -> AdamW {
        AdamW::new(leaves, self.golden.fact("/settings")).unwrap()
    }

    fn n_steps(&self) -> usize {
        self.golden.fact::<Vec<f64>>("/norms").len()
    }

    /// Clips and steps; returns the norm.
    fn step(&self, optimizer: &mut AdamW, step: usize) -> f64 {
        let gradients = self.inputs(&format!("gradient.{step}"), 0.25 + step as f32 / 32.0);
        let norm = clip_grad_norm(&gradients, self.golden.fact("/max_norm")).unwrap();
        let rates: Vec<f64> = self.golden.fact("/rates");
        optimizer.step(&gradients, rates[step % rates.len()]).unwrap();
        norm
    }
}

#[test]
fn fifty_steps_are_those_of_torch() {
    let course = Course::read();
    let leaves = course.leaves();
    let mut optimizer = course.optimizer(&leaves);
    let mut average = Ema::new(&leaves, course.golden.fact("/ema_decay"));
    let norms: Vec<f64> = course.golden.fact("/norms");
    for (step, expected) in norms.iter().enumerate() {
        let norm = course.step(&mut optimizer, step);
        assert!(
            (norm / expected - 1.0).abs() < OTHER_ORDER,
            "step {step}: {norm} for {expected}"
        );
        average.update();
    }
    let state = optimizer.state();
    assert_eq!(state.step, 50);
    let shadow = average.state().shadow;
    for (at, leaf) in leaves.iter().enumerate() {
        let same = |name: &str, tensor: &Tensor| {
            course
                .golden
                .check_within(&format!("{name}.{at}"), tensor, SAME_KERNEL);
        };
        same("fused", leaf);
        same("exp_avg", &state.exp_avg[at].tensor());
        same("exp_avg_sq", &state.exp_avg_sq[at].tensor());
        same("average", &shadow[at].tensor());
        course
            .golden
            .check_within(&format!("loop.{at}"), leaf, OTHER_ORDER);
    }
}

#[test]
fn a_resumed_run_goes_on_bit_for_bit() {
    let course = Course::read();
    let (leaves, resumed) = (course.leaves(), course.leaves());
    let mut optimizer = course.optimizer(&leaves);
    let mut average = Ema::new(&leaves, 0.8);
    let half = course.n_steps() / 2;
    for step in 0..half {
        course.step(&mut optimizer, step);
        average.update();
    }
    let (state, shadow) = (optimizer.state(), average.state());
    {
        let _off = tch::no_grad_guard();
        for (to, from) in resumed.iter().zip(&leaves) {
            to.shallow_clone().copy_(from);
        }
    }
    let mut second = course.optimizer(&resumed);
    second.restore(&state).unwrap();
    let mut second_average = Ema::new(&resumed, 0.8);
    second_average.restore(&shadow).unwrap();
    for step in half..course.n_steps() {
        course.step(&mut optimizer, step);
        average.update();
        course.step(&mut second, step);
        second_average.update();
    }
    assert_eq!(optimizer.state(), second.state());
    assert_eq!(average.state(), second_average.state());
    for (leaf, resumed) in leaves.iter().zip(&resumed) {
        assert_eq!(leaf, resumed);
    }
}

#[test]
fn averages_are_swapped_in_and_out() {
    let leaf = Tensor::from_slice(&values("leaf", 6, 1.0)).set_requires_grad(true);
    let mut average = Ema::new(std::slice::from_ref(&leaf), 0.9);
    let (begun, moved) = (leaf.detach().copy(), leaf.detach() + 1.0);
    tch::no_grad(|| leaf.shallow_clone().copy_(&moved));
    average.swap();
    assert_eq!(leaf.detach(), begun);
    average.swap();
    assert_eq!(leaf.detach(), moved);
    average.update();
    average.swap();
    assert_eq!(
        leaf.detach(),
        moved,
        "the first update takes the weights as they are"
    );
    assert!(leaf.requires_grad());
}

#[test]
fn what_does_not_fit_is_told_with_both_sizes() {
    let course = Course::read();
    let leaves = course.leaves();
    let mut optimizer = course.optimizer(&leaves);
    let check = |outcome: crate::Result<()>, message: &str| {
        assert_eq!(outcome.unwrap_err().to_string(), message);
    };
    let mut gradients = course.inputs("gradient", 1.0);
    gradients[0] = gradients[0].tr();
    check(
        optimizer.step(&gradients, 0.1),
        "the sizes of a gradient: expected [16, 24], got [24, 16]",
    );
    gradients[0] = gradients[0].tr().to_kind(Kind::Double);
    check(
        optimizer.step(&gradients, 0.1),
        "a gradient: expected contiguous f32, got Double with strides [24, 1]",
    );
    check(
        optimizer.step(&gradients[1..], 0.1),
        "the gradients of a step: expected 5, got 4",
    );
    let mut state = optimizer.state();
    state.exp_avg.pop();
    check(
        optimizer.restore(&state),
        "exp_avg of the optimiser: expected 5, got 4",
    );
    assert!(matches!(
        AdamW::new(&gradients, course.golden.fact("/settings")),
        Err(Error::Argument { .. })
    ));
}
