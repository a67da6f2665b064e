//! Complaints in numbers: one pass over the table, folded into one list per thing that is told apart.

use std::collections::BTreeMap;

use ::store::{Result, args};
use kernel::BranchScope;
use uuid::Uuid;

use super::{Reads, Span, sql};
use crate::domain::BranchId;

/// Which complaints to count.
#[derive(Clone, Debug)]
pub struct StatisticsFilter {
    /// Only those of this branch.
    pub branch: Option<BranchId>,
    /// Only those brought in from this system.
    pub source_system: Option<String>,
    /// Only those opened within.
    pub opened: Span,
}

/// How many there are of something, by its name.
pub type Count = BTreeMap<String, i64>;

/// Complaints in numbers. Keys are codes; what is not known counts as `UNSPECIFIED`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// How many.
    pub total: i64,
    /// By state.
    pub by_state: Count,
    /// By the way they came in.
    pub by_channel: Count,
    /// By branch (UUID).
    pub by_branch: Count,
    /// Brought in: by product.
    pub by_product: Count,
    /// Brought in: by response.
    pub by_company_response: Count,
    /// Brought in: by whether the answer came in time.
    pub by_timely: Count,
    /// Brought in: by whether the customer disputed the answer.
    pub by_disputed: Count,
}

/// The key of what is not known.
const UNSPECIFIED: &str = "UNSPECIFIED";

#[derive(sqlx::FromRow)]
struct Cell {
    branch_id: Uuid,
    state: String,
    channel: Option<String>,
    product: Option<String>,
    company_response: Option<String>,
    timely: Option<String>,
    disputed: Option<String>,
    number: i64,
}

impl Statistics {
    fn add(&mut self, cell: Cell) {
        let Cell { branch_id, state, channel, product, company_response, timely, disputed, number } = cell;
        let count = |counts: &mut Count, key: Option<String>| {
            if let Some(key) = key {
                *counts.entry(key).or_default() += number;
            }
        };
        count(&mut self.by_state, Some(state));
        count(&mut self.by_channel, channel.or_else(|| Some(UNSPECIFIED.to_owned())));
        count(&mut self.by_branch, Some(branch_id.to_string()));
        count(&mut self.by_product, product);
        count(&mut self.by_company_response, company_response);
        count(&mut self.by_timely, timely);
        count(&mut self.by_disputed, disputed);
        self.total += number;
    }
}

impl Reads {
    /// Complaints in numbers.
    pub async fn count_complaints(&self, filter: &StatisticsFilter, scope: &BranchScope) -> Result<Statistics> {
        let cells: Vec<Cell> = self
            .reader
            .within(scope)
            .fetch_all(
                sql::STATISTICS,
                args![
                    scope.is_all(),
                    scope.branches(),
                    filter.branch.map(BranchId::uuid),
                    filter.source_system.as_deref(),
                    filter.opened.from_us,
                    filter.opened.before_us,
                ],
            )
            .await?;
        let mut statistics = Statistics::default();
        for cell in cells {
            statistics.add(cell);
        }
        Ok(statistics)
    }
}
