//! Backdrops: gradients, value noise and soft shapes, the same for both pictures of a pair.

use super::look::{Backdrop, Look, Rgb, mix, rgb, times};
use super::noise::{pick, smooth, value_noise};
use super::pose::Framing;
use super::scene::FloorShadow;

/// A soft shape, in shares of the picture's side.
#[derive(Clone, Copy, Debug)]
struct Blob {
    center: [f32; 2],
    half: [f32; 2],
    soft: f32,
    is_round: bool,
    color: Rgb,
    strength: f32,
}

/// The linear colours of a backdrop of `size` columns and rows.
pub(crate) fn paint(look: &Look, framing: Framing, size: u32) -> Vec<Rgb> {
    let tone = tones(look.hue);
    let floor = (framing == Framing::FullBody).then_some(0.76);
    let blobs = blobs(look, framing, &tone);
    let side = size as f32;
    let mut colors = Vec::with_capacity((size * size) as usize);
    for row in 0..size {
        for column in 0..size {
            let p = [(column as f32 + 0.5) / side, (row as f32 + 0.5) / side];
            colors.push(at(look, &tone, floor, &blobs, p));
        }
    }
    colors
}

fn at(look: &Look, tone: &[Rgb; 3], floor: Option<f32>, blobs: &[Blob], p: [f32; 2]) -> Rgb {
    let glow_x = 0.5 + look.light.x as f32 * 0.5;
    let far = ((p[0] - glow_x).powi(2) + (p[1] - 0.3).powi(2)).sqrt();
    let mut color = mix(tone[0], tone[1], smooth(0.0, 1.1, far));
    for blob in blobs {
        let inside = blob.coverage(p);
        if inside > 0.0 {
            color = mix(color, blob.color, inside * blob.strength);
        }
    }
    if let Some(horizon) = floor {
        let depth = smooth(horizon - 0.004, horizon + 0.004, p[1]);
        let ground = mix(times(tone[2], 0.8), tone[2], smooth(horizon, 1.0, p[1]));
        color = mix(color, ground, depth);
        // A skirting board.
        let board = smooth(horizon - 0.022, horizon - 0.019, p[1]) * (1.0 - depth);
        color = mix(
            color,
            rgb(226, 222, 214),
            board * f32::from(u8::from(look.backdrop == Backdrop::Room)) * 0.8,
        );
    }
    let cloud = value_noise([p[0] * 5.0, p[1] * 5.0, 0.0], look.texture_seed);
    let fine = value_noise([p[0] * 90.0, p[1] * 90.0, 1.0], look.texture_seed);
    times(color, 0.94 + 0.09 * cloud + 0.025 * fine)
}

/// Wall near the light, wall far from it, floor.
fn tones(hue: f32) -> [Rgb; 3] {
    const WALLS: [(Rgb, Rgb); 7] = [
        (rgb(214, 222, 228), rgb(140, 156, 170)),
        (rgb(232, 220, 202), rgb(176, 156, 134)),
        (rgb(206, 220, 206), rgb(126, 148, 132)),
        (rgb(226, 206, 204), rgb(164, 134, 138)),
        (rgb(196, 208, 226), rgb(104, 124, 158)),
        (rgb(216, 212, 226), rgb(140, 132, 160)),
        (rgb(122, 132, 142), rgb(66, 74, 86)),
    ];
    let idx = ((hue * WALLS.len() as f32) as usize).min(WALLS.len() - 1);
    let (near, far) = WALLS[idx];
    let floor = [rgb(186, 158, 128), rgb(166, 164, 162), rgb(150, 118, 92)][idx % 3];
    [near, far, floor]
}

/// Numbers that a backdrop's seed draws.
#[derive(Clone, Copy)]
struct Draw(u32);

impl Draw {
    fn between(self, counter: i32, low: f32, high: f32) -> f32 {
        low + (high - low) * pick(counter, self.0)
    }
}

fn rectangle(center: [f32; 2], half: [f32; 2], color: Rgb, strength: f32) -> Blob {
    Blob {
        center,
        half,
        soft: 0.0,
        is_round: false,
        color,
        strength,
    }
}

fn blobs(look: &Look, framing: Framing, tone: &[Rgb; 3]) -> Vec<Blob> {
    let draw = Draw(look.texture_seed ^ 0xB10B);
    // The nearer the camera, the softer what is far away.
    let blur = match framing {
        Framing::HandClose => 0.06,
        Framing::Portrait => 0.045,
        Framing::HalfBody => 0.025,
        Framing::FullBody => 0.006,
    };
    let mut shapes = match look.backdrop {
        Backdrop::Studio => Vec::new(),
        Backdrop::Window => window(draw),
        Backdrop::Room => room(draw),
        Backdrop::Garden => garden(draw, tone),
    };
    for shape in &mut shapes {
        shape.soft += blur;
    }
    shapes
}

