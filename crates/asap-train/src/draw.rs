//! The random numbers of training: time steps, noise and what is drawn from the image encoder.
//!
//! Every number is named by what it is for: the seed, the pair, the epoch, the draw and its role. A run that was
//! resumed, or is made by another number of processes, draws the same ones. Both images of a pair share all of them,
//! but for the encoder's where the settings say so.

mod level;
mod normal;
mod quantile;

use asap_core::{PairId, Stream};

use crate::config::{Noise, Settings, VaeNoise};
pub use level::{Level, Levels};
pub use normal::normals;

/// What a random number is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The pair.
    pub pair_id: PairId,
    /// The pass over the data set.
    pub epoch: u32,
    /// The draw, from 0.
    pub draw_idx: u32,
}

impl Key {
    /// An evaluation draw of a held-out pair: the same at every evaluation, and of no pass over the data set.
    pub const fn held_out(pair_id: PairId, draw_idx: u32) -> Self {
        Self {
            pair_id,
            epoch: u32::MAX,
            draw_idx,
        }
    }
}

/// Which image of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// x_w.
    Preferred,
    /// x_l.
    Rejected,
}

/// The random numbers of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Draws {
    seed: u64,
    noise: Noise,
}

impl Draws {
    /// Those that the settings ask for.
    pub fn of(settings: &Settings) -> Self {
        Self {
            seed: settings.run.seed,
            noise: settings.noise.clone(),
        }
    }

    /// A number in `[0, 1)` for each pair of a global batch, in its order: the place of its time step in the
    /// distribution. All keys have the same `draw_idx`.
    ///
    /// Where time steps are stratified, the k-th pair of n gets (k' + v) / n with k' a permutation of the step, so
    /// each n-th of the distribution is drawn once; the numbers then depend on the whole batch, so a process asks
    /// for all and takes its own. Otherwise each depends on its own key.
    /// Errors of the frozen network that are kept for later must hold the amount of noise beside the key.
    pub fn units(&self, step: u32, batch: &[Key]) -> Vec<f64> {
        let own = |key: &Key| self.stream(key, "time").unit();
        if !self.noise.stratified {
            return batch.iter().map(own).collect();
        }
        let draw_idx = batch.first().map_or(0, |key| key.draw_idx);
        let mut strata: Vec<usize> = (0..batch.len()).collect();
        Stream::new(self.seed, &format!("train/strata/{step}/{draw_idx}")).shuffle(&mut strata);
        let n = batch.len() as f64;
        let spread = |(key, stratum): (&Key, usize)| below_1((stratum as f64 + own(key)) / n);
        batch.iter().zip(strata).map(spread).collect()
    }

    /// Numbers in `[0, 1)` for the evaluation draws of a held-out pair: the middles of equal parts, so that every
    /// evaluation of a pair sees the same time steps.
    pub fn eval_units(n_draws: u32) -> Vec<f64> {
        (0..n_draws)
            .map(|idx| (f64::from(idx) + 0.5) / f64::from(n_draws))
            .collect()
    }

    /// Standard normal noise, the same for both images.
    pub fn noise(&self, key: &Key, n: usize) -> Vec<f32> {
        normals(&mut self.stream(key, "noise"), n)
    }

    /// The standard normal number with which an image's latent is drawn from its posterior; `None` where the mean
    /// is taken.
    pub fn vae_noise(&self, key: &Key, side: Side, n: usize) -> Option<Vec<f32>> {
        let role = match (self.noise.vae_noise, side) {
            (VaeNoise::Mean, _) => return None,
            (VaeNoise::Shared, _) => "vae",
            (VaeNoise::Independent, Side::Preferred) => "vae/preferred",
            (VaeNoise::Independent, Side::Rejected) => "vae/rejected",
        };
        Some(normals(&mut self.stream(key, role), n))
    }

