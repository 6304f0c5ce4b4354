//! Follows parallel rays into a scene: tiles of pixels, eight rays at a time, edges with more rays.

use asap_core::BoxPx;

use super::lanes::{F8, LANES, P8};
use super::look::{Look, Rgb};
use super::march::{Tile, field, march, nearest, normals};
use super::paint;
use super::scene::{Blend, MELT, Scene};

/// Columns and rows of a tile.
const TILE: u32 = 16;
/// Rays through an edge pixel: a turned grid, so that steep and flat edges come out alike.
const EDGE_RAYS: [(f32, f32); 6] = [
    (0.08, 0.42),
    (0.42, 0.08),
    (0.75, 0.25),
    (0.92, 0.58),
    (0.58, 0.92),
    (0.25, 0.75),
];

/// What the rays found.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    /// Linear colours of the window, row by row.
    pub(crate) colors: Vec<Rgb>,
    /// 1 + the index of the part that is seen, 0 for the backdrop.
    pub(crate) ids: Vec<u16>,
}

/// Lengths in pixels by which a part changes what is seen beside it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reach {
    /// Of the darkening in corners.
    pub(crate) corner: f32,
    /// Of shadows.
    pub(crate) shadow: f32,
}

impl Reach {
    pub(crate) fn of(size: u32) -> Self {
        let s = size as f32 / 512.0;
        Self {
            corner: 17.0 * s,
            shadow: 64.0 * s,
        }
    }
}

/// What all tiles share.
struct Tracer<'a> {
    scene: &'a Scene,
    look: &'a Look,
    backdrop: &'a [Rgb],
    size: u32,
    reach: Reach,
    light: [f32; 3],
    /// The widest blend of each part.
    widths: Vec<f32>,
}

/// A ray's end.
#[derive(Clone, Copy, Debug)]
struct Seen {
    color: Rgb,
    id: u16,
    depth: f32,
    normal: [f32; 3],
}

/// Draws the window of a scene over a backdrop of the whole picture.
pub(crate) fn render(scene: &Scene, look: &Look, backdrop: &[Rgb], size: u32, window: BoxPx) -> Picture {
    let tracer = Tracer {
        scene,
        look,
        backdrop,
        size,
        reach: Reach::of(size),
        light: super::solid::single(look.light),
        widths: blend_widths(scene),
    };
    tracer.picture(window)
}

/// The widest blend of each part, in pixels.
pub(crate) fn blend_widths(scene: &Scene) -> Vec<f32> {
    let mut widths = vec![0.0_f32; scene.parts.len()];
    let mut widen = |part: usize, width: f32| widths[part] = widths[part].max(width);
    for blend in &scene.blends {
        for end in [blend.a, blend.b] {
            match end.checked_sub(MELT) {
                Some(melt) => scene.melts[melt]
                    .parts
                    .iter()
                    .for_each(|&part| widen(part, blend.width)),
                None => widen(end, blend.width),
            }
        }
    }
    for melt in &scene.melts {
        melt.parts.iter().for_each(|&part| widen(part, melt.width));
    }
    widths
}

