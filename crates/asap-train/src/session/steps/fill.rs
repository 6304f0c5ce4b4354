//! Reference errors of all draws of a run, without its steps.

use super::Steps;
use super::reference::Set;
use crate::draw::{Draws, Key};
use crate::order::of_rank;
use crate::session::Progress;

impl Steps {
    /// Computes what the cache lacks, and returns whether that was all: a person may ask for an end.
    pub(in crate::session) fn fill(&mut self, progress: &dyn Progress) -> anyhow::Result<bool> {
        let (rank, n_ranks) = self
            .group
            .as_ref()
            .map_or((0, 1), |group| (group.rank(), group.size()));
        let n_steps = self.settings.run.steps;
        for at in 0..n_steps {
            let batch = self.order.batch(at);
            let units = self.units(at, &batch);
            for slot in of_rank(&batch, rank, n_ranks) {
                for (draw_idx, units) in (0..).zip(&units) {
                    let key = self.key(slot, draw_idx);
                    self.fill_draw((Set::Train, slot.pair_idx), key, units[slot.place])?;
                }
            }
            if (at + 1).is_multiple_of(self.settings.run.save_every_steps) {
                self.keep_references()?;
                progress.say(&format!("draws of step {} of {n_steps} are known", at + 1));
            }
            if progress.is_stopped() {
                self.keep_references()?;
                return Ok(false);
            }
        }
        if rank == 0 {
            let units = Draws::eval_units(self.settings.run.n_eval_draws);
            for pair_idx in 0..self.chosen.held_out.len() {
                for (draw_idx, unit) in (0..).zip(&units) {
                    let key = Key::held_out(self.chosen.held_out[pair_idx].id, draw_idx);
                    self.fill_draw((Set::HeldOut, pair_idx), key, *unit)?;
                }
            }
        }
        self.keep_references()?;
        Ok(true)
    }

    fn fill_draw(&mut self, (set, pair_idx): (Set, usize), key: Key, unit: f64) -> anyhow::Result<()> {
        let example = match set {
            Set::Train => &self.chosen.train[pair_idx],
            Set::HeldOut => &self.chosen.held_out[pair_idx],
        };
        // A name needs no noise: what is known is passed over without drawing it.
        let level = self.level(example, unit)?;
        if let Some(kept) = &mut self.kept {
            let name = kept.name(example, &key, level);
            if kept.knows(&name) {
                kept.passed_over();
                return Ok(());
            }
        }
        let drawn = self.drawn(example, &key, unit)?;
        self.references((set, &[pair_idx]), &[key], &[drawn])?;
        Ok(())
    }
}