    fn stream(&self, key: &Key, role: &str) -> Stream {
        let Key {
            pair_id,
            epoch,
            draw_idx,
        } = key;
        Stream::new(
            self.seed,
            &format!("train/pair/{pair_id}/epoch/{epoch}/draw/{draw_idx}/{role}"),
        )
    }
}

/// A sum of a place and a part may round up to the next place.
fn below_1(unit: f64) -> f64 {
    unit.min(1.0f64.next_down())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Layer;

    fn draws(flags: &[(&str, &str)]) -> Draws {
        let mut layers = vec![Layer::preset("flux-asap").unwrap()];
        layers.extend(flags.iter().map(|(key, value)| Layer::flag(key, value).unwrap()));
        Draws::of(&Settings::resolve(&layers).unwrap())
    }

    fn key(number: u8) -> Key {
        Key {
            pair_id: PairId::from_bytes([number; 32]),
            epoch: 2,
            draw_idx: 0,
        }
    }

    #[test]
    fn a_number_depends_on_its_name_alone() {
        let draws = draws(&[]);
        let noise = draws.noise(&key(1), 6);
        assert_eq!(noise, draws.noise(&key(1), 6));
        assert_eq!(noise[..3], draws.noise(&key(1), 3));
        let others = [
            key(2),
            Key { epoch: 3, ..key(1) },
            Key {
                draw_idx: 1,
                ..key(1)
            },
        ];
        for other in others {
            assert_ne!(noise, draws.noise(&other, 6));
        }
        // Runs name their seed: these numbers may never change.
        assert_eq!(noise[..3], [-0.9710864, -0.55070406, 0.29398894]);
    }

    #[test]
    fn the_images_of_a_pair_share_what_the_settings_say() {
        let of = |word| {
            let draws = draws(&[("noise.vae_noise", word)]);
            [Side::Preferred, Side::Rejected].map(|side| draws.vae_noise(&key(1), side, 4))
        };
        let [preferred, rejected] = of("shared");
        assert_eq!(preferred, rejected);
        assert_ne!(preferred, Some(draws(&[]).noise(&key(1), 4)));
        let [preferred, rejected] = of("independent");
        assert_ne!(preferred, rejected);
        assert_eq!(of("mean"), [None, None]);
    }

    #[test]
    fn stratified_units_fill_every_part_once() {
        let batch: Vec<Key> = (0..16).map(key).collect();
        let draws = draws(&[]);
        let units = draws.units(5, &batch);
        let mut parts: Vec<usize> = units.iter().map(|unit| (unit * 16.0) as usize).collect();
        parts.sort_unstable();
        assert_eq!(parts, (0..16).collect::<Vec<_>>());
        assert_eq!(units, draws.units(5, &batch));
        assert_ne!(units, draws.units(6, &batch));
        assert_eq!(Draws::eval_units(2), [0.25, 0.75]);
    }

    #[test]
    fn stratified_or_not_a_pair_sees_the_whole_distribution() {
        for word in ["true", "false"] {
            let draws = draws(&[("noise.stratified", word)]);
            let batch: Vec<Key> = (0..8).map(key).collect();
            let n = 2000;
            let first: Vec<f64> = (0..n)
                .map(|step| {
                    let batch: Vec<Key> = batch.iter().map(|key| Key { epoch: step, ..*key }).collect();
                    draws.units(step, &batch)[0]
                })
                .collect();
            let mean = first.iter().sum::<f64>() / f64::from(n);
            let square = first.iter().map(|u| u * u).sum::<f64>() / f64::from(n);
            assert!((mean - 0.5).abs() < 0.025, "{mean}");
            assert!((square - 1.0 / 3.0).abs() < 0.025, "{square}");
        }
    }

    #[test]
    fn units_alone_do_not_depend_on_the_batch() {
        let draws = draws(&[("noise.stratified", "false")]);
        let batch: Vec<Key> = (0..4).map(key).collect();
        assert_eq!(draws.units(0, &batch)[1..3], draws.units(9, &batch[1..3]));
        assert!(below_1(1.0) < 1.0);
    }
}
