//! Photographs of a person whose keypoints are known: a figure that the toolkit draws, saved as a file.

use std::sync::LazyLock;

use image::RgbImage;
use serde_json::{Value, json};

use super::Sandbox;

/// A picture of a person, and the keypoints.
pub(crate) struct Person {
    pub(crate) image: RgbImage,
    keypoints: Value,
}

/// A part that a box can be drawn around.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Face,
    LeftHand,
}

/// Draws the person once for all tests.
pub(crate) static PERSON: LazyLock<Person> = LazyLock::new(|| {
    let sandbox = Sandbox::new();
    sandbox.ok("synth figures --n 2 --seed 11 --size 640 --out one.lance --quiet");
    let list = sandbox.json("data list one.lance");
    let id = list[0]["id"].as_str().unwrap().to_owned();
    let pair = sandbox.json(&format!("data show one.lance {id} --images out"));
    Person {
        image: image::open(sandbox.path("out/preferred.png"))
            .unwrap()
            .into_rgb8(),
        keypoints: pair["skeletons"][0].clone(),
    }
});

impl Person {
    /// An entry of a poses file that says that this person is in `file`.
    pub(crate) fn entry(&self, file: &str) -> Value {
        self.entry_with(file, self.keypoints.clone())
    }

    /// An entry that knows nothing but the box around one `part`.
    pub(crate) fn entry_boxed(&self, file: &str, part: Part) -> Value {
        let (name, points) = match part {
            Part::Face => ("face_box", 23..91),
            Part::LeftHand => ("hand_boxes", 91..112),
        };
        let along = |axis: usize| {
            let points = self.keypoints.as_array().unwrap()[points.clone()].iter();
            let values: Vec<f64> = points.map(|point| point[axis].as_f64().unwrap()).collect();
            let low = values.iter().copied().fold(f64::INFINITY, f64::min);
            let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            // Annotators leave a little room around a part.
            let margin = 0.1 * (high - low);
            (low - margin, high - low + 2.0 * margin)
        };
        let ((x, width), (y, height)) = (along(0), along(1));
        let rect = json!([x, y, width, height]);
        let known = match part {
            Part::Face => rect,
            Part::LeftHand => json!([{ "side": "left", "bbox": rect }]),
        };
        json!({ "file": file, "people": [{ name: known }] })
    }

    /// An entry with other keypoints: `change` gets each point by its index.
    pub(crate) fn entry_changed(&self, file: &str, change: impl Fn(usize, [f64; 3]) -> Value) -> Value {
        let points = self
            .keypoints
            .as_array()
            .unwrap()
            .iter()
            .enumerate()
            .map(|(idx, point)| {
                let [x, y, score] = [0, 1, 2].map(|axis| point[axis].as_f64().unwrap());
                change(idx, [x, y, score])
            });
        self.entry_with(file, points.collect())
    }

    fn entry_with(&self, file: &str, keypoints: Value) -> Value {
        let (width, height) = self.image.dimensions();
        json!({
            "file": file, "width": width, "height": height, "licence_note": "made by the tests",
            "people": [{ "keypoints": keypoints, "face_box": null, "hand_boxes": [] }],
        })
    }
}

/// A poses file of these entries.
pub(crate) fn poses(entries: impl IntoIterator<Item = Value>) -> String {
    json!({ "images": entries.into_iter().collect::<Vec<_>>() }).to_string()
}
