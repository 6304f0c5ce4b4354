//! A network that is only drawn with: no gradient, no optimiser, an adapter or none.

use tch::Device;

use crate::device::{Place, Placement, Precision};
use crate::lora::{AdapterFile, Attachment, Init, LoraSpec};
use crate::run::Run;
use crate::training::descent::Sampling;
use crate::training::network::{Network, NetworkFiles};
use crate::{Array, Error, Result};

/// A network to draw with.
pub struct Painter {
    network: Network,
    run: Run,
    device: Device,
}

impl Painter {
    /// Loads the network, with the adapter where one is given.
    ///
    /// # Errors
    /// Those of loading, and of [`AdapterFile::check_placed`].
    pub fn open(
        files: &NetworkFiles,
        adapter: Option<&AdapterFile>,
        (place, precision): (Place, Precision),
    ) -> Result<Self> {
        let attachment = adapter.map_or_else(nothing, Attachment::of);
        let (network, loaded) = Network::load(files, &attachment, Placement::whole(place, precision))?;
        if let Some(adapter) = adapter {
            adapter.check_placed(&loaded)?;
        }
        Ok(Self {
            network,
            run: if adapter.is_some() {
                Run::ADAPTED
            } else {
                Run::BASE
            },
            device: place.device(),
        })
    }

    /// Channels of a latent.
    pub fn n_channels(&self) -> usize {
        self.network.n_channels()
    }

    /// Latents from noise.
    ///
    /// # Shapes
    /// `noise` `[C, h, w]`, standard normal; the result is like it.
    /// # Errors
    /// [`Error::Argument`] for sizes that do not fit or no step; [`Error::OutOfMemory`].
    pub fn paint(&self, request: &Sampling<'_>) -> Result<Array> {
        self.network.check_latent(request.noise.shape())?;
        if request.n_steps == 0 {
            return Err(Error::argument("the steps of the sampler", "1 or more", 0));
        }
        let _off = tch::no_grad_guard();
        self.network.sample(request, self.device, self.run)
    }
}

/// No layer gets an adapter.
fn nothing<'a>() -> Attachment<'a> {
    Attachment::New(LoraSpec {
        rank: 1,
        alpha: 1.0,
        targets: Vec::new(),
        init: Init::Gaussian,
        seed: 0,
    })
}
