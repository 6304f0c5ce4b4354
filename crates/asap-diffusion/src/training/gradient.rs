//! Errors of pairs and their gradients.

use tch::{Kind, Tensor};

use crate::Result;
use crate::guard::guard;
use crate::run::{Adapter, Run};
use crate::training::errors::{errors, numbers};
use crate::training::input::{PairTensors, image_tensors};
use crate::training::network::repeated;
use crate::training::prompt::Prompt;
use crate::training::{
    Backward, Conditioning, Descent, ErrorWeights, Errors, ImageInput, PairInput, Rejected, Trainee,
};

/// What is added to the sum of gradients: a factor and one gradient per parameter.
type Share = (f64, Vec<Tensor>);

/// Pairs where the network is.
struct Batch {
    pairs: PairTensors,
    prompt: Prompt,
}

impl Trainee {
    /// The errors of the preferred and the rejected image of each pair, without gradients.
    ///
    /// With [`Adapter::Off`] they are those of the reference. Kernels round by the size of a batch, so the reference
    /// is computed in the layout of the policy: the same pairs, the same `backward`.
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) for sizes that do not fit the network or each other,
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory), [`Error::Torch`](crate::Error::Torch).
    pub fn errors(
        &self,
        pairs: &[PairInput<'_>],
        adapter: Adapter,
        backward: Backward,
    ) -> Result<Vec<[Errors; 2]>> {
        let run = self.measuring(adapter);
        let batch = self.batch(pairs)?;
        guard("the errors of pairs", || {
            let _off = tch::no_grad_guard();
            match backward {
                Backward::Split => each([0, 1].map(|side| numbers(&self.image(&batch, side, run)))),
                Backward::Joint => both(&self.images(&batch, run)),
            }
        })
    }

    /// Adds the gradient of the loss of pairs to the sum and returns the errors of the policy.
    ///
    /// `factors` are told the errors of the preferred and the rejected image of each pair and answer, for each, with
    /// the derivative of the loss by the weighted error of either image.
    ///
    /// # Errors
    /// Those of [`Self::errors`]; the sum is as it was.
    pub fn accumulate(
        &mut self,
        pairs: &[PairInput<'_>],
        descent: &Descent,
        factors: impl FnOnce(&[[Errors; 2]]) -> Vec<[f64; 2]>,
    ) -> Result<Vec<[Errors; 2]>> {
        let batch = self.batch(pairs)?;
        let result = guard("the gradient of pairs", || {
            assert_eq!(
                descent.weights.len(),
                pairs.len(),
                "weights of the errors of pairs"
            );
            match descent.backward {
                Backward::Split if pairs.len() == 1 => self.one_by_one(&batch, descent, factors),
                Backward::Split => self.split(&batch, descent, factors),
                Backward::Joint => self.joint(&batch, descent, factors),
            }
        });
        let (found, shares) = result.inspect_err(|_| self.forget_gradients())?;
        self.add(shares)?;
        Ok(found)
    }

    /// Adds the gradient of the mean error over a batch of images to the sum and returns that mean: training on
    /// images alone, from which a base model comes.
    ///
    /// # Errors
    /// Those of [`Self::errors`]; the sum is as it was.
    pub fn accumulate_images(&mut self, images: &[ImageInput<'_>]) -> Result<f64> {
        for image in images {
            self.network.check_latent(image.latent.shape())?;
        }
        let (latents, noise) = image_tensors(images, self.device)?;
        let conditionings: Vec<&Conditioning> = images.iter().map(|image| image.conditioning).collect();
        let prompt = self.network.prompt(&conditionings, self.device)?;
        let times: Vec<f64> = images.iter().map(|image| image.time).collect();
        let result = guard("the gradient of a batch", || {
            let times = Tensor::from_slice(&times)
                .to_kind(Kind::Float)
                .to_device(self.device);
            let (noisy, target) = self.network.noised(&latents, &noise, &times);
            let predicted = self.network.predict(&noisy, &times, &prompt, self.training());
            let error = (predicted.to_kind(Kind::Float) - target)
                .square()
                .mean(Kind::Float);
            error.backward();
            (error.double_value(&[]), vec![(1.0, self.take_gradients())])
        });
        let (error, shares) = result.inspect_err(|_| self.forget_gradients())?;
        self.add(shares)?;
        Ok(error)
    }

    /// How far the adapter moved the prediction for the preferred image outside the mask: the mean squared
    /// difference between adapted and base prediction, weighted by 1 - M.
    ///
    /// # Errors
    /// Those of [`Self::errors`].
    pub fn background_drift(&self, pair: &PairInput<'_>) -> Result<f64> {
        let Batch { pairs, prompt } = self.batch(&[*pair])?;
        guard("the drift of a pair", || {
            let _off = tch::no_grad_guard();
            let (noisy, _) = self.network.noised(&pairs.latents[0], &pairs.noise, &pairs.times);
            let predicted = |adapter| {
                self.network
                    .predict(&noisy, &pairs.times, &prompt, self.measuring(adapter))
                    .to_kind(Kind::Float)
            };
            let squared = (predicted(Adapter::On) - predicted(Adapter::Off)).square();
            let outside: Tensor = 1.0 - pairs.mask.expand_as(&squared);
            let weight = outside.sum(Kind::Float).double_value(&[]).max(f64::MIN_POSITIVE);
            (squared * outside).sum(Kind::Float).double_value(&[]) / weight
        })
    }

    fn batch(&self, pairs: &[PairInput<'_>]) -> Result<Batch> {
        for pair in pairs {
            self.network.check_latent(pair.preferred.shape())?;
        }
        let conditionings: Vec<&Conditioning> = pairs.iter().map(|pair| pair.conditioning).collect();
        Ok(Batch {
            pairs: PairTensors::of(pairs, self.device)?,
            prompt: self.network.prompt(&conditionings, self.device)?,
        })
    }

    /// Errors of one image of each pair, `[B, 3]`.
    fn image(&self, batch: &Batch, side: usize, run: Run) -> Tensor {
        self.predicted(&batch.pairs.latents[side], batch, run)
    }

    /// Errors of all images in one batch, `[2 B, 3]`: the preferred ones first.
    fn images(&self, batch: &Batch, run: Run) -> Tensor {
        self.predicted(&Tensor::cat(&batch.pairs.latents, 0), batch, run)
    }

    fn predicted(&self, latents: &Tensor, Batch { pairs, prompt }: &Batch, run: Run) -> Tensor {
        let n_images = latents.size()[0];
        let times = repeated(&pairs.times, n_images);
        let (noisy, target) = self.network.noised(latents, &pairs.noise, &times);
        let predicted = self.network.predict(&noisy, &times, prompt, run);
        errors(&predicted, &target, &repeated(&pairs.mask, n_images))
    }

    /// One pair: a gradient is scaled by its factor once both are there, so no image is computed twice.
    fn one_by_one(
        &self,
        batch: &Batch,
        descent: &Descent,
        factors: impl FnOnce(&[[Errors; 2]]) -> Vec<[f64; 2]>,
    ) -> (Vec<[Errors; 2]>, Vec<Share>) {
        let mut gradients = Vec::with_capacity(2);
        let found = [0, 1].map(|side| {
            if side == 1 && descent.rejected == Rejected::Measured {
                let _off = tch::no_grad_guard();
                return numbers(&self.image(batch, side, self.training()));
            }
            let errors = self.image(batch, side, self.training());
            weighted(&errors, &descent.weights).sum(Kind::Float).backward();
            gradients.push(self.take_gradients());
            numbers(&errors)
        });
        let found = each(found);
        let factors = factors(&found);
        assert_eq!(factors.len(), 1, "factors of pairs");
        (found, factors.into_iter().flatten().zip(gradients).collect())
    }

    /// Several pairs: their gradients come out as one sum, so each image has its factor before its backward pass.
    fn split(
        &self,
        batch: &Batch,
        descent: &Descent,
        factors: impl FnOnce(&[[Errors; 2]]) -> Vec<[f64; 2]>,
    ) -> (Vec<[Errors; 2]>, Vec<Share>) {
        let preferred = self.image(batch, 0, self.training());
        let measured = tch::no_grad(|| numbers(&self.image(batch, 1, self.training())));
        let found = each([numbers(&preferred), measured]);
        let factors = factors(&found);
        assert_eq!(factors.len(), found.len(), "factors of pairs");
        let of_side = |side: usize| factors.iter().map(|factor| factor[side]).collect::<Vec<_>>();
        descend(&preferred, &descent.weights, &of_side(0));
        drop(preferred);
        if descent.rejected == Rejected::Trained {
            descend(
                &self.image(batch, 1, self.training()),
                &descent.weights,
                &of_side(1),
            );
        }
        (found, vec![(1.0, self.take_gradients())])
    }

    fn joint(
        &self,
        batch: &Batch,
        descent: &Descent,
        factors: impl FnOnce(&[[Errors; 2]]) -> Vec<[f64; 2]>,
    ) -> (Vec<[Errors; 2]>, Vec<Share>) {
        let errors = self.images(batch, self.training());
        let found = both(&errors);
        let factors = factors(&found);
        assert_eq!(factors.len(), found.len(), "factors of pairs");
        let of_side = |side: usize| factors.iter().map(move |factor| factor[side]);
        descend(
            &errors,
            &descent.weights,
            &of_side(0).chain(of_side(1)).collect::<Vec<_>>(),
        );
        (found, vec![(1.0, self.take_gradients())])
    }

    fn add(&mut self, shares: Vec<Share>) -> Result<()> {
        guard("the sum of gradients", || {
            let _off = tch::no_grad_guard();
            for (factor, gradients) in shares {
                for (sum, gradient) in self.sum.iter_mut().zip(gradients) {
                    let _ = sum.g_add_(&(gradient * factor));
                }
            }
        })
    }

    /// The gradients that backward passes left, one per parameter, out of the way of the next pass.
    fn take_gradients(&self) -> Vec<Tensor> {
        let _off = tch::no_grad_guard();
        self.parameters
            .iter()
            .map(|parameter| {
                let mut gradient = parameter.tensor.grad();
                if !gradient.defined() {
                    return parameter.tensor.zeros_like();
                }
                let taken = gradient.copy();
                let _ = gradient.zero_();
                taken
            })
            .collect()
    }

    fn forget_gradients(&self) {
        for parameter in &self.parameters {
            parameter.tensor.shallow_clone().zero_grad();
        }
    }
}

/// The backward pass of weighted errors times their factors, one per image.
fn descend(errors: &Tensor, weights: &[ErrorWeights], factors: &[f64]) {
    let factors = Tensor::from_slice(factors)
        .to_device(errors.device())
        .to_kind(Kind::Float);
    (weighted(errors, weights) * factors).sum(Kind::Float).backward();
}

/// `[N, 3]` to `[N]`; the weights are those of the pairs, one after the other, for either image.
fn weighted(errors: &Tensor, weights: &[ErrorWeights]) -> Tensor {
    let flat: Vec<f64> = weights.iter().flat_map(|weights| weights.0).collect();
    let weights = Tensor::from_slice(&flat)
        .reshape([-1, 3])
        .to_device(errors.device())
        .to_kind(Kind::Float);
    let of_image: Tensor = errors * repeated(&weights, errors.size()[0]);
    of_image.sum_dim_intlist(1, false, Kind::Float)
}

/// Errors of the preferred images and of the rejected ones, by pair.
fn each([preferred, rejected]: [Vec<Errors>; 2]) -> Vec<[Errors; 2]> {
    let pairs = preferred.into_iter().zip(rejected);
    pairs.map(|(preferred, rejected)| [preferred, rejected]).collect()
}

/// The same of one tensor, `[2 B, 3]`.
fn both(errors: &Tensor) -> Vec<[Errors; 2]> {
    let mut preferred = numbers(errors);
    let rejected = preferred.split_off(preferred.len() / 2);
    each([preferred, rejected])
}
