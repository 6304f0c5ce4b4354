//! Connected pieces of a one-bit plane.

use crate::photo::canvas::Plane;

/// The number of the 4-connected piece of every marked pixel, and the size of each piece.
pub(crate) fn label(bits: &Plane<bool>) -> (Plane<u32>, Vec<usize>) {
    let (width, height) = (bits.width, bits.height);
    let mut labels = Plane::filled(width, height, u32::MAX);
    let mut sizes = Vec::new();
    let mut stack = Vec::new();
    for start in 0..bits.data.len() {
        if !bits.data[start] || labels.data[start] != u32::MAX {
            continue;
        }
        let id = sizes.len() as u32;
        sizes.push(0);
        labels.data[start] = id;
        stack.push(start);
        while let Some(at) = stack.pop() {
            sizes[id as usize] += 1;
            let (x, y) = (at % width, at / width);
            let neighbours = [
                (x > 0).then(|| at - 1),
                (x + 1 < width).then_some(at + 1),
                (y > 0).then(|| at - width),
                (y + 1 < height).then_some(at + width),
            ];
            for next in neighbours.into_iter().flatten() {
                if bits.data[next] && labels.data[next] == u32::MAX {
                    labels.data[next] = id;
                    stack.push(next);
                }
            }
        }
    }
    (labels, sizes)
}

/// Keeps the pieces that hold at least a tenth of the seeds.
pub(crate) fn keep_seeded(bits: &Plane<bool>, seeds: &Plane<bool>) -> Plane<bool> {
    let (labels, sizes) = label(bits);
    let mut n_seeds = vec![0usize; sizes.len()];
    let mut total = 0;
    for (label, _) in labels.data.iter().zip(&seeds.data).filter(|(_, seed)| **seed) {
        if *label != u32::MAX {
            n_seeds[*label as usize] += 1;
            total += 1;
        }
    }
    labels.map(|label| label != u32::MAX && 10 * n_seeds[label as usize] >= total.max(1))
}

/// Marks unmarked pieces of at most `max_px` pixels.
pub(crate) fn fill_holes(bits: &Plane<bool>, max_px: usize) -> Plane<bool> {
    let (labels, sizes) = label(&bits.map(|bit| !bit));
    labels.map(|label| label == u32::MAX || sizes[label as usize] <= max_px)
}

/// Every pixel whose distance to a marked one is at most `radius_px`.
pub(crate) fn dilated(bits: &Plane<bool>, radius_px: f64) -> Plane<bool> {
    distances(bits).map(|d| f64::from(d) <= radius_px)
}

/// The Euclidean distance of every pixel to the nearest marked one, in pixels.
pub(crate) fn distances(bits: &Plane<bool>) -> Plane<f32> {
    let mask = asap_core::Mask::from_fn(bits.width as u32, bits.height as u32, |x, y| {
        bits.at(x as usize, y as usize)
    });
    let squared = mask.squared_distances_to(true);
    Plane {
        width: bits.width,
        height: bits.height,
        data: squared.into_iter().map(|d| (d as f64).sqrt() as f32).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plane(rows: &[&str]) -> Plane<bool> {
        Plane::from_fn(rows[0].len(), rows.len(), |x, y| rows[y].as_bytes()[x] == b'#')
    }

    #[test]
    fn only_seeded_pieces_stay_and_small_holes_close() {
        let bits = plane(&["##...##", "##...#.", "##...##"]);
        let seeds = plane(&["#......", ".......", "......."]);
        assert_eq!(
            keep_seeded(&bits, &seeds),
            plane(&["##.....", "##.....", "##....."])
        );
        assert_eq!(fill_holes(&bits, 1), plane(&["##...##", "##...##", "##...##"]));
        assert_eq!(dilated(&seeds, 1.0), plane(&["##.....", "#......", "......."]));
    }
}
