//! What a step gives up when the device has no memory left: time, never data.

use asap_diffusion::training::Backward;
use asap_diffusion::{Checkpointing, Error};

/// How much of a step is in memory at once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Layout {
    /// Blocks that forget their activations.
    pub(super) checkpointing: Checkpointing,
    /// Blocks whose matrices wait in the host's memory.
    pub(super) swap_blocks: usize,
    /// Pairs that go together.
    pub(super) micro_batch_pairs: usize,
    /// One image after the other, or both at once.
    pub(super) backward: Backward,
}

impl Layout {
    /// The next rung with what changed in words; `None` at the end of the ladder. `n_swappable` blocks can wait: none
    /// where the device's memory is the host's.
    fn next(self, n_swappable: usize) -> Option<(Self, String)> {
        let more = match self.checkpointing {
            Checkpointing::Off => Some((2, "checkpointing of every second block")),
            Checkpointing::EveryNth(n) if n > 1 => Some((1, "checkpointing of all blocks")),
            Checkpointing::EveryNth(_) => None,
        };
        if let Some((every, told)) = more {
            let checkpointing = Checkpointing::EveryNth(every);
            return Some((
                Self {
                    checkpointing,
                    ..self
                },
                told.to_owned(),
            ));
        }
        if self.swap_blocks < n_swappable {
            // A quarter of them at a time.
            let swap_blocks = (self.swap_blocks + n_swappable.div_ceil(4)).min(n_swappable);
            let told = format!("{swap_blocks} of {n_swappable} blocks in the host's memory");
            return Some((Self { swap_blocks, ..self }, told));
        }
        if self.micro_batch_pairs > 1 {
            let micro_batch_pairs = self.micro_batch_pairs / 2;
            let told = format!("micro-batches of {micro_batch_pairs}");
            let next = Self {
                micro_batch_pairs,
                ..self
            };
            return Some((next, told));
        }
        if self.backward == Backward::Joint {
            let backward = Backward::Split;
            return Some((Self { backward, ..self }, "a split backward pass".to_owned()));
        }
        None
    }
}

/// What may run out of memory and can be tried again.
pub(super) trait Attempt {
    /// What comes out of it.
    type Done;

    /// Tries it in this layout; after a failure everything is as it was before.
    fn attempt(&mut self, layout: Layout) -> anyhow::Result<Self::Done>;

    /// Is told what is given up before the next try.
    fn told(&mut self, text: String) -> anyhow::Result<()>;
}

/// Tries until there is memory for it or nothing is left to give up; `layout` is then the one that had enough.
pub(super) fn climb<A: Attempt>(
    attempt: &mut A,
    layout: &mut Layout,
    n_swappable: usize,
) -> anyhow::Result<A::Done> {
    loop {
        let error = match attempt.attempt(*layout) {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let is_full = matches!(error.downcast_ref::<Error>(), Some(Error::OutOfMemory { .. }));
        let Some((next, change)) = layout.next(n_swappable).filter(|_| is_full) else {
            return Err(error);
        };
        attempt.told(format!("{error}; the step is made again with {change}"))?;
        *layout = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDE: Layout = Layout {
        checkpointing: Checkpointing::Off,
        swap_blocks: 0,
        micro_batch_pairs: 4,
        backward: Backward::Joint,
    };

    /// Fails until a layout is reached, with this error.
    struct Full {
        fits: fn(Layout) -> bool,
        error: fn() -> anyhow::Error,
        told: Vec<String>,
    }

    impl Attempt for Full {
        type Done = Layout;

        fn attempt(&mut self, layout: Layout) -> anyhow::Result<Layout> {
            if (self.fits)(layout) {
                Ok(layout)
            } else {
                Err((self.error)())
            }
        }

        fn told(&mut self, text: String) -> anyhow::Result<()> {
            self.told.push(text);
            Ok(())
        }
    }

    fn full() -> anyhow::Error {
        let error = Error::OutOfMemory {
            during: "the gradient of pairs".to_owned(),
            message: "CUDA out of memory".to_owned(),
        };
        error.into()
    }

    #[test]
    fn a_full_device_takes_one_rung_after_the_other() {
        let mut layout = WIDE;
        let mut attempt = Full {
            fits: |layout| layout.backward == Backward::Split,
            error: full,
            told: Vec::new(),
        };
        let done = climb(&mut attempt, &mut layout, 6).unwrap();
        assert_eq!(done, layout);
        let expected = Layout {
            checkpointing: Checkpointing::EveryNth(1),
            swap_blocks: 6,
            micro_batch_pairs: 1,
            backward: Backward::Split,
        };
        assert_eq!(layout, expected);
        let start =
            "out of memory in the gradient of pairs: CUDA out of memory; the step is made again with ";
        let changes: Vec<&str> = attempt
            .told
            .iter()
            .map(|told| told.strip_prefix(start).unwrap())
            .collect();
        assert_eq!(
            changes,
            [
                "checkpointing of every second block",
                "checkpointing of all blocks",
                "2 of 6 blocks in the host's memory",
                "4 of 6 blocks in the host's memory",
                "6 of 6 blocks in the host's memory",
                "micro-batches of 2",
                "micro-batches of 1",
                "a split backward pass",
            ]
        );
    }

    #[test]
    fn it_stops_at_the_first_rung_that_fits() {
        let mut layout = WIDE;
        let mut attempt = Full {
            fits: |layout| layout.micro_batch_pairs == 2,
            error: full,
            told: Vec::new(),
        };
        climb(&mut attempt, &mut layout, 0).unwrap();
        assert_eq!(layout.micro_batch_pairs, 2);
        assert_eq!(layout.swap_blocks, 0);
        assert_eq!(layout.backward, Backward::Joint);
        assert_eq!(attempt.told.len(), 3);
    }

    #[test]
    fn the_end_of_the_ladder_and_other_errors_are_told_as_they_are() {
        let ends = |error: fn() -> anyhow::Error| {
            let mut layout = WIDE;
            let mut attempt = Full {
                fits: |_| false,
                error,
                told: Vec::new(),
            };
            let error = climb(&mut attempt, &mut layout, 1).unwrap_err();
            (error.to_string(), attempt.told.len())
        };
        let out = "out of memory in the gradient of pairs: CUDA out of memory";
        assert_eq!(ends(full), (out.to_owned(), 6));
        let other = || anyhow::anyhow!("the loss is NaN");
        assert_eq!(ends(other), ("the loss is NaN".to_owned(), 0));
    }
}
