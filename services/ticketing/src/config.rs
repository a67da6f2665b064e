//! Settings of the ticketing service alone: limits, windows and days, with the defaults of the design.

use std::time::Duration;

use kernel::{Money, Points};

use crate::domain::Policy;

/// Worth that any agent may offer where nothing else is set: about the price of a family's weekly shopping.
const DEFAULT_MONEY_LIMITS: &str = "RWF:30000,KES:3000,UGX:80000,TZS:50000,USD:20,EUR:20,GBP:20";

/// Settings of the ticketing service.
#[derive(Clone, Debug, clap::Args)]
pub struct Config {
    /// Points that any agent may offer in one proposal; more needs the permission to approve compensations
    #[arg(long, env = "KARIBU_COMPENSATION_POINTS", value_name = "POINTS", default_value_t = 1_000)]
    pub compensation_points: i64,
    /// Worth that any agent may offer in one proposal, per currency in whole units; others need the permission
    #[arg(
        long,
        env = "KARIBU_COMPENSATION_MONEY",
        value_name = "CODE:AMOUNT,…",
        value_delimiter = ',',
        default_value = DEFAULT_MONEY_LIMITS,
        value_parser = money_limit
    )]
    pub compensation_money: Vec<Money>,
    /// Days from resolution to follow-up: critical, high, all others
    #[arg(long, env = "KARIBU_FOLLOW_UP_DAYS", value_name = "DAYS", value_delimiter = ',', num_args = 1,
        default_value = "1,2,3", value_parser = clap::value_parser!(i32).range(0..=365))]
    pub follow_up_days: Vec<i32>,
    /// Hour of the branch's day at which a follow-up falls due
    #[arg(long, env = "KARIBU_FOLLOW_UP_HOUR", value_name = "HOUR", default_value_t = 10,
        value_parser = clap::value_parser!(i8).range(0..=23))]
    pub follow_up_hour: i8,
    /// Attempts to reach a customer before a follow-up ends without contact
    #[arg(long, env = "KARIBU_FOLLOW_UP_ATTEMPTS", value_name = "COUNT", default_value_t = 3,
        value_parser = clap::value_parser!(i32).range(1..=20))]
    pub follow_up_attempts: i32,
    /// Days from one attempt to the next
    #[arg(long, env = "KARIBU_FOLLOW_UP_RETRY_DAYS", value_name = "DAYS", default_value_t = 1,
        value_parser = clap::value_parser!(i32).range(0..=365))]
    pub follow_up_retry_days: i32,
    /// Days in which a resolved complaint can be reopened
    #[arg(long, env = "KARIBU_REOPEN_DAYS", value_name = "DAYS", default_value_t = 14,
        value_parser = clap::value_parser!(i32).range(0..=3_650))]
    pub reopen_days: i32,
    /// Milliseconds between two looks at what has fallen due
    #[arg(long, env = "KARIBU_TIMER_PERIOD_MS", value_name = "MS", default_value_t = 1_000,
        value_parser = clap::value_parser!(u64).range(10..))]
    pub timer_period_ms: u64,
}

impl Default for Config {
    /// What stands when nothing is set.
    fn default() -> Self {
        Self {
            compensation_points: 1_000,
            compensation_money: DEFAULT_MONEY_LIMITS.split(',').filter_map(|limit| money_limit(limit).ok()).collect(),
            follow_up_days: vec![1, 2, 3],
            follow_up_hour: 10,
            follow_up_attempts: 3,
            follow_up_retry_days: 1,
            reopen_days: 14,
            timer_period_ms: 1_000,
        }
    }
}

impl Config {
    /// The policy that verbs go by.
    pub(crate) fn policy(&self) -> anyhow::Result<Policy> {
        let follow_up_days = self.follow_up_days.as_slice().try_into();
        Ok(Policy {
            points_limit: Points(self.compensation_points),
            money_limits: self.compensation_money.clone(),
            follow_up_days: follow_up_days.map_err(|_| anyhow::anyhow!("give three numbers of follow-up days"))?,
            follow_up_hour: self.follow_up_hour,
            follow_up_attempts: self.follow_up_attempts,
            retry_days: self.follow_up_retry_days,
            reopen_days: self.reopen_days,
        })
    }

    /// Between two looks at what has fallen due.
    pub(crate) const fn timer_period(&self) -> Duration {
        Duration::from_millis(self.timer_period_ms)
    }
}

/// Reads `RWF:30000`, whole units of a currency.
fn money_limit(text: &str) -> Result<Money, String> {
    let (code, amount) = text.split_once(':').ok_or("write it as RWF:30000")?;
    let currency: kernel::Currency = code.trim().parse().map_err(|error| format!("{code}: {error}"))?;
    let units: i64 = amount.trim().parse().map_err(|error| format!("{amount}: {error}"))?;
    let minor = 10_i64.checked_pow(currency.exponent()).and_then(|minor| units.checked_mul(minor));
    minor.map(|minor| Money::new(currency, minor)).ok_or_else(|| format!("{text} is too much"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        config: Config,
    }

    #[test]
    fn what_stands_without_settings_is_the_same_on_the_command_line_and_in_code() {
        let line = Line::parse_from(["ticketing"]).config;
        assert_eq!(line.policy().unwrap(), Config::default().policy().unwrap());
        assert_eq!(line.timer_period(), Config::default().timer_period());
    }

    #[test]
    fn limits_are_given_in_whole_units_of_a_currency() {
        assert_eq!(money_limit("GBP:20").unwrap(), Money::new("GBP".parse().unwrap(), 2_000));
        assert_eq!(money_limit("RWF:20").unwrap(), Money::new("RWF".parse().unwrap(), 20));
        for wrong in ["GBP", "GBP:", "ABC:1", "GBP:9223372036854775807", "GBP:1.5"] {
            assert!(money_limit(wrong).is_err(), "{wrong}");
        }
    }
}
