//! Voting: one writer takes what many raters do at once into one transaction.
//!
//! A transaction costs one wait for the disk, whatever is in it. So requests queue up while the last transaction is
//! being written, and the next one takes all of them; each is answered after the commit. Several servers may do so on
//! one PostgreSQL: a lock in the database puts their transactions one after the other.

mod answer;
mod assign;
mod cast;
pub(crate) mod lease;

use asap_core::Stream;
use tokio::sync::{mpsc, oneshot};

use crate::ballot::Secret;
use crate::campaign::LOCK;
use crate::db::{Database, Tx};
use crate::error::Error;
use crate::exclusion;
use crate::id::RaterId;
use crate::log::{Log, NewEntry};
use crate::random::random_bytes;
use crate::refusal::Refusal;
use crate::time::UnixMs;

pub(crate) use answer::Mark;
pub use answer::{Answer, BodyPart, Defect, ErrorType, ImageAnswer, ImageVerdict, PairChoice, Vote};
pub use assign::Assignment;
use cast::Paper;
pub use cast::{Outcome, Receipt};

/// Requests that wait for the writer; more make their senders wait.
const N_WAITING: usize = 1024;
/// Requests of one transaction.
const N_TOGETHER: usize = 128;

/// Takes votes. Cheap to clone; the writer ends with the last clone.
#[derive(Clone, Debug)]
pub struct Votes {
    requests: mpsc::Sender<Request>,
}

#[derive(Debug)]
struct Request {
    task: Task,
    reply: oneshot::Sender<Result<Done, Refusal>>,
}

#[derive(Clone, Debug)]
enum Task {
    Assign { rater: RaterId, now: UnixMs },
    Cast(Paper, Vote),
    Correct(Paper, Vote),
    Undo(Paper),
    Exclude(exclusion::Change),
}

#[derive(Debug)]
enum Done {
    Assigned(Vec<Assignment>),
    Undone(Box<Assignment>),
    Stored(Receipt),
    Excluded,
}

impl Votes {
    /// Starts the writer on the runtime of the caller.
    pub fn start(db: Database, secret: Secret) -> Self {
        let (requests, waiting) = mpsc::channel(N_WAITING);
        let stream = Stream::new(u64::from_le_bytes(random_bytes::<8>()), "assignments");
        tokio::spawn(Writer { db, secret, stream }.run(waiting));
        Self { requests }
    }

    /// What a rater shall look at: up to two items, the ones in their hands first.
    ///
    /// # Errors
    /// [`Refusal::Closed`], [`Refusal::Excluded`], [`Refusal::Unknown`], [`Refusal::Arena`].
    pub async fn assign(&self, rater: &RaterId, now: UnixMs) -> Result<Vec<Assignment>, Refusal> {
        let rater = rater.clone();
        match self.ask(Task::Assign { rater, now }).await? {
            Done::Assigned(assignments) => Ok(assignments),
            _ => Err(Refusal::Stopped),
        }
    }

    /// Stores a vote; it is on disk when this returns. The same ballot again gives the first result.
    ///
    /// # Errors
    /// [`Refusal::Forged`], [`Refusal::Foreign`], [`Refusal::Expired`], [`Refusal::OldRound`], [`Refusal::Closed`],
    /// [`Refusal::Invalid`] for an answer to another question, [`Refusal::Arena`].
    pub async fn cast(
        &self,
        rater: &RaterId,
        ballot: &str,
        vote: Vote,
        now: UnixMs,
    ) -> Result<Receipt, Refusal> {
        self.stored(Task::Cast(paper(rater, ballot, now), vote)).await
    }

    /// Replaces a vote by another while the round lasts; both stay in the log.
    ///
    /// # Errors
    /// As [`Votes::cast`], and [`Refusal::NotCast`], [`Refusal::Excluded`].
    pub async fn correct(
        &self,
        rater: &RaterId,
        ballot: &str,
        vote: Vote,
        now: UnixMs,
    ) -> Result<Receipt, Refusal> {
        self.stored(Task::Correct(paper(rater, ballot, now), vote)).await
    }

    /// Takes a vote back within ten seconds; the item comes again under a new ballot.
    ///
    /// # Errors
    /// As [`Votes::correct`], and [`Refusal::TooLate`].
    pub async fn undo(&self, rater: &RaterId, ballot: &str, now: UnixMs) -> Result<Assignment, Refusal> {
        match self.ask(Task::Undo(paper(rater, ballot, now))).await? {
            Done::Undone(assignment) => Ok(*assignment),
            _ => Err(Refusal::Stopped),
        }
    }

    /// Leaves a rater's votes out from now on, with a reason for the log. Their items go to others.
    ///
    /// # Errors
    /// [`Refusal::Unknown`], [`Refusal::Invalid`] without a reason, [`Refusal::Arena`].
    pub async fn exclude(&self, rater: &RaterId, reason: &str, now: UnixMs) -> Result<(), Refusal> {
        self.set_excluded(rater, reason, now, exclusion::Direction::Out)
            .await
    }

