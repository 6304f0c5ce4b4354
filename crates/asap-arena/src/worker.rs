//! Workers: take a submission, ask the judge about each image, store what it said, score.
//!
//! Each judgement is stored as it is made, so whoever goes on after a crash asks only about the rest.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use asap_bench::prompts::PromptSet;
use asap_core::judgement::{Judge as Who, Judgement, Sample, Topic};
use asap_core::{Prompt, Verdict};
use futures::future::BoxFuture;

use crate::blob::Blobs;
use crate::db::Database;
use crate::manifest::Image;
use crate::submission::{self, Lease, Refused};
use crate::time::UnixMs;

/// Who looks at images. A failure of the judge itself is an error and is tried again; an image that it does not judge
/// is [`Verdict::Unscored`] and stays so.
pub trait Judge: Send + Sync {
    /// The protocol with its version, such as `aer.v1`.
    fn protocol(&self) -> &str;

    /// Who it is.
    fn who(&self) -> Who;

    /// Looks at one PNG.
    fn judge<'a>(&'a self, image: &'a [u8], prompt: &'a Prompt) -> BoxFuture<'a, Result<Verdict, String>>;
}

/// How long a worker waits for what.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// After it without a sign of life, another takes over.
    pub lease: Duration,
    /// Between two looks into an empty queue.
    pub poll: Duration,
    /// After the first failure of a judge; each further one doubles it.
    pub back_off: Duration,
}

impl Timing {
    /// For judges that answer within a minute or so.
    pub const STANDARD: Self = Self {
        lease: Duration::from_secs(120),
        poll: Duration::from_secs(2),
        back_off: Duration::from_secs(30),
    };
}

/// One worker. Several may share a database, in one process or many.
pub struct Worker {
    /// Where the queue is.
    pub db: Database,
    /// Where the images are.
    pub blobs: Blobs,
    /// What they were drawn for.
    pub prompts: PromptSet,
    /// Who looks at them.
    pub judge: Arc<dyn Judge>,
    /// How long it waits.
    pub timing: Timing,
}

/// Why the work on a submission ended early.
enum Ended {
    /// It is somebody else's, or nobody's.
    Lost,
    /// It is tried again later.
    Failed(String),
}

impl Worker {
    /// Works until `stop` is done. A submission that it has then is taken over when the lease ends.
    ///
    /// # Errors
    /// A failing database.
    pub async fn run(&self, stop: impl Future<Output = ()>) -> Result<(), Refused> {
        tokio::pin!(stop);
        loop {
            let found = tokio::select! {
                () = &mut stop => return Ok(()),
                found = self.step() => found?,
            };
            if found.is_none() {
                tokio::select! {
                    () = &mut stop => return Ok(()),
                    () = tokio::time::sleep(self.timing.poll) => {}
                }
            }
        }
    }

    /// Works on one submission and names it; `None` where none waits.
    ///
    /// # Errors
    /// A failing database.
    pub async fn step(&self) -> Result<Option<String>, Refused> {
        let now = UnixMs::now();
        let Some(lease) = submission::claim(&self.db, self.prompts.sha256(), self.timing.lease, now).await?
        else {
            return Ok(None);
        };
        let reason = match self.work(&lease).await {
            Ok(()) => return Ok(Some(lease.id)),
            Err(Ended::Lost) => {
                tracing::info!(submission = lease.id, "the lease has ended");
                return Ok(Some(lease.id));
            }
            Err(Ended::Failed(reason)) => reason,
        };
        tracing::warn!(
            submission = lease.id,
            attempt = lease.attempt,
            reason,
            "judging failed"
        );
        let wait = self.timing.back_off;
        match submission::give_back(&self.db, &lease, &reason, wait, UnixMs::now()).await {
            Ok(_) | Err(Refused::Lease { .. }) => Ok(Some(lease.id)),
            Err(error) => Err(error),
        }
    }

    async fn work(&self, lease: &Lease) -> Result<(), Ended> {
        let judged = submission::judgements(&self.db, &lease.id)
            .await
            .map_err(Refused::from)?;
        let judged: BTreeSet<Sample> = judged.into_iter().map(|judgement| judgement.sample).collect();
        for image in &lease.manifest.images {
            let sample = Sample {
                model: lease.manifest.model.model.clone(),
                prompt_id: image.prompt_id.clone(),
                seed: image.seed,
            };
            if !judged.contains(&sample) {
                self.one(lease, image, sample).await?;
            }
        }
        Ok(submission::finish(&self.db, lease, UnixMs::now()).await?)
    }

    async fn one(&self, lease: &Lease, image: &Image, sample: Sample) -> Result<(), Ended> {
        let failed = |what: &str| Ended::Failed(format!("`{}`: {what}", image.file));
        let prompt = self
            .prompts
            .get(&image.prompt_id)
            .ok_or_else(|| failed("no such prompt"))?;
        let stored = lease
            .blobs
            .get(&image.file)
            .ok_or_else(|| failed("no such file"))?;
        let bytes = self
            .blobs
            .get(*stored)
            .await
            .map_err(|error| failed(&error.to_string()))?;
        let asked = self.judge.judge(&bytes, prompt);
        let verdict = self.alive(lease, asked).await?.map_err(|error| failed(&error))?;
        let judgement = Judgement {
            protocol: self.judge.protocol().to_owned(),
            judge: self.judge.who(),
            sample,
            topic: Topic {
                category: prompt.category,
                subcategory: prompt.subcategory.clone(),
            },
            image_sha256: Some(*stored),
            repeat: 0,
            verdict,
        };
        Ok(submission::record(&self.db, lease, &judgement, UnixMs::now()).await?)
    }

    /// Waits for the judge and says meanwhile that the worker lives.
    async fn alive<T>(&self, lease: &Lease, asked: impl Future<Output = T>) -> Result<T, Ended> {
        tokio::pin!(asked);
        loop {
            tokio::select! {
                said = &mut asked => return Ok(said),
                () = tokio::time::sleep(self.timing.lease / 3) => {
                    submission::heartbeat(&self.db, lease, UnixMs::now()).await?;
                }
            }
        }
    }
}

impl From<Refused> for Ended {
    fn from(error: Refused) -> Self {
        match error {
            Refused::Lease { .. } => Self::Lost,
            other => Self::Failed(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
