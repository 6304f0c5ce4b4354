//! Draws and erases single fingers on a canvas.

use asap_core::{BoxPx, Point};

use super::Canvas;
use crate::photo::canvas::{Plane, Rgb, mix, smoothstep};
use crate::photo::fingers::Fingers;
use crate::photo::hand::{Decline, HandScene};
use crate::photo::layers::components;
use crate::photo::layers::strip::Chain;

/// A drawn finger: colours and alpha over a box of the crop.
pub(crate) struct StripLayer {
    /// The box in pixels of the crop.
    pub(crate) bounds: BoxPx,
    /// Colours.
    pub(crate) rgb: Plane<Rgb>,
    /// Alpha.
    pub(crate) alpha: Plane<f32>,
}

/// Whether a new finger lies over the hand or behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Over it.
    Front,
    /// Behind it.
    Behind,
}

/// Finger `finger` of the hand laid along `new`, whose joints answer to those of `old`.
pub(crate) fn render(
    scene: &HandScene,
    strip: &Plane<f32>,
    old: &Chain,
    new: &Chain,
) -> Result<StripLayer, Decline> {
    let widest = new.radii.iter().copied().fold(0.0, f64::max);
    let (width, height) = (scene.source.width as u32, scene.source.height as u32);
    let bounds = BoxPx::around(&new.joints, 2.2 * widest + 2.0, width, height)
        .ok_or("the finger would leave the crop")?;
    let budget = scene.budget_in_crop();
    let tip = new.joints[new.joints.len() - 1];
    if !budget.contains(tip.x.max(0.0) as u32, tip.y.max(0.0) as u32) {
        return Err("the finger would leave the budget");
    }
    let (w, h) = (bounds.width() as usize, bounds.height() as usize);
    let mut rgb = Plane::filled(w, h, [0.0; 3]);
    let mut alpha = Plane::filled(w, h, 0.0f32);
    for y in 0..h {
        for x in 0..w {
            let p = Point::new((bounds.x0 as usize + x) as f64, (bounds.y0 as usize + y) as f64);
            let (from, distance) = new.source(old, p);
            if distance > 2.0 || !strip.holds(from) {
                continue;
            }
            let a = strip.bilinear(from) * (1.0 - smoothstep(1.7, 2.0, distance)) as f32;
            if a > 0.004 {
                alpha.data[y * w + x] = a;
                rgb.data[y * w + x] = scene.colors.cubic(from);
            }
        }
    }
    Ok(StripLayer { bounds, rgb, alpha })
}

impl StripLayer {
    /// How much of it would be seen beside what the canvas shows of the part, 0 to 1.
    pub(crate) fn visible_share(&self, part: &Plane<f32>) -> f64 {
        let (mut seen, mut total) = (0.0f64, 1e-6f64);
        self.each(|x, y, at| {
            let a = f64::from(self.alpha.data[at]);
            total += a;
            seen += a * f64::from(1.0 - part.at(x, y));
        });
        seen / total
    }

    fn each(&self, mut f: impl FnMut(usize, usize, usize)) {
        for y in 0..self.alpha.height {
            for x in 0..self.alpha.width {
                let at = y * self.alpha.width + x;
                f(self.bounds.x0 as usize + x, self.bounds.y0 as usize + y, at);
            }
        }
    }

    /// Lays the finger on the canvas.
    ///
    /// What lies behind the hand is a little darker, and darker still close to the hand, which shades it;
    /// what lies in front throws a narrow shadow.
    pub(crate) fn draw(&self, canvas: &mut Canvas, depth: Depth) {
        let shade = canvas.part.blurred(2.0);
        let contact = self.padded_alpha(&canvas.part).blurred(1.6);
        self.each(|x, y, at| {
            let to = y * canvas.rgb.width + x;
            let cover = canvas.part.data[to];
            let drawn = self.alpha.data[at];
            let (a, light) = match depth {
                Depth::Behind => (drawn * (1.0 - cover), 0.95 - 0.22 * shade.data[to]),
                Depth::Front => (drawn, 1.0),
            };
            let shadow = match depth {
                Depth::Behind => 1.0,
                Depth::Front => 1.0 - 0.16 * contact.data[to] * cover,
            };
            let ground = canvas.rgb.data[to].map(|v| v * shadow);
            canvas.rgb.data[to] = mix(ground, self.rgb.data[at].map(|v| v * light), a);
            canvas.part.data[to] = cover.max(drawn);
        });
    }

    fn padded_alpha(&self, like: &Plane<f32>) -> Plane<f32> {
        let mut padded = Plane::filled(like.width, like.height, 0.0);
        self.each(|x, y, at| padded.data[y * like.width + x] = self.alpha.data[at]);
        padded
    }
}

/// Takes finger `finger` off the canvas beyond `cut_px` from its base; a round stump stays.
pub(crate) fn erase(
    scene: &HandScene,
    fingers: &Fingers,
    canvas: &mut Canvas,
    finger: usize,
    cut_px: f64,
) -> Result<(), Decline> {
    let ground = scene.ground()?;
    let chain = &fingers.chains[finger];
    let strip = &fingers.strips[finger];
    // The soft rim and the light that skin throws on what is beside it go as well.
    let distance = components::distances(&strip.map(|a| a > 0.06));
    let mut gone = Plane::from_fn(strip.width, strip.height, |x, y| {
        let at = y * strip.width + x;
        let near = 1.0
            - smoothstep(
                scene.margin_px,
                scene.margin_px + 2.0,
                f64::from(distance.data[at]),
            );
        if near < 0.01 {
            return 0.0;
        }
        let near = near as f32;
        let other = (scene.hand.data[at] - strip.data[at]).clamp(0.0, 1.0);
        let place = chain.place(Point::new(x as f64, y as f64));
        let before: f64 = (0..place.bone).map(|bone| chain.bone_px(bone)).sum();
        let along = before + place.along_px;
        // The end of the stump is a half circle.
        let radius = chain.radii[0];
        let bulge = (radius * radius - place.across_px.powi(2)).max(0.0).sqrt() - radius;
        near * smoothstep(-0.8, 0.8, along - cut_px - bulge) as f32 * (1.0 - other)
    });
    sweep_crumbs(&canvas.part, &mut gone);
    for at in 0..gone.data.len() {
        let k = gone.data[at];
        if k > 0.0 {
            canvas.rgb.data[at] = mix(canvas.rgb.data[at], ground.data[at], k);
            canvas.part.data[at] *= 1.0 - k;
        }
    }
    Ok(())
}

/// Takes away what an erased finger leaves apart from the hand, such as the rim of a nail.
fn sweep_crumbs(part: &Plane<f32>, gone: &mut Plane<f32>) {
    let left = Plane::from_fn(part.width, part.height, |x, y| {
        part.at(x, y) * (1.0 - gone.at(x, y)) > 0.12
    });
    let (labels, sizes) = components::label(&left);
    let largest = sizes.iter().copied().max().unwrap_or_default();
    let crumbs = labels.map(|label| label != u32::MAX && sizes[label as usize] * 12 < largest);
    if !crumbs.data.contains(&true) {
        return;
    }
    let near = components::dilated(&crumbs, 2.5);
    for at in 0..gone.data.len() {
        // The stump itself is never swept: only what lies by itself.
        if near.data[at] && (crumbs.data[at] || !left.data[at]) {
            gone.data[at] = 1.0;
        }
    }
}
