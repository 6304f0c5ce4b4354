//! Words that a setting can be.
//!
//! Where the paper leaves a thing open, the enum of that thing says what the choices are, which one the presets
//! take and where it comes from.

use super::value::{Value, quoted};

macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$word_doc])* $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word in settings and tables.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl Value for $name {
            fn expected() -> String {
                let words: Vec<String> = Self::ALL.iter().map(|choice| format!("`{choice}`")).collect();
                words.join(" or ")
            }

            fn from_toml(value: &toml::Value) -> Option<Self> {
                let word = value.as_str()?;
                Self::ALL.iter().copied().find(|choice| choice.name() == word)
            }

            fn to_toml(&self) -> String {
                quoted(self.name())
            }
        }
    };
}

choice! {
    /// Which network is trained.
    Backbone {
        /// FLUX.1-dev: flow matching, 16 latent channels, packed by 2 x 2.
        Flux = "flux",
        /// Stable Diffusion XL: predicts the noise, 4 latent channels.
        Sdxl = "sdxl",
        /// A small network of FLUX's shape that is trained from scratch on a CPU.
        Tiny = "tiny",
    }
}

choice! {
    /// Numbers of the frozen network. The adapter's weights and gradients are `f32` in every case: at a learning
    /// rate of 5e-6 a bf16 weight would keep a tenth of its updates.
    Precision {
        /// 32 bits.
        F32 = "f32",
        /// The upper 16 bits of them.
        Bf16 = "bf16",
    }
}

choice! {
    /// Numbers of the sum that runs through the blocks.
    ///
    /// Ambiguity: not in the paper. Default `model`, as in diffusers; `f32` made the bf16 error of delta 2.5 times
    /// smaller on a small network.
    Residual {
        /// Those of the network.
        Model = "model",
        /// 32 bits.
        F32 = "f32",
    }
}

choice! {
    /// How A of the adapter begins; B begins with zeros.
    ///
    /// Ambiguity 12: not in the paper. Default `gaussian` (diffusers' training scripts). Under Adam it is also a
    /// learning rate: at rank 32 A is three times as large as with `kaiming`.
    Init {
        /// Normal with standard deviation 1 / rank.
        Gaussian = "gaussian",
        /// Uniform within 1 / sqrt(inputs): PEFT's own default.
        Kaiming = "kaiming",
    }
}

choice! {
    /// The loss of a pair.
    Kind {
        /// The error of the preferred image alone (§6, the SFT rows).
        Sft = "sft",
        /// -log sigmoid(beta delta) (§3, Eq. 3).
        Dpo = "dpo",
        /// (delta - 1 / (2 beta))^2.
        Ipo = "ipo",
        /// (delta - tau)^2 (§4.2.2, Eq. 6).
        BoundedLocal = "bounded-local",
    }
}

choice! {
    /// How a mask in pixels becomes one on the latent grid.
    ///
    /// Ambiguity 1: not in the paper. Default `area`, as kohya and SimpleTuner do.
    MaskGrid {
        /// The share of a cell that is marked, 0 to 1.
        Area = "area",
        /// The pixel at the upper left corner of the cell: 0 or 1, the literal reading of a binary M.
        Nearest = "nearest",
        /// Whether any pixel of the cell is marked.
        Max = "max",
    }
}

choice! {
    /// Whether an image's error is divided by the mean of its weights.
    ///
    /// Ambiguity 3: Eq. 4 has no divisor. Default `none`; without it the same tau asks for a larger change per
    /// pixel where the mask is small.
    Normalise {
        /// The mean as it is.
        None = "none",
        /// Divided by the mean of W^2 (of W where the power is 1).
        MeanSquareWeight = "mean-square-weight",
    }
}

choice! {
    /// What stands for the square of Eq. 6 where several draws of time and noise are made of a pair.
    ///
    /// Ambiguity 4: Eq. 6 has an expectation inside of the square. Default `squared`, with one draw, as all code
    /// does; it adds the variance of delta over draws to the loss.
    Estimator {
        /// The square of the mean over the draws.
        Squared = "squared",
        /// (delta_1 - tau)(delta_2 - tau) of two independent draws, which has no bias.
        Product = "product",
    }
}

choice! {
    /// The distribution of time steps.
    ///
    /// Ambiguity 5: not in the paper. Default `uniform`, as Eq. 4 and diffusers' scripts.
    Timesteps {
        /// Each of the 1000 levels alike.
        Uniform = "uniform",
        /// The sigmoid of a normal number.
        LogitNormal = "logit-normal",
        /// `logit-normal`, then shifted towards noise for large images, as FLUX's sampler and kohya do.
        FluxShift = "flux-shift",
    }
}

choice! {
    /// Whether sigma is rounded before it is used.
    SigmaRounding {
        /// 24 bits of precision.
        F32 = "f32",
        /// To the nearest bf16, once: noise and time embedding then agree in a network of bf16.
        Bf16 = "bf16",
    }
}

choice! {
    /// What is drawn from the posterior of the image encoder.
    ///
    /// Ambiguity 9: not in the paper. Default `shared`: where the images of a pair are equal their latents are
    /// equal too. All Diffusion-DPO code does `independent`, which adds noise outside of the mask.
    VaeNoise {
        /// One sample for both images.
        Shared = "shared",
        /// A sample for each image.
        Independent = "independent",
        /// No sample: the mean.
        Mean = "mean",
    }
}

choice! {
    /// The learning rate after the warm-up.
    ///
    /// Ambiguity 11: not in the paper. Default `constant`.
    Schedule {
        /// As it is.
        Constant = "constant",
        /// Half a cosine down to 0 at the last step.
        Cosine = "cosine",
    }
}

choice! {
    /// How gradients of a pair are found. Both give the same ones.
    Backward {
        /// The two images one after the other: the memory of one image.
        Split = "split",
        /// Both at once.
        Joint = "joint",
    }
}

choice! {
    /// Whether the errors of the frozen network are kept from run to run.
    ReferenceCache {
        /// Read where they are known, else computed and written.
        On = "on",
        /// Computed in every step.
        Off = "off",
    }
}

choice! {
    /// Which mask of a pair is M.
    ///
    /// Ambiguity 8: Eq. 5 has one M for both images. Default `part`: an added finger lies outside of the
    /// preferred image's own hand.
    MaskSource {
        /// The parts of both images and what was changed.
        Part = "part",
        /// What was changed.
        Edit = "edit",
    }
}

choice! {
    /// Which pairs of the data set are used.
    Decision {
        /// Those that curation kept.
        Kept = "kept",
        /// All of them.
        Any = "any",
    }
}