impl<'a> Tracer<'a> {
    fn picture(&self, window: BoxPx) -> Picture {
        // One more pixel all round, so that edges at the border of the window are found.
        let wide = window.grown(1, self.size, self.size);
        let (w, h) = (wide.width() as usize, wide.height() as usize);
        let mut seen = vec![
            Seen {
                color: [0.0; 3],
                id: 0,
                depth: f32::NEG_INFINITY,
                normal: [0.0, 0.0, 1.0]
            };
            w * h
        ];
        let tiles: Vec<(BoxPx, Tile<'a>)> = tiles_of(wide).map(|b| (b, self.tile(b))).collect();
        let mut scratch = Vec::new();
        for (bounds, tile) in &tiles {
            let pixels: Vec<(u32, u32)> = (bounds.y0..bounds.y1)
                .flat_map(|y| (bounds.x0..bounds.x1).map(move |x| (x, y)))
                .collect();
            for chunk in pixels.chunks(LANES) {
                let at: [(f32, f32); LANES] = std::array::from_fn(|lane| {
                    let (x, y) = chunk[lane.min(chunk.len() - 1)];
                    (x as f32 + 0.5, y as f32 + 0.5)
                });
                let found = self.follow(tile, &at, &mut scratch);
                for (&(x, y), found) in chunk.iter().zip(found) {
                    seen[(y - wide.y0) as usize * w + (x - wide.x0) as usize] = found;
                }
            }
        }
        self.smooth_edges(window, wide, &tiles, &mut seen);
        let mut picture = Picture {
            colors: Vec::with_capacity((window.width() * window.height()) as usize),
            ids: Vec::with_capacity((window.width() * window.height()) as usize),
        };
        for y in window.y0..window.y1 {
            for x in window.x0..window.x1 {
                let one = &seen[(y - wide.y0) as usize * w + (x - wide.x0) as usize];
                picture.colors.push(one.color);
                picture.ids.push(one.id);
            }
        }
        picture
    }

    /// Sends more rays through pixels at edges.
    fn smooth_edges(&self, window: BoxPx, wide: BoxPx, tiles: &[(BoxPx, Tile<'_>)], seen: &mut [Seen]) {
        let w = wide.width() as usize;
        let idx = |x: u32, y: u32| (y - wide.y0) as usize * w + (x - wide.x0) as usize;
        let mut scratch = Vec::new();
        let mut smoothed: Vec<(usize, Rgb)> = Vec::new();
        for (bounds, tile) in tiles.iter().filter(|(_, tile)| !tile.near.is_empty()) {
            let mut edges = Vec::new();
            for y in bounds.y0.max(window.y0)..bounds.y1.min(window.y1) {
                for x in bounds.x0.max(window.x0)..bounds.x1.min(window.x1) {
                    let here = &seen[idx(x, y)];
                    let beside = [
                        (x.saturating_sub(1).max(wide.x0), y),
                        ((x + 1).min(wide.x1 - 1), y),
                        (x, y.saturating_sub(1).max(wide.y0)),
                        (x, (y + 1).min(wide.y1 - 1)),
                    ];
                    if beside
                        .into_iter()
                        .any(|(bx, by)| is_edge(here, &seen[idx(bx, by)]))
                    {
                        edges.push((x, y));
                    }
                }
            }
            let rays: Vec<(f32, f32)> = edges
                .iter()
                .flat_map(|&(x, y)| EDGE_RAYS.map(|(dx, dy)| (x as f32 + dx, y as f32 + dy)))
                .collect();
            let mut colors = Vec::with_capacity(rays.len());
            for chunk in rays.chunks(LANES) {
                let at = std::array::from_fn(|lane| chunk[lane.min(chunk.len() - 1)]);
                let found = self.follow(tile, &at, &mut scratch);
                colors.extend(found[..chunk.len()].iter().map(|one| one.color));
            }
            for (&(x, y), rays) in edges.iter().zip(colors.chunks(EDGE_RAYS.len())) {
                let mut sum = [0.0; 3];
                for color in rays {
                    for (sum, c) in sum.iter_mut().zip(color) {
                        *sum += c / EDGE_RAYS.len() as f32;
                    }
                }
                smoothed.push((idx(x, y), sum));
            }
        }
        for (idx, color) in smoothed {
            seen[idx].color = color;
        }
    }

    /// Finds what can be seen in a tile, what runs into it and what can throw a shadow on it.
    fn tile(&self, bounds: BoxPx) -> Tile<'a> {
        let mut tile = Tile {
            near: Vec::new(),
            melts: Vec::new(),
            blends: Vec::new(),
            casting: Vec::new(),
            top: f32::NEG_INFINITY,
            bottom: f32::INFINITY,
        };
        let mut place = vec![usize::MAX; self.scene.parts.len()];
        let (x0, x1) = (bounds.x0 as f32, bounds.x1 as f32);
        let (y0, y1) = (bounds.y0 as f32, bounds.y1 as f32);
        for (idx, part) in self.scene.parts.iter().enumerate() {
            let (low, high) = (part.solid.bounds.low, part.solid.bounds.high);
            let margin = self.reach.corner + self.widths[idx] + 2.0;
            let is_within = |dx: f32, dy: f32, margin: f32| {
                let (ax, bx) = (x0 + dx.min(0.0) - margin, x1 + dx.max(0.0) + margin);
                let (ay, by) = (y0 + dy.min(0.0) - margin, y1 + dy.max(0.0) + margin);
                low[0] < bx && high[0] > ax && low[1] < by && high[1] > ay
            };
            if is_within(0.0, 0.0, margin) {
                place[idx] = tile.near.len();
                tile.near.push((idx as u16, part));
                let grown = self.widths[idx] * 0.25 + 1.0;
                tile.top = tile.top.max(high[2] + grown);
                tile.bottom = tile.bottom.min(low[2] - grown);
            }
            let far = self.reach.shadow;
            if is_within(self.light[0] * far, self.light[1] * far, far * 0.3) {
                tile.casting.push(part);
            }
        }
        self.mix(&mut tile, &place);
        tile
    }

    /// The melts and blends of the parts of a tile.
    fn mix(&self, tile: &mut Tile<'_>, place: &[usize]) {
        let mut melt_place = Vec::with_capacity(self.scene.melts.len());
        for melt in &self.scene.melts {
            let here: Vec<usize> = melt
                .parts
                .iter()
                .map(|&p| place[p])
                .filter(|&p| p != usize::MAX)
                .collect();
            if here.is_empty() {
                melt_place.push(usize::MAX);
            } else {
                melt_place.push(tile.near.len() + tile.melts.len());
                tile.melts.push((here, melt.width));
            }
        }
        let at = |end: usize| {
            end.checked_sub(MELT)
                .map_or_else(|| place[end], |melt| melt_place[melt])
        };
        for blend in &self.scene.blends {
            let (a, b) = (at(blend.a), at(blend.b));
            if a != usize::MAX && b != usize::MAX {
                tile.blends.push(Blend {
                    a,
                    b,
                    width: blend.width,
                });
            }
        }
    }

    /// Follows eight rays to their ends.
    fn follow(&self, tile: &Tile<'_>, at: &[(f32, f32); LANES], scratch: &mut Vec<F8>) -> [Seen; LANES] {
        let mut found: [Seen; LANES] = std::array::from_fn(|lane| self.missed(at[lane]));
        if tile.near.is_empty() {
            return found;
        }
        let Some((p, is_hit)) = march(tile, at, scratch) else {
            return found;
        };
        let tile = &self.narrowed(tile, &is_hit, scratch);
        let ids = nearest(tile, &p);
        let normal = normals(tile, &p, scratch);
        let corner = self.corners(tile, &p, &normal, scratch);
        let shadow = self.shadows(tile, &p, &normal);
        for lane in (0..LANES).filter(|&lane| is_hit[lane]) {
            let spot = paint::Spot {
                position: p.lane(lane),
                normal: normal.lane(lane),
                open: corner.0[lane],
                lit: shadow.0[lane],
            };
            let part = &self.scene.parts[usize::from(ids[lane])];
            found[lane] = Seen {
                color: paint::shade(self.scene, self.look, part, &spot),
                id: ids[lane] + 1,
                depth: spot.position[2],
                normal: spot.normal,
            };
        }
        found
    }

    /// The parts that can matter beside the points whose distances the last step left in `scratch`.
    ///
    /// Distances change by no more than a pixel a pixel, so what is farther than twice the reach of a corner
    /// and a blend cannot be met there.
    fn narrowed<'t>(&self, tile: &Tile<'t>, is_hit: &[bool; LANES], scratch: &[F8]) -> Tile<'t> {
        let mut place = vec![usize::MAX; self.scene.parts.len()];
        let mut near = Vec::with_capacity(tile.near.len());
        for (&(idx, part), d) in tile.near.iter().zip(scratch) {
            let lanes = d.0.iter().zip(is_hit).filter(|(_, hit)| **hit);
            let nearest = lanes.map(|(&d, _)| d).fold(f32::INFINITY, f32::min);
            if nearest < 2.0 * self.reach.corner + self.widths[usize::from(idx)] {
                place[usize::from(idx)] = near.len();
                near.push((idx, part));
            }
        }
        let mut narrow = Tile {
            near,
            melts: Vec::new(),
            blends: Vec::new(),
            casting: tile.casting.clone(),
            top: tile.top,
            bottom: tile.bottom,
        };
        self.mix(&mut narrow, &place);
        narrow
    }

