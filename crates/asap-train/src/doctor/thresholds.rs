//! Where a check begins to speak, with the reasons.

/// A pixel outside of a mask that differs more than this many times what one inside does says that the mask marks the
/// wrong side. A local error in a right mask is far below 1, and its inverse far above; near 1 are pairs of which
/// the mask says nothing, such as two independent images: those are told as a changed background.
pub const INVERTED_RATIO: f64 = 2.0;

/// Mean difference outside of the mask, in grey levels, up to which a background counts as kept. One level is what
/// rounding and a JPEG of high quality do to both images; a repainted background is at 5 and more.
pub const BACKGROUND_MEAN_MAX: f64 = 1.0;

/// Largest difference outside of the mask, in grey levels, up to which a background counts as kept: a small object
/// that changed hardly moves the mean. JPEG blocks beside strong edges stay below it.
pub const BACKGROUND_MAX: u8 = 48;

/// Mean difference of latents outside of the mask over that inside from which a background counts as changed. An
/// autoencoder sees beyond its cell, so an unchanged background is not at 0; a twentieth of a difference is far above
/// what that leaves on average over the rest of the grid.
pub const LATENT_LEAK_MAX: f64 = 0.05;

/// Share of the image from which a mask leaves nothing out: a weight that is the same everywhere only scales the loss.
pub const FULL_SHARE: f64 = 0.95;

/// Sum of the mask over the latent grid, in cells, under which an error has hardly a place there: its weight is
/// spread over less than one cell, and the rest of the image decides.
pub const MIN_CELLS: f64 = 1.0;

/// How much surer a pose detector may be of the rejected image than of the preferred one. Scores of one detector
/// on one person move by a few hundredths under small edits.
pub const POSE_MARGIN: f64 = 0.1;
