//! Domain types as messages of the contract.

use commit::Answer;
use proto::karibu::loyalty::v1 as pb;
use proto::timestamp_from_us;

use crate::domain::{
    Account, AccountKind, AccountState, Adjusted, Balances, Created, EarnRule, Enrolled, Entry, EntryKind, Finding,
    LedgerAccount, Program, ProgramState, Report, ReturnPolicy, Rounding, Updated,
};
use crate::store::Statistics;

/// An id that may be missing: empty then.
pub(crate) fn maybe_text<T: ToString>(id: Option<T>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

pub(crate) const fn account_kind(kind: AccountKind) -> pb::AccountKind {
    match kind {
        AccountKind::Person => pb::AccountKind::Person,
        AccountKind::Household => pb::AccountKind::Household,
        AccountKind::Organization => pb::AccountKind::Organization,
    }
}

const fn account_state(state: AccountState) -> pb::AccountState {
    match state {
        AccountState::Active => pb::AccountState::Active,
        AccountState::Frozen => pb::AccountState::Frozen,
        AccountState::Merged => pb::AccountState::Merged,
        AccountState::Closed => pb::AccountState::Closed,
        AccountState::Erased => pb::AccountState::Erased,
    }
}

/// The balances that concern a member.
pub(crate) const fn balances(balances: &Balances) -> pb::Balances {
    pb::Balances {
        pending: balances.of(LedgerAccount::Pending).0,
        available: balances.of(LedgerAccount::Available).0,
        held: balances.of(LedgerAccount::Held).0,
        debt: balances.of(LedgerAccount::Debt).0,
    }
}

fn earn_rule(rule: &EarnRule) -> pb::EarnRule {
    pb::EarnRule {
        currency_code: rule.currency.to_string(),
        points: rule.points,
        per_minor_units: rule.per_minor_units,
    }
}

pub(super) fn program(program: &Program) -> pb::Program {
    let terms = &program.terms;
    let state = match program.state {
        ProgramState::Active => pb::ProgramState::Active,
        ProgramState::Closed => pb::ProgramState::Closed,
    };
    let rounding = match terms.rounding {
        Rounding::Floor => pb::Rounding::Floor,
        Rounding::CarryRemainder => pb::Rounding::CarryRemainder,
    };
    let return_policy = match terms.return_policy {
        ReturnPolicy::OnlyPending => pb::ReturnPolicy::OnlyPending,
        ReturnPolicy::WithinBalance => pb::ReturnPolicy::WithinBalance,
        ReturnPolicy::Debt => pb::ReturnPolicy::Debt,
    };
    pb::Program {
        program_id: program.id.to_string(),
        code: program.code.clone(),
        display_name: terms.display_name.clone(),
        unit_label: terms.unit_label.clone(),
        state: state.into(),
        earn_rules: terms.earn_rules.iter().map(earn_rule).collect(),
        rounding: rounding.into(),
        expiry: Some(pb::ExpiryPolicy { kind: pb::ExpiryKind::Never.into(), months: 0 }),
        activation_delay: Some(prost_types::Duration::default()),
        return_policy: return_policy.into(),
        auto_enrol: terms.auto_enrol,
        goodwill_max_points: terms.goodwill_max_points,
        default_time_zone: terms.default_time_zone.clone(),
        rule_version: program.rule_version,
        etag: program.version.to_string(),
        create_time: Some(timestamp_from_us(program.created_at_us)),
        update_time: Some(timestamp_from_us(program.updated_at_us)),
    }
}

pub(super) fn account(account: &Account) -> pb::Account {
    pb::Account {
        account_id: account.id.to_string(),
        program_id: account.program.to_string(),
        customer_id: account.customer.to_string(),
        kind: account_kind(account.kind).into(),
        state: account_state(account.state).into(),
        card_number: account.card_number.clone(),
        home_branch_id: maybe_text(account.home_branch),
        balances: Some(balances(&account.balances)),
        lifetime_points: account.earned.0,
        etag: account.version.to_string(),
        create_time: Some(timestamp_from_us(account.created_at_us)),
        update_time: Some(timestamp_from_us(account.updated_at_us)),
    }
}

const fn entry_kind(kind: EntryKind) -> pb::EntryKind {
    match kind {
        EntryKind::Accrue => pb::EntryKind::Accrue,
        EntryKind::SettleDebt => pb::EntryKind::SettleDebt,
        EntryKind::Clawback => pb::EntryKind::Clawback,
        EntryKind::ClawbackShort => pb::EntryKind::ClawbackShort,
        EntryKind::AdjustUp => pb::EntryKind::AdjustUp,
        EntryKind::AdjustDown => pb::EntryKind::AdjustDown,
        EntryKind::Goodwill => pb::EntryKind::Goodwill,
    }
}

const fn ledger_account(account: LedgerAccount) -> pb::LedgerAccount {
    match account {
        LedgerAccount::Issued => pb::LedgerAccount::ProgramIssued,
        LedgerAccount::Debt => pb::LedgerAccount::MemberDebt,
        LedgerAccount::Pending => pb::LedgerAccount::MemberPending,
        LedgerAccount::Available => pb::LedgerAccount::MemberAvailable,
        LedgerAccount::Held => pb::LedgerAccount::MemberHeld,
        LedgerAccount::Redeemed => pb::LedgerAccount::ProgramRedeemed,
        LedgerAccount::Expired => pb::LedgerAccount::ProgramExpired,
        LedgerAccount::Reversed => pb::LedgerAccount::ProgramReversed,
    }
}

pub(super) fn entry(entry: &Entry) -> pb::LedgerEntry {
    let cause = &entry.cause;
    pb::LedgerEntry {
        entry_id: entry.id.to_string(),
        account_id: entry.account.to_string(),
        seq: entry.seq,
        kind: entry_kind(entry.kind).into(),
        debit: ledger_account(entry.debit).into(),
        credit: ledger_account(entry.credit).into(),
        points: entry.points.0,
        purchase_id: maybe_text(cause.purchase),
        compensation_id: maybe_text(cause.compensation),
        reason_code: cause.reason_code.clone(),
        branch_id: maybe_text(cause.branch),
        actor: entry.actor.clone(),
        rule_version: cause.rule_version,
        reverses_entry_id: maybe_text(cause.reverses),
        occur_time: Some(timestamp_from_us(cause.occurred_at_us)),
        create_time: Some(timestamp_from_us(entry.recorded_at_us)),
    }
}

fn violation(finding: &Finding) -> pb::LedgerViolation {
    pb::LedgerViolation {
        law: finding.law.as_str().to_owned(),
        account_id: finding.account.to_string(),
        seq: finding.seq,
        detail: finding.detail.clone(),
    }
}

pub(super) fn report(report: &Report) -> pb::VerifyLedgerResponse {
    let total = |ledger: LedgerAccount| pb::LedgerTotal {
        account: ledger_account(ledger).into(),
        points: report.totals.of(ledger).0,
    };
    pb::VerifyLedgerResponse {
        ok: report.findings.is_empty(),
        account_count: report.accounts,
        entry_count: report.entries,
        violations: report.findings.iter().map(violation).collect(),
        totals: LedgerAccount::ALL.into_iter().map(total).collect(),
    }
}

pub(super) fn statistics(statistics: &Statistics) -> pb::LoyaltyStatistics {
    let of = |ledger| statistics.totals.of(ledger).0;
    let outstanding = [LedgerAccount::Pending, LedgerAccount::Available, LedgerAccount::Held].map(of);
    pb::LoyaltyStatistics {
        account_count: statistics.accounts,
        issued_points: of(LedgerAccount::Issued),
        redeemed_points: of(LedgerAccount::Redeemed),
        expired_points: of(LedgerAccount::Expired),
        reversed_points: of(LedgerAccount::Reversed),
        outstanding_points: outstanding.into_iter().fold(0, i64::saturating_add),
        debt_points: of(LedgerAccount::Debt),
        entry_count: statistics.entries,
    }
}

impl Answer for Created {
    type Wire = pb::CreateProgramResponse;
    fn to_wire(&self) -> Self::Wire {
        pb::CreateProgramResponse { program: Some(program(&self.0)) }
    }
}

impl Answer for Updated {
    type Wire = pb::UpdateProgramResponse;
    fn to_wire(&self) -> Self::Wire {
        pb::UpdateProgramResponse { program: Some(program(&self.0)) }
    }
}

impl Answer for Enrolled {
    type Wire = pb::EnrolCustomerResponse;
    fn to_wire(&self) -> Self::Wire {
        pb::EnrolCustomerResponse { account: Some(account(&self.account)), already_enrolled: self.already }
    }
    fn to_stored(&self) -> Option<Self::Wire> {
        Some(pb::EnrolCustomerResponse { account: Some(without_card(&self.account)), already_enrolled: self.already })
    }
}

impl Answer for Adjusted {
    type Wire = pb::AdjustPointsResponse;
    fn to_wire(&self) -> Self::Wire {
        pb::AdjustPointsResponse { account: Some(account(&self.account)), entry: Some(entry(&self.entry)) }
    }
    fn to_stored(&self) -> Option<Self::Wire> {
        Some(pb::AdjustPointsResponse { account: Some(without_card(&self.account)), entry: Some(entry(&self.entry)) })
    }
}

/// What is stored of an account for a repeat: without its card, which goes with the customer.
fn without_card(of: &Account) -> pb::Account {
    pb::Account { card_number: String::new(), ..account(of) }
}
