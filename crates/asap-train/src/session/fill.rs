//! The reference cache of a run that is still to come.

use asap_diffusion::distributed::{Group, Member, Transport};
use asap_diffusion::weights::Checkpoint;

use super::steps::{ReferenceCounts, Steps};
use super::{Job, PATIENCE, Progress, base, check_supported, embedded_guidance, first_then_others};
use super::{place_of, precision_of, read, stored, trainee};
use crate::config::ReferenceCache;
use crate::data::Encoder;
use crate::folder::BASE;

/// How a cache was filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filled {
    /// What was found and computed.
    pub counts: ReferenceCounts,
    /// Whether all draws are known now; else a person asked for an end.
    pub is_whole: bool,
}

/// Computes the errors of the frozen network for all draws of all steps and evaluations of the job, and keeps them.
/// What is kept already is not computed again, so a repeated call goes on where it was stopped. Nothing is trained;
/// of the job's folder only the base of `tiny` is made.
///
/// # Errors
/// What went wrong; what was kept before stays.
pub fn fill_cache(job: &Job, progress: &dyn Progress) -> anyhow::Result<Filled> {
    let mut settings = job.settings.clone();
    settings.run.reference_cache = ReferenceCache::On;
    let settings = &settings;
    check_supported(settings)?;
    let member = Member::from_env()?;
    let place = place_of(settings.run.device, member.as_ref())?;
    let precision = precision_of(settings);
    let group = match member {
        Some(member) => Some(Group::meet(member, Transport::for_place(place), PATIENCE)?),
        None => None,
    };
    let stored = stored(settings)?;
    progress.say("reading and encoding the pairs");
    let guidance = embedded_guidance(settings, stored.as_ref())?;
    let encoder = Encoder::open(settings, guidance, (place, precision))?;
    let chosen = read(settings, &encoder, progress)?;
    drop(encoder);
    let files = match stored {
        Some(files) => files,
        None => {
            let make = || base::ready(&job.out.join(BASE), settings, &chosen, progress);
            first_then_others(group.as_ref(), make)?
        }
    };
    let trainee = trainee(settings, &files, (place, precision))?;
    let base_hash = Checkpoint::open(&files.weights)?.hash();
    let mut steps = Steps::new(settings, chosen, (trainee, place), group)?;
    steps.open_cache(&files, &base_hash, progress)?;
    let is_whole = steps.fill(progress)?;
    Ok(Filled {
        counts: steps.reference_counts()?.unwrap_or_default(),
        is_whole,
    })
}
