//! Chance that repeats: numbers that look random and are a pure function of a seed and of what they are for.

/// The finalizer of SplitMix64, the generator of Steele, Lea and Flood: spreads a number over all 64 bits.
fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// A stream of numbers (SplitMix64): the state steps by the golden ratio, and each step is mixed.
pub(super) struct Dice(u64);

impl Dice {
    /// The stream that belongs to a purpose, such as `"isrc"` of a track. Streams of other purposes are unrelated.
    pub(super) fn new(seed: u64, purpose: &str) -> Self {
        Dice(purpose.bytes().fold(mix(seed), |state, byte| mix(state ^ u64::from(byte)).wrapping_add(1)))
    }

    /// The next number.
    pub(super) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// The next number below `bound`, which is not 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }

    /// A text of characters that are drawn from an ASCII alphabet.
    pub(super) fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        (0..length).map(|_| char::from(alphabet[self.below(alphabet.len() as u64) as usize])).collect()
    }
}

/// A number that wanders by the day between `-swing` and `swing`: random at every fourth day, straight in between.
pub(super) fn wander(seed: u64, purpose: &str, swing: u32, day: i64) -> i64 {
    const STRIDE: i64 = 4;
    let swing = i64::from(swing);
    let height = |knot: i64| {
        let mut dice = Dice::new(seed, &format!("{purpose} {knot}"));
        // Fits: below 2 * swing + 1.
        dice.below(2 * swing as u64 + 1) as i64 - swing
    };
    let (knot, step) = (day.div_euclid(STRIDE), day.rem_euclid(STRIDE));
    (height(knot) * (STRIDE - step) + height(knot + 1) * step).div_euclid(STRIDE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_splitmix64() {
        // The first numbers of the reference implementation for the state 1234567.
        let mut dice = Dice(1_234_567);
        assert_eq!([dice.roll(), dice.roll()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }

    #[test]
    fn wandering_is_bounded_gentle_and_the_same_again() {
        let path: Vec<i64> = (-50..50).map(|day| wander(7, "a track", 4, day)).collect();
        assert!(path.iter().all(|height| (-4..=4).contains(height)));
        assert!(path.windows(2).all(|pair| (pair[0] - pair[1]).abs() <= 3));
        assert!(path.iter().any(|height| *height != path[0]));
        assert_eq!(path, (-50..50).map(|day| wander(7, "a track", 4, day)).collect::<Vec<_>>());
    }
}