    /// Counts a rater's votes again. Items that others voted on meanwhile have more votes than they need then.
    ///
    /// # Errors
    /// As [`Votes::exclude`].
    pub async fn readmit(&self, rater: &RaterId, reason: &str, now: UnixMs) -> Result<(), Refusal> {
        self.set_excluded(rater, reason, now, exclusion::Direction::In)
            .await
    }

    async fn set_excluded(
        &self,
        rater: &RaterId,
        reason: &str,
        now: UnixMs,
        direction: exclusion::Direction,
    ) -> Result<(), Refusal> {
        let change = exclusion::Change {
            rater: rater.clone(),
            reason: reason.to_owned(),
            direction,
            now,
        };
        self.ask(Task::Exclude(change)).await.map(|_done| ())
    }

    async fn stored(&self, task: Task) -> Result<Receipt, Refusal> {
        match self.ask(task).await? {
            Done::Stored(receipt) => Ok(receipt),
            _ => Err(Refusal::Stopped),
        }
    }

    async fn ask(&self, task: Task) -> Result<Done, Refusal> {
        let (reply, answer) = oneshot::channel();
        let sent = self.requests.send(Request { task, reply }).await;
        sent.map_err(|_closed| Refusal::Stopped)?;
        answer.await.map_err(|_gone| Refusal::Stopped)?
    }
}

fn paper(rater: &RaterId, ballot: &str, now: UnixMs) -> Paper {
    Paper {
        rater: rater.clone(),
        ballot: ballot.to_owned(),
        now,
    }
}

struct Writer {
    db: Database,
    secret: Secret,
    stream: Stream,
}

impl Writer {
    async fn run(mut self, mut waiting: mpsc::Receiver<Request>) {
        let mut requests = Vec::new();
        while waiting.recv_many(&mut requests, N_TOGETHER).await > 0 {
            self.take(&mut requests).await;
        }
    }

    /// Writes requests together. Where the database fails, each is tried alone, so that one cannot spoil the others.
    async fn take(&mut self, requests: &mut Vec<Request>) {
        let tasks: Vec<Task> = requests.iter().map(|request| request.task.clone()).collect();
        let together = self.write(&tasks).await;
        let outcomes = match together {
            Ok(outcomes) => outcomes,
            Err(error) if tasks.len() == 1 => vec![Err(error.into())],
            Err(error) => {
                tracing::warn!(%error, n_requests = tasks.len(), "requests could not be written together");
                let mut outcomes = Vec::with_capacity(tasks.len());
                for task in &tasks {
                    let alone = self.write(std::slice::from_ref(task)).await;
                    outcomes.extend(alone.unwrap_or_else(|error| vec![Err(error.into())]));
                }
                outcomes
            }
        };
        for (request, outcome) in requests.drain(..).zip(outcomes) {
            // Whoever asked may have gone; what they did is stored all the same.
            let _ = request.reply.send(outcome);
        }
    }

    /// One transaction. A refusal is an outcome; a failure of the database ends the transaction.
    async fn write(&mut self, tasks: &[Task]) -> Result<Vec<Result<Done, Refusal>>, Error> {
        let mut tx = self.db.write().await?;
        tx.lock(LOCK).await?;
        let mut log = Vec::new();
        let mut outcomes = Vec::with_capacity(tasks.len());
        for task in tasks {
            let outcome = self.perform(&mut tx, task, &mut log).await;
            if let Err(Refusal::Arena(error)) = outcome {
                return Err(error);
            }
            outcomes.push(outcome);
        }
        if !log.is_empty() {
            let now = tasks.iter().map(Task::now).max().unwrap_or(UnixMs(0));
            Log::append(&mut tx, &log, now).await?;
        }
        tx.commit().await?;
        Ok(outcomes)
    }

    /// Everything is checked before the first change, so a refusal leaves nothing behind.
    async fn perform(&mut self, tx: &mut Tx, task: &Task, log: &mut Vec<NewEntry>) -> Result<Done, Refusal> {
        let secret = &self.secret;
        match task {
            Task::Assign { rater, now } => {
                let assigned = assign::assign(tx, secret, &mut self.stream, rater, *now).await?;
                Ok(Done::Assigned(assigned))
            }
            Task::Cast(paper, vote) => Ok(Done::Stored(cast::cast(tx, secret, paper, vote, log).await?)),
            Task::Correct(paper, vote) => {
                Ok(Done::Stored(cast::correct(tx, secret, paper, vote, log).await?))
            }
            Task::Undo(paper) => {
                let again = cast::undo(tx, secret, paper, log).await?;
                Ok(Done::Undone(Box::new(again)))
            }
            Task::Exclude(change) => {
                exclusion::apply(tx, change, log).await?;
                Ok(Done::Excluded)
            }
        }
    }
}

impl Task {
    const fn now(&self) -> UnixMs {
        match self {
            Self::Assign { now, .. } => *now,
            Self::Cast(paper, _) | Self::Correct(paper, _) | Self::Undo(paper) => paper.now,
            Self::Exclude(change) => change.now,
        }
    }
}

#[cfg(test)]
mod tests;
