//! Loyalty points: whole numbers with checked arithmetic, so that none is made or lost by a wrap.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A number of points; may be negative where a difference is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Points(pub i64);

/// The result does not fit 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the number of points is too large")]
pub struct PointsError;

impl Points {
    /// No points.
    pub const ZERO: Self = Self(0);

    /// The sum, or an error when it does not fit.
    pub fn plus(self, other: Self) -> Result<Self, PointsError> {
        self.0.checked_add(other.0).map(Self).ok_or(PointsError)
    }

    /// The difference, or an error when it does not fit.
    pub fn minus(self, other: Self) -> Result<Self, PointsError> {
        self.0.checked_sub(other.0).map(Self).ok_or(PointsError)
    }

    /// The smaller of the two.
    pub fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }
}

impl fmt::Display for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_differences_refuse_to_wrap() {
        assert_eq!(Points(i64::MAX).plus(Points(1)), Err(PointsError));
        assert_eq!(Points(i64::MIN).minus(Points(1)), Err(PointsError));
        assert_eq!(Points(19).minus(Points(7)), Ok(Points(12)));
    }
}
