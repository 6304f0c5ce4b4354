//! Errors of the frozen network: looked up where they are kept, else computed and kept.
//!
//! Every process opens the cache and writes what it computed itself; the cache lets one writer after the other in.
//! So nothing is sent between processes, and they find each other's draws in the next run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use asap_core::{PairId, Sha256};
use asap_diffusion::Adapter;
use asap_diffusion::training::NetworkFiles;
use asap_store::cache::{ReferenceCache, ReferenceErrors};

use super::{Drawn, Steps, input, sides};
use crate::config::{Precision, ReferenceCache as Setting, Settings};
use crate::data::Example;
use crate::draw::{Key, Level};
use crate::objective::{Errors, Pair};
use crate::reference_key::{Stem, content};
use crate::session::{Progress, first_then_others};

/// One of so many draws that were found is computed again, the first one of a run among them: a cache of wrong
/// numbers is noticed before the first update, and the passes that this costs are under two in a hundred.
const VERIFIED_OF: u64 = 64;

/// Which pairs.
#[derive(Clone, Copy, Debug)]
pub(in crate::session) enum Set {
    /// Those that are trained on.
    Train,
    /// Those that are not.
    HeldOut,
}

/// How often errors of the frozen network were asked for, by what was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReferenceCounts {
    /// Looked up.
    pub n_found: u64,
    /// Computed.
    pub n_computed: u64,
    /// Of those looked up, computed again, and equal.
    pub n_verified: u64,
}

/// Errors that are kept on disk, and those that will be.
pub(super) struct Kept {
    cache: ReferenceCache,
    runtime: tokio::runtime::Runtime,
    stem: Stem,
    contents: BTreeMap<PairId, Sha256>,
    /// Not written yet.
    new: Vec<(Sha256, ReferenceErrors)>,
    counts: ReferenceCounts,
}

impl Kept {
    /// The name of a draw. What a pair holds is hashed once.
    pub(super) fn name(&mut self, example: &Example, key: &Key, level: Level) -> Sha256 {
        let content = *self
            .contents
            .entry(example.id)
            .or_insert_with(|| content(example));
        self.stem.name(&content, key, level)
    }

    pub(super) fn knows(&self, name: &Sha256) -> bool {
        self.cache.get(name).is_some()
    }

    /// Counts a draw that is there and needs no number.
    pub(super) fn passed_over(&mut self) {
        self.counts.n_found += 1;
    }
}

impl Steps {
    /// Opens the cache, where the settings ask for one.
    pub(in crate::session) fn open_cache(
        &mut self,
        files: &NetworkFiles,
        base_hash: &str,
        progress: &dyn Progress,
    ) -> anyhow::Result<()> {
        if self.settings.run.reference_cache == Setting::Off {
            return Ok(());
        }
        let path = place(&self.settings)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let open = || Ok(runtime.block_on(ReferenceCache::open(&path))?);
        let cache = first_then_others(self.group.as_ref(), open)?;
        progress.say(&format!(
            "reference cache `{}`: {} draws are known",
            path.display(),
            cache.len()
        ));
        self.kept = Some(Kept {
            cache,
            runtime,
            stem: Stem::of(&self.settings, files, base_hash, self.place)?,
            contents: BTreeMap::new(),
            new: Vec::new(),
            counts: ReferenceCounts::default(),
        });
        Ok(())
    }

