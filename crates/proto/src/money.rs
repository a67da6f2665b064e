//! Money of the contract as the money that the suite computes with, and back.

use kernel::{Currency, MoneyError};

use crate::karibu::types::v1::Money;

impl From<kernel::Money> for Money {
    fn from(money: kernel::Money) -> Self {
        Self { currency_code: money.currency.code().to_owned(), minor_units: money.minor }
    }
}

impl TryFrom<&Money> for kernel::Money {
    type Error = MoneyError;

    /// Fails for a currency that is not in ISO 4217.
    fn try_from(money: &Money) -> Result<Self, MoneyError> {
        let currency: Currency = money.currency_code.parse()?;
        Ok(Self { currency, minor: money.minor_units })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn money_survives_the_way_there_and_back() {
        let price = Money { currency_code: "RWF".to_owned(), minor_units: -1250 };
        let known = kernel::Money::try_from(&price).unwrap();
        assert_eq!((known.currency.code(), known.minor), ("RWF", -1250));
        assert_eq!(Money::from(known), price);
    }

    #[test]
    fn an_unknown_currency_is_refused() {
        let price = Money { currency_code: "ABC".to_owned(), minor_units: 1 };
        assert_eq!(kernel::Money::try_from(&price), Err(MoneyError::UnknownCurrency));
    }
}
