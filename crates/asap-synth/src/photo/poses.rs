//! Reads what is known of the people in photographs: keypoints and boxes.
//!
//! The file is `{"images": [{"file", "width"?, "height"?, "licence_note"?, "people": [{"bbox"?,
//! "face_box"?, "hand_boxes"?: [{"side"?, "bbox", "keypoints21"?}], "keypoints"?}]}]}`; fields that are not
//! named here are allowed and ignored. Boxes are `[x, y, width, height]` in pixels of the upright picture.
//! Keypoints are triples `[x, y, score]`: 133 of them (COCO-WholeBody) or 17 (body alone). The third value
//! is a detector's score or an annotator's visibility (0, 1, 2): more than 0.3 counts as seen in both.
//! A keypoint may lie outside the frame, but it must be a number.
//!
//! What is wrong with the file as a whole is an error; what is wrong with one image refuses that image by
//! name, and the others go on.

use std::path::Path;

use asap_core::skeleton::{N_HAND, N_KEYPOINTS};
use asap_core::{Keypoint, Side, Skeleton};
use serde_json::Value;

use crate::{Error, Result};

/// The number of keypoints of a body without feet, face and hands.
const N_BODY: usize = 17;

/// A box in pixels of the picture, as annotated: it may reach over the border.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Columns.
    pub width: f64,
    /// Rows.
    pub height: f64,
}

/// A hand that somebody found.
#[derive(Clone, Debug, PartialEq)]
pub struct HandBox {
    /// Whose hand it is to its owner; `None` where nobody said.
    pub side: Option<Side>,
    /// Where it is.
    pub rect: Rect,
    /// Its keypoints, root first, where they were given with the box.
    pub keypoints: Option<Vec<Keypoint>>,
}

/// A person that somebody found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PosedPerson {
    /// The box around the person.
    pub bbox: Option<Rect>,
    /// The keypoints.
    pub skeleton: Option<Skeleton>,
    /// The box around the face.
    pub face_box: Option<Rect>,
    /// The boxes around the hands.
    pub hands: Vec<HandBox>,
}

/// What is known of one picture.
#[derive(Clone, Debug, PartialEq)]
pub struct PosedImage {
    /// The file name, without folders.
    pub file: String,
    /// The size that the coordinates refer to, where it is given.
    pub size: Option<(u32, u32)>,
    /// What the licence allows, as stated; empty when not stated.
    pub licence: String,
    /// `photo`, `generated` or what else the file says; empty when it does not.
    pub kind: String,
    /// The people.
    pub people: Vec<PosedPerson>,
}

/// One image of the file: what is known, or why it cannot be used.
pub type Entry = (String, std::result::Result<PosedImage, String>);

/// Reads a pose file: one entry an image, in the order of the file.
///
/// # Errors
/// [`Error::Read`] and, for what is no such file, [`Error::Parse`] with the line.
pub fn read(path: &Path) -> Result<Vec<Entry>> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    parse(&text).map_err(|reason| Error::Parse {
        path: path.to_owned(),
        reason,
    })
}

/// Parses the text of a pose file. See [`read`].
///
/// # Errors
/// One line that says where and what.
pub fn parse(text: &str) -> std::result::Result<Vec<Entry>, String> {
    let root: Value = serde_json::from_str(&without_bare_nan(text)).map_err(|error| error.to_string())?;
    let images = root
        .get("images")
        .and_then(Value::as_array)
        .ok_or("expected an object with a list `images`")?;
    images
        .iter()
        .enumerate()
        .map(|(idx, image)| {
            let file = image
                .get("file")
                .and_then(Value::as_str)
                .ok_or_else(|| format!("`images[{idx}]` has no text `file`"))?;
            // Only the name counts: a path would let a pose file reach outside the folder.
            let name = file.rsplit(['/', '\\']).next().unwrap_or(file).to_owned();
            Ok((name.clone(), parse_image(image, name)))
        })
        .collect()
}

