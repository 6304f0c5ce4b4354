//! Constants of arXiv:2605.25759v1, with the section that states them.

/// Mean SSIM inside the target region of HAP (§4.1).
pub const HAP_TARGET_SSIM: f64 = 0.5315;
/// Mean LPIPS inside the target region of HAP (§4.1).
pub const HAP_TARGET_LPIPS: f64 = 0.3446;
/// Mean SSIM outside the target region of HAP (§4.1).
pub const HAP_ELSEWHERE_SSIM: f64 = 0.9827;
/// Mean LPIPS outside the target region of HAP (§4.1).
pub const HAP_ELSEWHERE_LPIPS: f64 = 0.0109;

/// LoRA rank, both backbones (§6.1).
pub const LORA_RANK: u32 = 32;
/// Optimizer steps (§6.1).
pub const TRAIN_STEPS: u32 = 3000;
/// Effective batch size (§6.1).
pub const BATCH_SIZE: u32 = 16;
/// Learning rate on FLUX.1-dev (§6.1).
pub const FLUX_LEARNING_RATE: f64 = 5e-6;
/// Weight of the mask, alpha in W = 1 + alpha M (§4.2.1, Eq. 4).
pub const ALPHA: f64 = 10.0;
/// Margin, tau (§4.2.2, Eq. 6).
pub const TAU: f64 = 0.01;
/// Beta of the DPO baseline in the form of Eq. 3: half of the 5000 of Diffusion-DPO's code.
pub const DPO_BETA: f64 = 2500.0;

/// Prompts of HAF-Bench (§5).
pub const HAF_BENCH_PROMPTS: u32 = 500;
/// Categories of HAF-Bench (§5), 100 prompts each.
pub const HAF_BENCH_CATEGORIES: [&str; 5] = [
    "Basic Anatomy",
    "Semantic Gestures",
    "Self-Interaction",
    "Object Interaction",
    "Full Body",
];