    /// Errors of the frozen network on pairs of one size, each at a draw of its own. What must be computed goes through
    /// the network together.
    pub(in crate::session) fn references(
        &mut self,
        (set, pairs): (Set, &[usize]),
        keys: &[Key],
        drawn: &[Drawn],
    ) -> anyhow::Result<Vec<Pair<Errors>>> {
        let (backward, precision) = (self.layout.backward, self.settings.model.precision);
        let chosen = match set {
            Set::Train => &self.chosen.train,
            Set::HeldOut => &self.chosen.held_out,
        };
        let examples: Vec<&Example> = pairs.iter().map(|pair_idx| &chosen[*pair_idx]).collect();
        let trainee = &self.trainee;
        let compute = |places: &[usize]| -> anyhow::Result<Vec<Pair<Errors>>> {
            if places.is_empty() {
                return Ok(Vec::new());
            }
            let inputs: Vec<_> = places
                .iter()
                .map(|at| input(examples[*at], &drawn[*at]))
                .collect();
            let found = trainee.errors(&inputs, Adapter::Off, backward)?;
            Ok(found.into_iter().map(sides).collect())
        };
        let all: Vec<usize> = (0..drawn.len()).collect();
        let Some(kept) = &mut self.kept else {
            return compute(&all);
        };
        let names: Vec<Sha256> = all
            .iter()
            .map(|at| kept.name(examples[*at], &keys[*at], drawn[*at].level))
            .collect();
        let known: Vec<_> = names.iter().map(|name| kept.cache.get(name)).collect();
        let (found, missing): (Vec<usize>, Vec<usize>) = all.iter().partition(|at| known[**at].is_some());
        let verified: Vec<usize> = (kept.counts.n_found..)
            .zip(&found)
            .filter_map(|(n_found, at)| n_found.is_multiple_of(VERIFIED_OF).then_some(*at))
            .collect();
        let places = [missing.as_slice(), &verified].concat();
        let computed: BTreeMap<usize, Pair<Errors>> = places.iter().copied().zip(compute(&places)?).collect();
        for at in &verified {
            if let Some(stored) = known[*at] {
                let compared = (to_store(computed[at]), stored);
                verify(
                    kept.cache.path(),
                    (&names[*at], examples[*at]),
                    compared,
                    tolerance(precision),
                )?;
            }
        }
        kept.new
            .extend(missing.iter().map(|at| (names[*at], to_store(computed[at]))));
        kept.counts.n_computed += missing.len() as u64;
        kept.counts.n_verified += verified.len() as u64;
        kept.counts.n_found += found.len() as u64;
        let reference = |at: usize| known[at].map_or_else(|| computed[&at], from_store);
        Ok(all.into_iter().map(reference).collect())
    }

    /// Brings what was computed to the disk.
    pub(in crate::session) fn keep_references(&mut self) -> anyhow::Result<()> {
        let Some(kept) = &mut self.kept else { return Ok(()) };
        // A loss that is no number ends the run with the name of its pair; it is not kept.
        kept.new.retain(|(_, errors)| {
            let numbers = errors.preferred.iter().chain(&errors.rejected);
            numbers.copied().all(f64::is_finite)
        });
        kept.runtime.block_on(kept.cache.append(&kept.new))?;
        kept.new.clear();
        Ok(())
    }

    /// What was found and computed since the run began or went on, over all processes; `None` without a cache.
    pub(in crate::session) fn reference_counts(&self) -> anyhow::Result<Option<ReferenceCounts>> {
        let Some(kept) = &self.kept else { return Ok(None) };
        let counts = kept.counts;
        let mut sums = [counts.n_found, counts.n_computed, counts.n_verified].map(|n| n as f64);
        if let Some(group) = &self.group {
            group.sum_f64(&mut sums)?;
        }
        let [n_found, n_computed, n_verified] = sums.map(|sum| sum as u64);
        Ok(Some(ReferenceCounts {
            n_found,
            n_computed,
            n_verified,
        }))
    }

    /// Writes down what the cache did for this run.
    pub(in crate::session) fn tell_references(
        &mut self,
        step: u64,
        progress: &dyn Progress,
    ) -> anyhow::Result<()> {
        match self.reference_counts()? {
            Some(counts) => self.note(step, counts.to_string(), progress),
            None => Ok(()),
        }
    }
}

impl std::fmt::Display for ReferenceCounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "reference cache: {} draws found, {} computed; {} of those found were computed again and agree",
            self.n_found, self.n_computed, self.n_verified
        )
    }
}

/// The folder of the cache: as the settings say, or beside the dataset.
fn place(settings: &Settings) -> anyhow::Result<PathBuf> {
    if let Some(path) = &settings.data.cache {
        return Ok(path.clone());
    }
    let data = settings.data.path.as_deref();
    let data = data.context("`data.path` names no dataset, and `data.cache` no cache")?;
    Ok(beside(data))
}

/// `NAME.cache` beside `NAME.lance`.
fn beside(data: &Path) -> PathBuf {
    let name = data
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let stem = name.strip_suffix(".lance").unwrap_or(&name);
    data.with_file_name(format!("{stem}.cache"))
}