/// Writes `null` for the bare words `NaN` and `Infinity`, which some writers emit though JSON has no such
/// numbers: so they are refused where they stand and not with the whole file.
fn without_bare_nan(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['"', 'N', 'I', '-']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with('"') {
            let end = end_of_string(rest);
            out.push_str(&rest[..end]);
            rest = &rest[end..];
        } else if let Some(word) = ["NaN", "-NaN", "Infinity", "-Infinity"]
            .iter()
            .find(|word| rest.starts_with(**word))
        {
            out.push_str("null");
            rest = &rest[word.len()..];
        } else {
            out.push_str(&rest[..1]);
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out
}

/// The length of the JSON string that `text` starts with, quotes included.
fn end_of_string(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

type Parsed<T> = std::result::Result<T, String>;

fn parse_image(image: &Value, file: String) -> Parsed<PosedImage> {
    let side = |name: &str| {
        image
            .get(name)
            .and_then(Value::as_u64)
            .and_then(|v| u32::try_from(v).ok())
    };
    let size = side("width").zip(side("height"));
    let text = |name: &str| {
        image
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let people = list(image, "people", "image")?
        .iter()
        .enumerate()
        .map(|(idx, person)| parse_person(person, &format!("people[{idx}]"), size))
        .collect::<Parsed<_>>()?;
    Ok(PosedImage {
        file,
        size,
        licence: text("licence_note"),
        kind: text("kind"),
        people,
    })
}

/// A list that may be absent or null.
fn list<'a>(value: &'a Value, name: &str, place: &str) -> Parsed<&'a [Value]> {
    match value.get(name) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(format!("`{place}.{name}` is not a list")),
    }
}

fn parse_person(person: &Value, place: &str, size: Option<(u32, u32)>) -> Parsed<PosedPerson> {
    let keypoints = list(person, "keypoints", place)?;
    Ok(PosedPerson {
        bbox: parse_rect(person.get("bbox"), &format!("{place}.bbox"), size)?,
        skeleton: parse_skeleton(keypoints, &format!("{place}.keypoints"))?,
        face_box: parse_rect(person.get("face_box"), &format!("{place}.face_box"), size)?,
        hands: list(person, "hand_boxes", place)?
            .iter()
            .enumerate()
            .filter_map(|(idx, hand)| {
                parse_hand(hand, &format!("{place}.hand_boxes[{idx}]"), size).transpose()
            })
            .collect::<Parsed<_>>()?,
    })
}

fn parse_hand(hand: &Value, place: &str, size: Option<(u32, u32)>) -> Parsed<Option<HandBox>> {
    let Some(rect) = parse_rect(hand.get("bbox"), &format!("{place}.bbox"), size)? else {
        return Ok(None);
    };
    let keypoints = list(hand, "keypoints21", place)?;
    let keypoints = if keypoints.is_empty() {
        None
    } else {
        let keypoints = parse_keypoints(keypoints, &format!("{place}.keypoints21"))?;
        if keypoints.len() != N_HAND {
            return Err(format!(
                "`{place}.keypoints21` has {} keypoints, expected {N_HAND}",
                keypoints.len()
            ));
        }
        Some(keypoints)
    };
    let side = match hand.get("side").and_then(Value::as_str) {
        Some("left") => Some(Side::Left),
        Some("right") => Some(Side::Right),
        _ => None,
    };
    Ok(Some(HandBox {
        side,
        rect,
        keypoints,
    }))
}

