//! A small business for the tests of verbs: two branches, one programme (1 point per RWF 100 or GBP 0.10), and customers
//! who come by.

use commit::{Missing, Rehearsal};
use kernel::{BranchScope, Money, Points};
use uuid::Uuid;

use super::shared::member;
use crate::Loyalty;
use crate::domain::{
    Account, AccountKind, AccountState, AdjustPoints, Branch, BranchId, CompensationId, ComplaintId, CustomerId,
    EarnRule, EnrolCustomer, Entry, Event, GrantGoodwill, Program, ProgramId, ProgramState, Programs, PurchaseId,
    RecordReturn, RecordSale, Refusal, ReturnPolicy, Rounding, Terms, UpdateProgram, Updated,
};

pub(in crate::domain) const HERE: BranchId = BranchId(Uuid::from_u128(0x1000));
pub(in crate::domain) const THERE: BranchId = BranchId(Uuid::from_u128(0x2000));
pub(in crate::domain) const ANN: CustomerId = CustomerId(Uuid::from_u128(0xA));
pub(in crate::domain) const BOB: CustomerId = CustomerId(Uuid::from_u128(0xB));
const NOW_US: i64 = 1_800_000_000_000_000;

pub(in crate::domain) fn rule(currency: &str, points: i64, per_minor_units: i64) -> EarnRule {
    EarnRule { currency: currency.parse().unwrap(), points, per_minor_units }
}

/// Terms as most tests want them.
pub(in crate::domain) fn terms() -> Terms {
    Terms {
        display_name: "Card".to_owned(),
        unit_label: "points".to_owned(),
        earn_rules: vec![rule("RWF", 1, 100), rule("GBP", 1, 10)],
        rounding: Rounding::Floor,
        return_policy: ReturnPolicy::Debt,
        auto_enrol: true,
        goodwill_max_points: 1_000,
        default_time_zone: "UTC".to_owned(),
    }
}

/// A business in memory.
pub(in crate::domain) struct Till {
    pub(in crate::domain) stage: Rehearsal<Loyalty>,
    pub(in crate::domain) program: ProgramId,
}

impl Till {
    pub(in crate::domain) fn open(terms: Terms) -> Self {
        let stage = Rehearsal::new(Programs::default(), NOW_US);
        let mut till = Self { stage, program: ProgramId(Uuid::nil()) };
        for id in [HERE, THERE] {
            till.stage.world.branches.given(Branch {
                id,
                version: 1,
                time_zone: "Africa/Kigali".to_owned(),
                closed: false,
            });
        }
        till.program = till.add_program("CARD", terms);
        till
    }

    /// Adds a programme that stands, and hands it to the verbs as the settings do.
    pub(in crate::domain) fn add_program(&mut self, code: &str, terms: Terms) -> ProgramId {
        let number = self.stage.settings.iter().count() as u128;
        let program = Program {
            id: ProgramId(Uuid::from_u128(0xF00 + number)),
            version: 1,
            code: code.to_owned(),
            state: ProgramState::Active,
            rule_version: 1,
            created_at_us: NOW_US,
            updated_at_us: NOW_US,
            terms,
        };
        let all = self.stage.settings.iter().cloned().chain([program.clone()]).collect();
        self.stage.settings = Programs::new(all);
        self.stage.world.programs.given(program.clone());
        program.id
    }

    pub(in crate::domain) fn program_state(&mut self, state: ProgramState) {
        let id = self.program;
        let with = |program: &Program| Program {
            state: if program.id == id { state } else { program.state },
            ..program.clone()
        };
        self.stage.settings = Programs::new(self.stage.settings.iter().map(with).collect());
    }

    /// Changes a programme, and the settings with it.
    pub(in crate::domain) fn update(&mut self, verb: &UpdateProgram) -> Result<Updated, Refusal> {
        let updated = self.stage.play(verb)?;
        let new = |program: &Program| if program.id == updated.0.id { updated.0.clone() } else { program.clone() };
        self.stage.settings = Programs::new(self.stage.settings.iter().map(new).collect());
        Ok(updated)
    }

