//! Points that were approved for a complaint are given, exactly once for each compensation, or refused with a reason.

use commit::Verb;
use kernel::Points;

use super::shared::{Newcomer, edit_account, enrol, member};
use crate::Loyalty;
use crate::domain::posting::Pen;
use crate::domain::{
    Account, AccountId, AccountKind, Books, BranchId, CLAIM_COMPENSATION, Cause, CompensationId, ComplaintGoodwill,
    ComplaintId, CustomerId, Cx, EntryKind, Event, GoodwillRefusal, Program, Programs, Stop,
};

/// Gives points to make good.
#[derive(Clone, Debug)]
pub struct GrantGoodwill {
    /// The compensation that was approved.
    pub compensation: CompensationId,
    /// The complaint.
    pub complaint: ComplaintId,
    /// Who complains, if known.
    pub customer: Option<CustomerId>,
    /// The branch that gives.
    pub branch: Option<BranchId>,
    /// How many points.
    pub points: Points,
    /// When they were approved, microseconds since the Unix epoch.
    pub occurred_at_us: i64,
}

/// Where the points would go.
enum Way<'p> {
    Account(&'p Program, AccountId),
    Enrol(&'p Program, CustomerId),
}

impl Verb<Loyalty> for GrantGoodwill {
    type Reply = ();

    fn decide(&self, w: &mut Books, cx: &mut Cx<'_>) -> Result<(), Stop> {
        let programs = cx.settings;
        // All are asked for before one is missed, so that one round of loading brings them.
        let settled = w.claims.owner(CLAIM_COMPENSATION, self.compensation.uuid().as_bytes());
        let so_far = w.goodwill.get(self.complaint).map(Option::<&ComplaintGoodwill>::cloned);
        let way = self.find_way(programs, w);
        if settled?.is_some() {
            return Ok(());
        }
        let mut tally = so_far?.unwrap_or(ComplaintGoodwill {
            complaint: self.complaint,
            version: 0,
            branch: self.branch,
            customer: self.customer,
            granted: Points::ZERO,
        });
        let verdict = match way? {
            Ok(way) => self.check(&way, &tally, w)?.map(|granted| (way, granted)),
            Err(reason) => Err(reason),
        };
        // Nobody else can hold the claim: it was just seen to be free.
        let _ = w.claims.take(CLAIM_COMPENSATION, self.compensation.uuid().as_bytes(), self.complaint)?;
        match verdict {
            Ok((way, granted)) => {
                self.give(way, w, cx)?;
                tally.granted = granted;
                w.goodwill.insert(tally);
            }
            Err(reason) => {
                let event = Event::GoodwillRefused {
                    compensation: self.compensation,
                    complaint: self.complaint,
                    customer: self.customer,
                    points: self.points,
                    reason,
                };
                cx.emit(w.goodwill.insert(tally), event);
            }
        }
        Ok(())
    }
}

impl GrantGoodwill {
    /// The oldest programme that the customer is in, else the oldest one that takes customers in by itself.
    fn find_way<'p>(&self, programs: &'p Programs, w: &mut Books) -> Result<Result<Way<'p>, GoodwillRefusal>, Stop> {
        if programs.active().next().is_none() {
            return Ok(Err(GoodwillRefusal::NoProgram));
        }
        let Some(customer) = self.customer else { return Ok(Err(GoodwillRefusal::NoCustomer)) };
        let asked: Vec<_> = programs.active().map(|program| (program, member(w, program.id, customer))).collect();
        let mut enrolling = None;
        for (program, account) in asked {
            match account? {
                Some(account) => return Ok(Ok(Way::Account(program, account))),
                None if program.terms.auto_enrol && enrolling.is_none() => enrolling = Some(program),
                None => {}
            }
        }
        Ok(enrolling.map(|program| Way::Enrol(program, customer)).ok_or(GoodwillRefusal::NoAccount))
    }

    /// What the complaint will have given after this, or why it may not.
    fn check(
        &self,
        way: &Way<'_>,
        tally: &ComplaintGoodwill,
        w: &mut Books,
    ) -> Result<Result<Points, GoodwillRefusal>, Stop> {
        let program = match way {
            Way::Account(program, account) => {
                if !w.accounts.get(*account)?.is_some_and(Account::is_open) {
                    return Ok(Err(GoodwillRefusal::AccountClosed));
                }
                program
            }
            Way::Enrol(program, _) => program,
        };
        let sum = tally.granted.plus(self.points).ok().filter(|_| self.points > Points::ZERO);
        let Some(sum) = sum else { return Ok(Err(GoodwillRefusal::PointsInvalid)) };
        let limit = program.terms.goodwill_max_points;
        Ok(if limit > 0 && sum.0 > limit { Err(GoodwillRefusal::GoodwillLimit) } else { Ok(sum) })
    }

    fn give(&self, way: Way<'_>, w: &mut Books, cx: &mut Cx<'_>) -> Result<(), Stop> {
        let (program, account) = match way {
            Way::Account(program, account) => (program, account),
            Way::Enrol(program, customer) => {
                let kind = AccountKind::Person;
                (program, enrol(w, cx, program, Newcomer { customer, kind, home_branch: self.branch })?)
            }
        };
        let account = edit_account(&mut w.accounts, account)?;
        let cause = Cause {
            compensation: Some(self.compensation),
            branch: self.branch,
            rule_version: program.rule_version,
            occurred_at_us: self.occurred_at_us,
            ..Cause::default()
        };
        Pen { entries: &mut w.entries, presences: &mut w.presences, cx, cause }.give(
            account,
            EntryKind::Goodwill,
            self.points,
        )?;
        let event = Event::GoodwillGranted {
            moved: account.moved(self.points),
            compensation: self.compensation,
            complaint: self.complaint,
        };
        cx.emit(account, event);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use kernel::Points;

    use crate::domain::verbs::testing::{ANN, Till, terms};
    use crate::domain::{AccountState, Event, GoodwillRefusal as R, LedgerAccount as L, ProgramState, Terms};

    fn refusals(till: &mut Till) -> Vec<R> {
        let told = till.told().into_iter();
        told.filter_map(|event| if let Event::GoodwillRefused { reason, .. } = event { Some(reason) } else { None })
            .collect()
    }

    #[test]
    fn points_come_once_for_each_compensation() {
        let mut till = Till::open(terms());
        for _ in 0..2 {
            till.make_good(1, 7, Some(ANN), 500).unwrap();
        }
        assert_eq!(till.account(ANN).balances.of(L::Available), Points(500), "enrolled by it as well");
        assert_eq!(till.account(ANN).earned, Points(0), "goodwill is not earned");
        let told = till.told();
        assert!(
            matches!(&told[..], [Event::AccountEnrolled { .. }, Event::GoodwillGranted { moved, .. }]
            if moved.points == Points(500)),
            "{told:?}"
        );
        till.make_good(2, 7, Some(ANN), 500).unwrap();
        assert_eq!(till.account(ANN).balances.of(L::Available), Points(1_000));
    }

    #[test]
    fn the_limit_is_for_the_complaint_as_a_whole() {
        let mut till = Till::open(terms());
        till.make_good(1, 7, Some(ANN), 600).unwrap();
        till.make_good(2, 7, Some(ANN), 600).unwrap();
        assert_eq!(refusals(&mut till), [R::GoodwillLimit]);
        till.make_good(2, 7, Some(ANN), 600).unwrap();
        assert_eq!(refusals(&mut till), [], "refused once, told once");
        till.make_good(3, 7, Some(ANN), 400).unwrap();
        till.make_good(4, 8, Some(ANN), 600).unwrap();
        assert_eq!(till.account(ANN).balances.of(L::Available), Points(1_600));
    }

    #[test]
    fn goodwill_settles_a_debt_first() {
        let mut till = Till::open(terms());
        till.sell("1", ANN, "RWF", 10_000).unwrap();
        till.adjust(ANN, -100).unwrap();
        till.take_back("r1", "1", Some(ANN), "RWF", 10_000).unwrap();
        till.make_good(1, 7, Some(ANN), 150).unwrap();
        let balances = till.account(ANN).balances;
        assert_eq!((balances.of(L::Available), balances.of(L::Debt)), (Points(50), Points(0)));
    }

    #[test]
    fn what_cannot_be_given_is_refused_with_its_reason() {
        let mut till = Till::open(Terms { auto_enrol: false, ..terms() });
        till.make_good(1, 1, None, 10).unwrap();
        till.make_good(2, 2, Some(ANN), 10).unwrap();
        till.enrol(ANN).unwrap();
        till.make_good(3, 3, Some(ANN), 0).unwrap();
        till.account_state(ANN, AccountState::Closed);
        till.make_good(4, 4, Some(ANN), 10).unwrap();
        till.program_state(ProgramState::Closed);
        till.make_good(5, 5, Some(ANN), 10).unwrap();
        let expected = [R::NoCustomer, R::NoAccount, R::PointsInvalid, R::AccountClosed, R::NoProgram];
        assert_eq!(refusals(&mut till), expected);
        assert_eq!(till.account(ANN).last_seq, 0);
    }
}