fn parse_rect(value: Option<&Value>, place: &str, size: Option<(u32, u32)>) -> Parsed<Option<Rect>> {
    let items = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(format!("`{place}` is not a list")),
    };
    let numbers: Vec<f64> = items
        .iter()
        .map(|v| finite(v).ok_or_else(|| format!("`{place}` has a value that is not a finite number")))
        .collect::<Parsed<_>>()?;
    let [x, y, width, height] = numbers[..] else {
        return Err(format!(
            "`{place}` has {} numbers, expected x, y, width, height",
            numbers.len()
        ));
    };
    // An absent part is annotated as a box of zeros.
    if width == 0.0 && height == 0.0 {
        return Ok(None);
    }
    if width <= 0.0 || height <= 0.0 {
        return Err(format!(
            "`{place}` is {width} wide and {height} high, expected x, y, width, height with positive sides"
        ));
    }
    if let Some((image_width, image_height)) = size {
        let (w, h) = (f64::from(image_width), f64::from(image_height));
        let reaches_out = x + width > 1.1 * w || y + height > 1.1 * h;
        if reaches_out && x < width && y < height && width <= w && height <= h {
            return Err(format!(
                "`{place}` looks like two corners, expected x, y, width, height inside {image_width}x{image_height}"
            ));
        }
    }
    Ok(Some(Rect { x, y, width, height }))
}

fn parse_skeleton(items: &[Value], place: &str) -> Parsed<Option<Skeleton>> {
    if items.is_empty() {
        return Ok(None);
    }
    let mut keypoints = parse_keypoints(items, place)?;
    if keypoints.len() != N_BODY && keypoints.len() != N_KEYPOINTS {
        return Err(format!(
            "`{place}` has {} keypoints, expected {N_KEYPOINTS} or {N_BODY}",
            keypoints.len()
        ));
    }
    keypoints.resize(N_KEYPOINTS, Keypoint::default());
    let skeleton = Skeleton::try_from(keypoints).map_err(|error| format!("`{place}`: {error}"))?;
    Ok(Some(skeleton))
}

fn parse_keypoints(items: &[Value], place: &str) -> Parsed<Vec<Keypoint>> {
    items
        .iter()
        .enumerate()
        .map(|(idx, item)| {
            let triple = item.as_array().filter(|triple| triple.len() == 3);
            let triple = triple.ok_or_else(|| format!("`{place}[{idx}]` is not a triple x, y, score"))?;
            let number = |axis: usize| {
                finite(&triple[axis]).map(|v| v as f32).ok_or_else(|| {
                    format!(
                        "`{place}[{idx}]` has a {} that is not a finite number; write score 0 for a point that \
                         was not found",
                        ["x", "y", "score"][axis]
                    )
                })
            };
            let score = number(2)?;
            if score < 0.0 {
                return Err(format!("`{place}[{idx}]` has the score {score}, expected 0 or more"));
            }
            Ok(Keypoint {
                x: number(0)?,
                y: number(1)?,
                score,
            })
        })
        .collect()
}

/// A number that still is one as `f32`.
fn finite(value: &Value) -> Option<f64> {
    value.as_f64().filter(|v| (*v as f32).is_finite())
}

impl PosedImage {
    /// The same for a picture that was scaled by `factor`.
    pub fn scaled(&self, factor: f64) -> Self {
        let mut scaled = self.clone();
        scaled.size = None;
        for person in &mut scaled.people {
            let rects = [&mut person.bbox, &mut person.face_box].into_iter().flatten();
            for rect in rects.chain(person.hands.iter_mut().map(|hand| &mut hand.rect)) {
                *rect = rect.scaled(factor);
            }
            for hand in &mut person.hands {
                for keypoint in hand.keypoints.iter_mut().flatten() {
                    *keypoint = scaled_keypoint(*keypoint, factor);
                }
            }
            if let Some(skeleton) = &mut person.skeleton {
                for idx in 0..N_KEYPOINTS {
                    skeleton[idx] = scaled_keypoint(skeleton[idx], factor);
                }
            }
        }
        scaled
    }
}

impl Rect {
    fn scaled(self, factor: f64) -> Self {
        Self {
            x: self.x * factor,
            y: self.y * factor,
            width: self.width * factor,
            height: self.height * factor,
        }
    }
}

fn scaled_keypoint(keypoint: Keypoint, factor: f64) -> Keypoint {
    Keypoint {
        x: (f64::from(keypoint.x) * factor) as f32,
        y: (f64::from(keypoint.y) * factor) as f32,
        score: keypoint.score,
    }
}