    pub(in crate::domain) fn sell(
        &mut self,
        receipt: &str,
        customer: CustomerId,
        currency: &str,
        minor: i64,
    ) -> Result<(), Refusal> {
        self.stage.play(&RecordSale {
            purchase: purchase(receipt),
            source_system: "till".to_owned(),
            source_ref: receipt.to_owned(),
            customer,
            branch: HERE,
            earning: Money::new(currency.parse().unwrap(), minor),
            occurred_at_us: NOW_US,
        })
    }

    pub(in crate::domain) fn take_back(
        &mut self,
        receipt: &str,
        original: &str,
        customer: Option<CustomerId>,
        currency: &str,
        minor: i64,
    ) -> Result<(), Refusal> {
        self.stage.play(&RecordReturn {
            purchase: purchase(receipt),
            source_system: "till".to_owned(),
            original_source_ref: original.to_owned(),
            customer,
            branch: HERE,
            earning: Money::new(currency.parse().unwrap(), minor),
            occurred_at_us: NOW_US,
        })
    }

    pub(in crate::domain) fn make_good(
        &mut self,
        compensation: u128,
        complaint: u128,
        customer: Option<CustomerId>,
        points: i64,
    ) -> Result<(), Refusal> {
        self.stage.play(&GrantGoodwill {
            compensation: CompensationId(Uuid::from_u128(compensation)),
            complaint: ComplaintId(Uuid::from_u128(complaint)),
            customer,
            branch: Some(HERE),
            points: Points(points),
            occurred_at_us: NOW_US,
        })
    }

    pub(in crate::domain) fn enrol(&mut self, customer: CustomerId) -> Result<(), Refusal> {
        let verb = EnrolCustomer {
            scope: BranchScope::All,
            program: self.program,
            customer,
            kind: AccountKind::Person,
            home_branch: Some(HERE),
        };
        self.stage.play(&verb).map(drop)
    }

    pub(in crate::domain) fn adjust(&mut self, customer: CustomerId, points: i64) -> Result<(), Refusal> {
        let verb = AdjustPoints {
            scope: BranchScope::All,
            account: self.account(customer).id,
            expected_version: None,
            points: Points(points),
            reason_code: "test".to_owned(),
            branch: HERE,
        };
        self.stage.play(&verb).map(drop)
    }

    pub(in crate::domain) fn account_state(&mut self, customer: CustomerId, state: AccountState) {
        let account = self.account(customer);
        self.stage.world.accounts.given(Account { state, ..account });
    }

    pub(in crate::domain) fn close_branch(&mut self, id: BranchId) {
        self.stage.world.branches.given(Branch { id, version: 2, time_zone: "UTC".to_owned(), closed: true });
    }

    pub(in crate::domain) fn find_account(&mut self, customer: CustomerId) -> Option<Account> {
        self.account_in(self.program, customer)
    }

    pub(in crate::domain) fn account_in(&mut self, program: ProgramId, customer: CustomerId) -> Option<Account> {
        match member(&mut self.stage.world, program, customer) {
            Ok(Some(id)) => self.stage.world.accounts.get(id).unwrap().cloned(),
            // What nobody asked for yet does not exist.
            Ok(None) | Err(Missing) => None,
        }
    }

    pub(in crate::domain) fn account(&mut self, customer: CustomerId) -> Account {
        self.find_account(customer).unwrap()
    }

    pub(in crate::domain) fn entries(&mut self, customer: CustomerId) -> Vec<Entry> {
        let id = self.account(customer).id;
        self.stage.world.entries.pushed().filter(|entry| entry.account == id).cloned().collect()
    }

    pub(in crate::domain) fn told(&mut self) -> Vec<Event> {
        self.stage.told()
    }
}

/// The id of a purchase: any that follows from its receipt.
fn purchase(receipt: &str) -> PurchaseId {
    PurchaseId(commit::key(&[receipt.as_bytes()]))
}