    fn missed(&self, (x, y): (f32, f32)) -> Seen {
        let column = (x as u32).min(self.size - 1);
        let row = (y as u32).min(self.size - 1);
        Seen {
            color: self.backdrop[(row * self.size + column) as usize],
            id: 0,
            depth: f32::NEG_INFINITY,
            normal: [0.0, 0.0, 1.0],
        }
    }

    /// How open the space above each point is, 0 to 1.
    fn corners(&self, tile: &Tile<'_>, p: &P8, normal: &P8, scratch: &mut Vec<F8>) -> F8 {
        let mut closed = F8::splat(0.0);
        for (share, weight) in [(0.12, 0.9), (0.4, 0.62), (1.0, 0.42)] {
            let height = self.reach.corner * share;
            let d = field(tile, &p.moved(normal, F8::splat(height)), scratch);
            let lack = (F8::splat(height) - d).max(F8::splat(0.0));
            closed = closed + lack.scale(weight / height);
        }
        closed.scale(-0.62).shift(1.0).clamp(0.0, 1.0)
    }

    /// How much of the light reaches each point, 0 to 1.
    fn shadows(&self, tile: &Tile<'_>, p: &P8, normal: &P8) -> F8 {
        let mut lit = F8::splat(1.0);
        let start = p.moved(normal, F8::splat(1.2));
        for share in [0.05, 0.13, 0.28, 0.55, 1.0] {
            let t = self.reach.shadow * share;
            let q = start.shifted(self.light.map(|c| c * t));
            let mut d = F8::splat(f32::INFINITY);
            for part in &tile.casting {
                d = d.min(part.solid.distance(&q));
            }
            // A penumbra that widens with the distance.
            let open = d.scale(1.0 / (0.35 * t)).shift(0.55);
            lit = lit.min(open.clamp(0.0, 1.0));
        }
        lit
    }
}

