//! A face in a photograph: where its eyes and mouth are, and which way is down.

use asap_core::skeleton::{FACE_START, N_FACE};
use asap_core::{BoxPx, Point, Skeleton};
use image::RgbImage;

use super::canvas::{Plane, Rgb, crop, smoothstep};
use super::hand::{Decline, difference};
use super::layers::lab::lab;
use super::locate;
use super::poses::Rect;

/// Faces with a shorter side are left alone: their eyes are a few pixels wide.
pub(crate) const MIN_SIDE_PX: f64 = 36.0;

/// What is known of a face, in pixels of the picture.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FaceSpec {
    /// The box around it.
    pub(crate) rect: Rect,
    /// Its 68 points in iBUG order, where they are known.
    pub(crate) landmarks: Option<Vec<Point>>,
}

/// An ellipse along the line of the eyes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ellipse {
    /// Its middle, in pixels of the crop.
    pub(crate) center: Point,
    /// Half its length along the line of the eyes.
    pub(crate) along_px: f64,
    /// Half its length across that line.
    pub(crate) across_px: f64,
}

/// A face ready to be edited. All planes have the size of the crop.
pub(crate) struct FaceScene {
    /// The crop in the picture.
    pub(crate) crop: BoxPx,
    /// Where pixels may change, in the picture.
    pub(crate) budget: BoxPx,
    /// The crop as it is.
    pub(crate) source: Plane<Rgb>,
    /// Alpha of the face.
    pub(crate) part: Plane<f32>,
    /// The eye on the left of the picture, then the other.
    pub(crate) eyes: [Ellipse; 2],
    /// The mouth.
    pub(crate) mouth: Ellipse,
    /// The whole face.
    pub(crate) outline: Ellipse,
    /// Unit vector from the left eye (in the picture) to the right one.
    pub(crate) right: Point,
    /// The distance of the eyes.
    pub(crate) eye_distance_px: f64,
}

/// Positions of the features, in pixels of the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Features {
    /// The eyes, left one of the picture first.
    pub(crate) eyes: [Point; 2],
    /// Their widths from corner to corner.
    pub(crate) eye_widths: [f64; 2],
    /// Half the height of what belongs to an eye, without the brow.
    pub(crate) eye_half_height: f64,
    /// The middle of the mouth.
    pub(crate) mouth: Point,
    /// Its width and height.
    pub(crate) mouth_size: (f64, f64),
}

impl FaceScene {
    /// Finds the features of a face, or says why they cannot be found.
    pub(crate) fn new(image: &RgbImage, spec: &FaceSpec) -> Result<Self, Decline> {
        let rect = spec.rect;
        if rect.width.min(rect.height) < MIN_SIDE_PX {
            return Err("the face is smaller than 36 px");
        }
        let (width, height) = image.dimensions();
        let corners = [
            Point::new(rect.x, rect.y),
            Point::new(rect.x + rect.width - 1.0, rect.y + rect.height - 1.0),
        ];
        let inside = BoxPx::around(&corners, 0.0, width, height).ok_or("the face is out of the frame")?;
        if (inside.area_px() as f64) < 0.8 * rect.width * rect.height {
            return Err("a part of the face is out of the frame");
        }
        let side = rect.width.max(rect.height);
        let around = |margin: f64| BoxPx::around(&corners, margin * side, width, height);
        let budget = around(0.22).ok_or("the face is out of the frame")?;
        let bounds = around(0.3).ok_or("the face is out of the frame")?;
        let features = match &spec.landmarks {
            Some(points) => of_landmarks(points),
            None => locate::features(image, rect)?,
        };
        Self::assemble(crop(image, bounds), bounds, budget, &features)
    }

    fn assemble(
        source: Plane<Rgb>,
        bounds: BoxPx,
        budget: BoxPx,
        features: &Features,
    ) -> Result<Self, Decline> {
        let origin = Point::new(f64::from(bounds.x0), f64::from(bounds.y0));
        let eyes = features.eyes.map(|p| p - origin);
        let mouth = features.mouth - origin;
        let eye_distance_px = eyes[0].distance(eyes[1]);
        if eye_distance_px < 10.0 {
            return Err("the eyes are too close together: the face is small or seen from the side");
        }
        let right = (eyes[1] - eyes[0]) * (1.0 / eye_distance_px);
        let down = Point::new(-right.y, right.x);
        let middle = eyes[0].lerp(eyes[1], 0.5);
        let drop = (mouth - middle).x * down.x + (mouth - middle).y * down.y;
        if !(0.5..2.2).contains(&(drop / eye_distance_px)) {
            return Err("the mouth does not lie below the eyes: the face is seen from the side");
        }
        let eye = |idx: usize| Ellipse {
            center: eyes[idx],
            along_px: 0.78 * features.eye_widths[idx],
            across_px: features.eye_half_height,
        };
        let outline = Ellipse {
            center: middle.lerp(mouth, 0.42),
            along_px: 0.62 * eye_distance_px + 0.5 * features.eye_widths[0].max(features.eye_widths[1]),
            across_px: 1.55 * drop,
        };
        let mut scene = Self {
            crop: bounds,
            budget,
            part: Plane::filled(source.width, source.height, 0.0),
            source,
            eyes: [eye(0), eye(1)],
            mouth: Ellipse {
                center: mouth,
                along_px: 0.64 * features.mouth_size.0,
                across_px: 0.5 * features.mouth_size.1 + 0.13 * features.mouth_size.0,
            },
            outline,
            right,
            eye_distance_px,
        };
        scene.part = Plane::from_fn(scene.source.width, scene.source.height, |x, y| {
            let r = scene.relative(&outline, Point::new(x as f64, y as f64)).length();
            (1.0 - smoothstep(0.97, 1.03, r)) as f32
        });
        Ok(scene)
    }

