//! How the images are drawn: what was asked for, and the recommended values of the model for the rest.

use anyhow::bail;

use super::Asked;
use super::base::Base;
use crate::config::Backbone;

/// Every number that changes the pixels, but for seeds and weights.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct How {
    backbone: Backbone,
    pub(super) n_steps: u32,
    /// FLUX.1-dev: told to the network. SDXL: the scale of classifier-free guidance.
    pub(super) guidance: Option<f64>,
    pub(super) width_px: u32,
    pub(super) height_px: u32,
    pub(super) text_tokens: u32,
    /// What is kept away from, where it is not nothing.
    pub(super) negative: Option<String>,
}

impl How {
    pub(super) fn of(asked: &Asked, base: &Base) -> anyhow::Result<Self> {
        let usual = base.recommended()?;
        if usual.guidance.is_none()
            && let Some(guidance) = asked.guidance
        {
            bail!(
                "`--guidance {guidance}`: expected none, as the network of `{}` embeds none",
                base.folder.display()
            );
        }
        if base.backbone != Backbone::Sdxl && asked.negative.is_some() {
            bail!(
                "`--negative`: expected none, as a base of the backbone `{}` is not guided away from a prompt",
                base.backbone
            );
        }
        let how = Self {
            backbone: base.backbone,
            n_steps: asked.n_steps.unwrap_or(usual.n_steps),
            guidance: asked.guidance.or(usual.guidance),
            width_px: asked.width_px.unwrap_or(usual.side_px),
            height_px: asked.height_px.unwrap_or(usual.side_px),
            text_tokens: usual.text_tokens,
            negative: asked.negative.clone(),
        };
        let step = base.side_step_px();
        for (flag, side) in [("--width", how.width_px), ("--height", how.height_px)] {
            if side == 0 || !side.is_multiple_of(step) {
                bail!("`{flag} {side}`: expected a multiple of {step} pixels");
            }
        }
        if how.n_steps == 0 {
            bail!("`--steps 0`: expected 1 or more");
        }
        if how.guidance.is_some_and(|guidance| !guidance.is_finite()) {
            bail!("`--guidance`: expected a finite number");
        }
        Ok(how)
    }

    /// Whether the network is also asked about the negative prompt.
    pub(super) fn is_guided_away(&self) -> bool {
        self.backbone == Backbone::Sdxl && self.guidance.is_some_and(|guidance| guidance != 1.0)
    }
}
