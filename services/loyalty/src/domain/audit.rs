//! Proving the ledger: every account is replayed from its entries and compared with what is stored. Reads nothing by
//! itself; it is fed accounts and entries in their order.

use kernel::Points;
use uuid::Uuid;

use super::{Account, AccountId, Balances, Entry, LedgerAccount, Unfit};

/// Most findings that are listed; beyond it a ledger is broken, and more lines say no more.
const MAX_FINDINGS: usize = 100;

/// A law of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// Every transfer is one that its kind allows, and both sides of the ledger are equal.
    Unbalanced,
    /// Entries are numbered from 1 without gaps, up to the number that the account knows.
    SeqGap,
    /// Stored balances are those of the replay.
    BalanceMismatch,
    /// No balance is ever negative.
    NegativeBalance,
    /// Nobody owes points and has points to spend.
    DebtWithBalance,
    /// Every entry carries the seal of its content and of the entry before.
    Tampered,
}

impl Law {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unbalanced => "UNBALANCED",
            Self::SeqGap => "SEQ_GAP",
            Self::BalanceMismatch => "BALANCE_MISMATCH",
            Self::NegativeBalance => "NEGATIVE_BALANCE",
            Self::DebtWithBalance => "DEBT_WITH_BALANCE",
            Self::Tampered => "TAMPERED",
        }
    }
}

/// A law that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which law.
    pub law: Law,
    /// The account.
    pub account: AccountId,
    /// Number of the entry; 0 if it is not about one.
    pub seq: i64,
    /// Sentence for a person.
    pub detail: String,
}

/// What an audit found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Accounts examined.
    pub accounts: i64,
    /// Entries examined.
    pub entries: i64,
    /// Laws that do not hold, at most 100.
    pub findings: Vec<Finding>,
    /// Sum of every ledger account, from the entries.
    pub totals: Balances,
}

/// An audit that is under way.
#[derive(Debug, Default)]
pub struct Audit(Report);

/// One account that is being replayed.
#[derive(Debug)]
pub struct Replay {
    stored: Account,
    balances: Balances,
    earned: i64,
    /// Seal of the entry before; `None` behind a gap.
    seal: Option<Uuid>,
    seq: i64,
}

impl Replay {
    /// Begins with what is stored of the account.
    pub fn new(stored: Account) -> Self {
        Self { stored, balances: Balances::default(), earned: 0, seal: Some(Uuid::nil()), seq: 0 }
    }

    /// The account that is being replayed.
    pub const fn account(&self) -> AccountId {
        self.stored.id
    }
}

impl Audit {
    /// Takes the next entry of the account, in the order of their numbers. Entries behind the number that the account
    /// knew when it was read were written since and belong to no finding.
    pub fn feed(&mut self, replay: &mut Replay, entry: &Entry) {
        if entry.seq > replay.stored.last_seq {
            return;
        }
        self.0.entries += 1;
        let account = replay.account();
        if entry.seq != replay.seq + 1 {
            self.note(Law::SeqGap, account, replay.seq + 1, "the entry is missing");
            replay.seal = None;
        }
        replay.seq = entry.seq;
        let is_legal = entry.kind.transfers().contains(&(entry.debit, entry.credit)) && entry.points > Points::ZERO;
        if !is_legal {
            self.note(Law::Unbalanced, account, entry.seq, "the entry moves points as its kind may not");
        }
        if replay.seal.is_some_and(|before| entry.sealed_behind(before) != entry.seal) {
            self.note(Law::Tampered, account, entry.seq, "the entry is not the one that was sealed");
        }
        // One changed entry shall be named, not all behind it.
        replay.seal = Some(entry.seal);
        match replay.balances.transfer(entry.debit, entry.credit, entry.points) {
            Ok(()) => {}
            Err(Unfit::Short(short)) => {
                let detail = format!("the balance {} would be negative", short.as_str());
                self.note(Law::NegativeBalance, account, entry.seq, detail);
            }
            Err(Unfit::TooLarge) => self.note(Law::Unbalanced, account, entry.seq, "a balance passes 64 bits"),
        }
        replay.earned = replay.earned.saturating_add(entry.points.0.saturating_mul(entry.kind.earns()));
    }

    /// Ends the account: compares what is stored of it with the replay.
    pub fn end(&mut self, replay: &Replay) {
        self.0.accounts += 1;
        let (stored, account) = (&replay.stored, replay.account());
        if replay.seq != stored.last_seq {
            self.note(Law::SeqGap, account, replay.seq + 1, format!("entries up to {} are missing", stored.last_seq));
        } else if replay.seal.is_some_and(|seal| seal != stored.seal) {
            self.note(Law::Tampered, account, replay.seq, "the account does not carry the seal of its last entry");
        }
        for ledger in LedgerAccount::ALL {
            let (known, replayed) = (stored.balances.of(ledger), replay.balances.of(ledger));
            if known != replayed {
                let detail = format!("{}: stored {known}, replayed {replayed}", ledger.as_str());
                self.note(Law::BalanceMismatch, account, 0, detail);
            }
        }
        if stored.earned.0 != replay.earned {
            let detail = format!("points ever earned: stored {}, replayed {}", stored.earned, replay.earned);
            self.note(Law::BalanceMismatch, account, 0, detail);
        }
        if let Some(ledger) = stored.balances.find_negative() {
            self.note(Law::NegativeBalance, account, 0, format!("the balance {} is negative", ledger.as_str()));
        }
        if !stored.balances.is_balanced() {
            self.note(Law::Unbalanced, account, 0, "issued and debt are not equal to all the others together");
        }
        let has = |ledger| stored.balances.of(ledger) > Points::ZERO;
        if has(LedgerAccount::Debt) && has(LedgerAccount::Available) {
            self.note(Law::DebtWithBalance, account, 0, "the member owes points and has some to spend");
        }
        self.0.totals = self.0.totals.sum(&replay.balances);
    }

    /// What was found.
    pub fn finish(self) -> Report {
        self.0
    }

    fn note(&mut self, law: Law, account: AccountId, seq: i64, detail: impl Into<String>) {
        if self.0.findings.len() < MAX_FINDINGS {
            self.0.findings.push(Finding { law, account, seq, detail: detail.into() });
        }
    }
}