    /// Unit vector from the eyes to the mouth, at right angles to the line of the eyes.
    pub(crate) fn down(&self) -> Point {
        Point::new(-self.right.y, self.right.x)
    }

    /// A point relative to an ellipse: x along the line of the eyes, y down, length 1 on the ellipse.
    pub(crate) fn relative(&self, ellipse: &Ellipse, p: Point) -> Point {
        let (d, down) = (p - ellipse.center, self.down());
        Point::new(
            (d.x * self.right.x + d.y * self.right.y) / ellipse.along_px,
            (d.x * down.x + d.y * down.y) / ellipse.across_px,
        )
    }

    /// The point at that place relative to an ellipse.
    pub(crate) fn absolute(&self, ellipse: &Ellipse, relative: Point) -> Point {
        ellipse.center
            + self.right * (relative.x * ellipse.along_px)
            + self.down() * (relative.y * ellipse.across_px)
    }

    /// The point `along` eye distances to the right and `across` down from `from`.
    pub(crate) fn offset(&self, from: Point, along: f64, across: f64) -> Point {
        from + self.right * (along * self.eye_distance_px) + self.down() * (across * self.eye_distance_px)
    }

    /// The pixels of an ellipse as a box of the crop, grown by 2 px; `None` where it leaves the budget.
    pub(crate) fn bounds(&self, ellipse: &Ellipse) -> Option<BoxPx> {
        let corners = [(-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0)]
            .map(|(x, y)| self.absolute(ellipse, Point::new(x, y)));
        let origin = Point::new(f64::from(self.crop.x0), f64::from(self.crop.y0));
        let is_inside = corners.iter().all(|&p| {
            let p = p + origin;
            p.x >= f64::from(self.budget.x0)
                && p.y >= f64::from(self.budget.y0)
                && p.x < f64::from(self.budget.x1)
                && p.y < f64::from(self.budget.y1)
        });
        let (width, height) = (self.source.width as u32, self.source.height as u32);
        is_inside
            .then(|| BoxPx::around(&corners, 2.0, width, height))
            .flatten()
    }

    /// How unlike bare skin the inside of an ellipse is: the mean colour difference to the cheeks plus the
    /// unevenness of brightness.
    pub(crate) fn unlike_skin(&self, ellipse: &Ellipse) -> f64 {
        let cheek = self.cheek();
        let (mut sum, mut n) = (0.0, 0u32);
        for j in -4..=4 {
            for i in -4..=4 {
                let relative = Point::new(f64::from(i) / 4.0, f64::from(j) / 4.0);
                if relative.length() > 1.0 {
                    continue;
                }
                let p = self.absolute(ellipse, relative);
                if !self.source.holds(p) {
                    return f64::INFINITY;
                }
                sum += f64::from(difference(lab(self.source.bilinear(p)), cheek));
                n += 1;
            }
        }
        sum / f64::from(n.max(1))
    }

    /// The median colour of both cheeks, in Lab.
    fn cheek(&self) -> Rgb {
        let mut samples = Vec::new();
        for eye in &self.eyes {
            for j in 0..5 {
                for i in -2..=2 {
                    let p = self.offset(eye.center, 0.06 * f64::from(i), 0.35 + 0.06 * f64::from(j));
                    samples.push(lab(self.source.bilinear(p)));
                }
            }
        }
        std::array::from_fn(|axis| {
            let mut values: Vec<f32> = samples.iter().map(|c| c[axis]).collect();
            values.sort_by(f32::total_cmp);
            values[values.len() / 2]
        })
    }
}

/// The 68 points of a skeleton, where nearly all of them are seen.
pub(crate) fn landmarks(skeleton: &Skeleton) -> Option<Vec<Point>> {
    let points: Vec<_> = (FACE_START..FACE_START + N_FACE)
        .map(|idx| skeleton[idx])
        .collect();
    let n_seen = points.iter().skip(17).filter(|point| point.is_seen()).count();
    (n_seen >= 49).then(|| points.iter().map(|keypoint| keypoint.point()).collect())
}

fn mean(points: &[Point]) -> Point {
    points.iter().fold(Point::default(), |sum, &p| sum + p) * (1.0 / points.len() as f64)
}

fn of_landmarks(points: &[Point]) -> Features {
    let eye = |range: std::ops::Range<usize>| {
        (
            mean(&points[range.clone()]),
            points[range.start].distance(points[range.start + 3]),
        )
    };
    let mut eyes = [eye(36..42), eye(42..48)];
    let mut brows = [mean(&points[17..22]), mean(&points[22..27])];
    if eyes[0].0.x > eyes[1].0.x {
        eyes.swap(0, 1);
        brows.swap(0, 1);
    }
    let widest = eyes[0].1.max(eyes[1].1);
    let to_brow = eyes[0].0.distance(brows[0]).min(eyes[1].0.distance(brows[1]));
    Features {
        eyes: [eyes[0].0, eyes[1].0],
        eye_widths: eyes.map(|(_, width)| width.max(0.55 * widest)),
        eye_half_height: (0.5 * widest).min(0.82 * to_brow).max(0.32 * widest),
        mouth: mean(&points[48..68]),
        mouth_size: (points[48].distance(points[54]), points[51].distance(points[57])),
    }
}
