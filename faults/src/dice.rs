//! The chance of a run: the same seed gives the same numbers on every machine and in every version of ours.

/// A small generator (SplitMix64, Steele, Lea and Flood 2014). Not for secrets.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice that fall as `seed` says.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Dice of their own for the `index`th thing of the same run.
    pub const fn fork(seed: u64, index: u64) -> Self {
        Self(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ index.wrapping_add(1).wrapping_mul(0xda94_2042_e4dd_58b5))
    }

    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number of `from..to`; `from` if that is empty.
    pub const fn range(&mut self, from: u64, to: u64) -> u64 {
        if to <= from { from } else { from + self.next() % (to - from) }
    }

    /// True in `percent` of a hundred throws.
    pub const fn chance(&mut self, percent: u64) -> bool {
        self.range(0, 100) < percent
    }

    /// One of these, which must not be none.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[usize::try_from(self.range(0, of.len() as u64)).unwrap_or_default()]
    }

    /// Puts them into another order.
    pub fn shuffle<T>(&mut self, of: &mut [T]) {
        for last in (1..of.len()).rev() {
            let other = usize::try_from(self.range(0, last as u64 + 1)).unwrap_or_default();
            of.swap(last, other);
        }
    }
}
