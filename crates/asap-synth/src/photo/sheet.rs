//! One crop per operator and part, for looking at: what an operator does to a photograph.

use std::path::Path;

use asap_core::{Severity, Stream};
use image::RgbImage;

use super::canvas::{Plane, Rgb};
use super::compose::Scene;
use super::face::FaceScene;
use super::hand::HandScene;
use super::job::PhotoJob;
use super::operators::OPERATORS;
use super::parts::Spec;
use super::paste;
use crate::Result;

/// One operator on one part.
#[derive(Clone, Debug)]
pub struct Tile {
    /// The operator's id, the part and what came of it.
    pub title: String,
    /// The crop before the edit.
    pub source: RgbImage,
    /// The crop after it; `None` where the operator declined.
    pub result: Option<RgbImage>,
    /// The part before (red) and after (green), changed pixels (blue).
    pub masks: RgbImage,
}

/// Every operator at one severity on every part of a photograph.
///
/// # Errors
/// As [`build`](super::build).
pub fn tiles(job: &PhotoJob, severity: Severity) -> Result<Vec<Tile>> {
    let (image, parts) = job.open()?;
    let mut tiles = Vec::new();
    for part in &parts {
        let scene = match &part.spec {
            Spec::Hand(spec) => HandScene::new(&image, spec).map(Scene::Hand),
            Spec::Face(spec) => FaceScene::new(&image, spec).map(Scene::Face),
        };
        let stem = Path::new(job.name())
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy();
        let name = format!("{stem} {}", part.key());
        let scene = match scene {
            Ok(scene) => scene,
            Err(reason) => {
                let blank = RgbImage::new(8, 8);
                tiles.push(Tile {
                    title: format!("{name}: {reason}"),
                    source: blank.clone(),
                    result: None,
                    masks: blank,
                });
                continue;
            }
        };
        for operator in OPERATORS.iter().filter(|operator| scene.takes(operator)) {
            let mut canvas = scene.canvas();
            let mut stream = Stream::new(1, &format!("{name}/{}", operator.id));
            let outcome = scene.apply(operator, &mut canvas, severity, &mut stream);
            let (crop, budget) = scene.boxes();
            let pasted = paste::paste(&image, crop, budget, &canvas.rgb);
            let cut = |image: &RgbImage| {
                image::imageops::crop_imm(image, crop.x0, crop.y0, crop.width(), crop.height()).to_image()
            };
            let (source, result) = (cut(&image), cut(&pasted));
            tiles.push(Tile {
                title: match &outcome {
                    Ok(parameters) => format!("{} {name} {parameters}", operator.id),
                    Err(reason) => format!("{} {name}: {reason}", operator.id),
                },
                masks: masks(scene.part(), &canvas.part, scene.source(), &canvas.rgb),
                source,
                result: outcome.is_ok().then_some(result),
            });
        }
    }
    Ok(tiles)
}

fn masks(before: &Plane<f32>, after: &Plane<f32>, old: &Plane<Rgb>, new: &Plane<Rgb>) -> RgbImage {
    RgbImage::from_fn(before.width as u32, before.height as u32, |x, y| {
        let at = y as usize * before.width + x as usize;
        let changed = (0..3).any(|c| (old.data[at][c] - new.data[at][c]).abs() > 10.0);
        image::Rgb([
            (before.data[at] * 255.0) as u8,
            (after.data[at].clamp(0.0, 1.0) * 255.0) as u8,
            if changed { 255 } else { 0 },
        ])
    })
}