fn window(draw: Draw) -> Vec<Blob> {
    let x = draw.between(0, 0.14, 0.86);
    let light = rgb(238, 244, 248);
    vec![
        rectangle([x, 0.30], [0.21, 0.27], rgb(222, 216, 206), 0.9),
        rectangle([x - 0.095, 0.30], [0.085, 0.245], light, 0.95),
        rectangle([x + 0.095, 0.30], [0.085, 0.245], light, 0.95),
    ]
}

/// A picture on the wall and a shelf of books at one side.
fn room(draw: Draw) -> Vec<Blob> {
    const SPINES: [Rgb; 5] = [
        rgb(176, 84, 72),
        rgb(76, 112, 140),
        rgb(214, 176, 104),
        rgb(98, 128, 92),
        rgb(220, 214, 204),
    ];
    let side = if draw.between(1, 0.0, 1.0) < 0.5 { 0.0 } else { 1.0 };
    let picture_half = [draw.between(3, 0.08, 0.13), draw.between(4, 0.06, 0.1)];
    let mut shapes = vec![
        rectangle(
            [draw.between(2, 0.2, 0.8), 0.2],
            picture_half,
            rgb(236, 230, 220),
            0.85,
        ),
        rectangle([side, 0.47], [0.17, 0.34], rgb(138, 102, 74), 0.75),
    ];
    for (shelf, book) in (0..4).flat_map(|shelf| (0..6).map(move |book| (shelf, book))) {
        let c = draw.between(20 + shelf * 8 + book, 0.0, 1.0);
        let center = [side + (book as f32 - 2.5) * 0.052, 0.22 + shelf as f32 * 0.155];
        let color = SPINES[((c * 5.0) as usize).min(4)];
        shapes.push(rectangle(center, [0.02, 0.05 + 0.01 * c], color, 0.8));
    }
    shapes
}

/// A lawn and leaves out of focus.
fn garden(draw: Draw, tone: &[Rgb; 3]) -> Vec<Blob> {
    let mut shapes = vec![Blob {
        center: [0.5, 0.95],
        half: [1.2, 0.5],
        soft: 0.2,
        is_round: true,
        color: rgb(108, 142, 84),
        strength: 0.9,
    }];
    for idx in 0..22 {
        let green = mix(
            rgb(78, 118, 70),
            rgb(176, 196, 112),
            draw.between(100 + idx, 0.0, 1.0),
        );
        let r = draw.between(130 + idx, 0.03, 0.12);
        shapes.push(Blob {
            center: [
                draw.between(160 + idx, 0.0, 1.0),
                draw.between(190 + idx, 0.0, 0.8),
            ],
            half: [r, r],
            soft: r * 0.5,
            is_round: true,
            color: mix(green, tone[0], 0.25),
            strength: draw.between(220 + idx, 0.25, 0.7),
        });
    }
    shapes
}

impl Blob {
    fn coverage(&self, p: [f32; 2]) -> f32 {
        let d: [f32; 2] = std::array::from_fn(|i| (p[i] - self.center[i]).abs() - self.half[i]);
        if d[0] > self.soft || d[1] > self.soft {
            return 0.0;
        }
        if self.is_round {
            let q: [f32; 2] = std::array::from_fn(|i| (p[i] - self.center[i]) / (self.half[i] + self.soft));
            return smooth(
                1.0,
                1.0 - 2.0 * self.soft / (self.half[0] + self.soft),
                (q[0] * q[0] + q[1] * q[1]).sqrt(),
            );
        }
        smooth(self.soft, -self.soft, d[0]) * smooth(self.soft, -self.soft, d[1])
    }
}

/// Darkens a backdrop under feet.
pub(crate) fn cast(colors: &mut [Rgb], shadows: &[FloorShadow], size: u32) {
    for shadow in shadows {
        let reach = |i: usize| {
            let low = (shadow.center[i] - shadow.half[i])
                .floor()
                .clamp(0.0, size as f32) as u32;
            let high = (shadow.center[i] + shadow.half[i]).ceil().clamp(0.0, size as f32) as u32;
            low..high
        };
        for row in reach(1) {
            for column in reach(0) {
                let d = [
                    (column as f32 + 0.5 - shadow.center[0]) / shadow.half[0],
                    (row as f32 + 0.5 - shadow.center[1]) / shadow.half[1],
                ];
                let strength = smooth(1.0, 0.0, (d[0] * d[0] + d[1] * d[1]).sqrt());
                let color = &mut colors[(row * size + column) as usize];
                *color = times(*color, 1.0 - 0.5 * strength);
            }
        }
    }
}