/// How far apart errors may be that were computed twice, relative to the second: threads and GPUs add in another
/// order, which is no reason to stop.
fn tolerance(precision: Precision) -> f64 {
    match precision {
        Precision::F32 => 1e-4,
        Precision::Bf16 => 1e-2,
    }
}

fn verify(
    path: &Path,
    (name, example): (&Sha256, &Example),
    (expected, got): (ReferenceErrors, ReferenceErrors),
    tolerance: f64,
) -> anyhow::Result<()> {
    let numbers = |errors: &ReferenceErrors| [errors.preferred, errors.rejected].concat();
    let (expected, got) = (numbers(&expected), numbers(&got));
    let agrees = |(expected, got): (&f64, &f64)| (expected - got).abs() <= tolerance * expected.abs();
    if expected.iter().zip(&got).all(agrees) {
        return Ok(());
    }
    bail!(
        "`{}` holds wrong errors of the base model for pair `{}`, draw `{name}`: expected {expected:?}, got {got:?}; \
         delete that folder, and it is filled anew, or set `run.reference_cache=off`",
        path.display(),
        example.id
    );
}

fn to_store(errors: Pair<Errors>) -> ReferenceErrors {
    let numbers = |errors: Errors| [errors.e0, errors.e1, errors.e2];
    ReferenceErrors {
        preferred: numbers(errors.preferred),
        rejected: numbers(errors.rejected),
    }
}

fn from_store(errors: ReferenceErrors) -> Pair<Errors> {
    let errors_of = |[e0, e1, e2]: [f64; 3]| Errors { e0, e1, e2 };
    Pair {
        preferred: errors_of(errors.preferred),
        rejected: errors_of(errors.rejected),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Example {
        let array = || asap_diffusion::Array::new(&[1, 1, 1], vec![0.0]).unwrap();
        let latent = || crate::data::Latent {
            mean: array(),
            std: None,
        };
        Example {
            n_cut_tokens: 0,
            id: PairId::from_bytes([7; 32]),
            prompt: String::new(),
            part: None,
            mechanism: asap_core::Mechanism::ImageSpace,
            preferred: latent(),
            rejected: latent(),
            mask: array(),
            mask_means: crate::objective::MaskMeans { m1: 0.0, m2: 0.0 },
            conditioning: asap_diffusion::training::Conditioning::Flux {
                t5: array(),
                pooled: array(),
                guidance: None,
            },
        }
    }

    #[test]
    fn wrong_numbers_stop_the_run_with_the_way_out() {
        let right = ReferenceErrors {
            preferred: [0.5, 0.25, 0.125],
            rejected: [0.75, 0.0, 0.0],
        };
        let checked = |got: ReferenceErrors, precision| {
            let name = Sha256::from_bytes([9; 32]);
            verify(
                Path::new("a.cache"),
                (&name, &example()),
                (right, got),
                tolerance(precision),
            )
        };
        checked(right, Precision::F32).unwrap();
        // The order of a sum is no reason to stop; another error is.
        let mut near = right;
        near.rejected[0] *= 1.0 + 1e-6;
        checked(near, Precision::F32).unwrap();
        let mut far = right;
        far.preferred[1] *= 1.002;
        checked(far, Precision::Bf16).unwrap();
        let told = checked(far, Precision::F32).unwrap_err().to_string();
        for part in [
            "`a.cache`",
            &"07".repeat(32),
            &"09".repeat(32),
            "expected [0.5, 0.25,",
            "got [0.5, 0.2505,",
            "delete that folder",
        ] {
            assert!(told.contains(part), "{part}: {told}");
        }
        // An empty mask has errors of exactly 0.
        let mut full = right;
        full.rejected[1] = 1e-9;
        assert!(checked(full, Precision::Bf16).is_err());
        let mut none = right;
        none.rejected[2] = f64::NAN;
        assert!(checked(none, Precision::Bf16).is_err());
    }

    #[test]
    fn the_cache_lies_beside_the_dataset() {
        assert_eq!(beside(Path::new("/d/hap.lance")), Path::new("/d/hap.cache"));
        assert_eq!(beside(Path::new("hap.v2")), Path::new("hap.v2.cache"));
    }
}