fn tiles_of(bounds: BoxPx) -> impl Iterator<Item = BoxPx> {
    // Tiles lie on one grid whatever the window is, so that a window sees what the whole picture sees.
    let first = |v: u32| v / TILE;
    let last = |v: u32| v.div_ceil(TILE);
    (first(bounds.y0)..last(bounds.y1)).flat_map(move |ty| {
        (first(bounds.x0)..last(bounds.x1)).map(move |tx| BoxPx {
            x0: (tx * TILE).max(bounds.x0),
            y0: (ty * TILE).max(bounds.y0),
            x1: ((tx + 1) * TILE).min(bounds.x1),
            y1: ((ty + 1) * TILE).min(bounds.y1),
        })
    })
}

/// Whether two neighbouring pixels see different surfaces.
fn is_edge(a: &Seen, b: &Seen) -> bool {
    if (a.id == 0) != (b.id == 0) {
        return true;
    }
    if a.id == 0 {
        return false;
    }
    let turn = super::scene::dot(a.normal, b.normal);
    (a.depth - b.depth).abs() > 2.5 || turn < 0.86 || color_step(a.color, b.color) > 0.09
}

fn color_step(a: Rgb, b: Rgb) -> f32 {
    (0..3)
        .map(|i| (a[i].max(0.0).sqrt() - b[i].max(0.0).sqrt()).abs())
        .fold(0.0, f32::max)
}
