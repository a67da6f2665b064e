//! Money as whole minor units of an ISO 4217 currency. No floating point, no silent conversion.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An ISO 4217 currency, by its three-letter code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// Why an amount or a currency was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The code is not in ISO 4217.
    #[error("not an ISO 4217 currency code")]
    UnknownCurrency,
    /// Two amounts of different currencies met.
    #[error("amounts are in different currencies")]
    CurrencyMismatch,
    /// The result does not fit 64 bits of minor units.
    #[error("the amount is too large")]
    Overflow,
}

impl Currency {
    /// The code, such as `RWF`.
    pub fn code(&self) -> &str {
        // The three bytes came from an ASCII code of the ISO table.
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// Number of decimal places of the minor unit: 0 for RWF and JPY, 2 for GBP, 3 for KWD.
    /// Source: ISO 4217, table A.1. Currencies without minor units count as 0.
    pub fn exponent(&self) -> u32 {
        iso_currency::Currency::from_code(self.code()).and_then(|c| c.exponent()).map_or(0, u32::from)
    }
}

impl FromStr for Currency {
    type Err = MoneyError;
    fn from_str(code: &str) -> Result<Self, MoneyError> {
        let known = iso_currency::Currency::from_code(code).ok_or(MoneyError::UnknownCurrency)?;
        known.code().as_bytes().try_into().map(Self).map_err(|_| MoneyError::UnknownCurrency)
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(code: String) -> Result<Self, MoneyError> {
        code.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount in minor units (cents for GBP, whole francs for RWF).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// The currency.
    pub currency: Currency,
    /// Minor units; may be negative.
    pub minor: i64,
}

impl Money {
    /// An amount of `minor` minor units.
    pub const fn new(currency: Currency, minor: i64) -> Self {
        Self { currency, minor }
    }

    /// Nothing, in a currency.
    pub const fn zero(currency: Currency) -> Self {
        Self::new(currency, 0)
    }

    /// The sum; refuses another currency and overflow.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.with(other, i64::checked_add)
    }

    /// The difference; refuses another currency and overflow.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.with(other, i64::checked_sub)
    }

    /// `count` times the amount; refuses overflow.
    pub fn times(self, count: i64) -> Result<Self, MoneyError> {
        self.minor.checked_mul(count).map(|minor| Self::new(self.currency, minor)).ok_or(MoneyError::Overflow)
    }

    fn with(self, other: Self, op: fn(i64, i64) -> Option<i64>) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch);
        }
        op(self.minor, other.minor).map(|minor| Self::new(self.currency, minor)).ok_or(MoneyError::Overflow)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exponent = self.currency.exponent();
        let unit = 10u64.pow(exponent);
        let (sign, size) = (if self.minor < 0 { "-" } else { "" }, self.minor.unsigned_abs());
        write!(f, "{} {sign}{}", self.currency, size / unit)?;
        if exponent > 0 {
            write!(f, ".{:0width$}", size % unit, width = exponent as usize)?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn money(code: &str, minor: i64) -> Money {
        Money::new(code.parse().unwrap(), minor)
    }

    #[test]
    fn exponents_follow_iso_4217() {
        for (code, exponent) in
            [("RWF", 0), ("JPY", 0), ("UGX", 0), ("GBP", 2), ("KES", 2), ("MGA", 2), ("KWD", 3), ("BHD", 3), ("CLF", 4)]
        {
            assert_eq!(code.parse::<Currency>().unwrap().exponent(), exponent, "{code}");
        }
    }

    #[test]
    fn unknown_codes_are_refused() {
        for code in ["", "RW", "rwf", "ABCD", "ZZZ"] {
            assert_eq!(code.parse::<Currency>(), Err(MoneyError::UnknownCurrency), "{code}");
        }
    }

    #[test]
    fn arithmetic_refuses_mixing_and_overflow() {
        assert_eq!(money("RWF", 1).plus(money("GBP", 1)), Err(MoneyError::CurrencyMismatch));
        assert_eq!(money("RWF", i64::MAX).plus(money("RWF", 1)), Err(MoneyError::Overflow));
        assert_eq!(money("RWF", 7).minus(money("RWF", 9)), Ok(money("RWF", -2)));
    }

    #[test]
    fn amounts_show_their_decimals() {
        assert_eq!(money("RWF", 2500).to_string(), "RWF 2500");
        assert_eq!(money("GBP", -5).to_string(), "GBP -0.05");
        assert_eq!(money("KWD", 1234).to_string(), "KWD 1.234");
    }
}
