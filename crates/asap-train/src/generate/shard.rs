//! A share of the images, for one of several processes.

use std::str::FromStr;

/// Shard `index` of `n`, counted from 0: every n-th image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    n: usize,
}

impl Shard {
    /// All images.
    pub const WHOLE: Self = Self { index: 0, n: 1 };

    /// Whether the image at this place of all images is of the shard.
    pub fn takes(self, place: usize) -> bool {
        place % self.n == self.index
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("expected `i/n` with i from 0 to n - 1, such as 0/4, got `{text}`");
        let (index, n) = text.split_once('/').ok_or_else(expected)?;
        let (Ok(index), Ok(n)) = (index.parse(), n.parse()) else {
            return Err(expected());
        };
        if index < n {
            Ok(Self { index, n })
        } else {
            Err(expected())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_share_all_images_and_none_twice() {
        let shards: Vec<Shard> = ["0/3", "1/3", "2/3"].map(|text| text.parse().unwrap()).into();
        for place in 0..20 {
            assert_eq!(shards.iter().filter(|shard| shard.takes(place)).count(), 1);
            assert!(Shard::WHOLE.takes(place));
        }
        for text in ["3/3", "0/0", "1", "a/2", "-1/2", "1/2/3"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
