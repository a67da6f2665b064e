//! Programmes are created and changed. New rules hold for what happens from then on.

use commit::{Verb, ensure, refuse};
use kernel::BranchScope;

use super::shared::check_version;
use crate::Loyalty;
use crate::domain::{
    Books, CLAIM_CODE, Cx, EarnRule, Event, Program, ProgramId, ProgramState, Refusal, ReturnPolicy, Rounding, Stop,
    Terms,
};

/// Creates a programme.
#[derive(Clone, Debug)]
pub struct CreateProgram {
    /// Where the caller may act.
    pub scope: BranchScope,
    /// Its code.
    pub code: String,
    /// Its terms; an empty unit label and an empty time zone mean the usual ones.
    pub terms: Terms,
}

/// The new programme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created(pub Program);

/// The changed programme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Updated(pub Program);

impl Verb<Loyalty> for CreateProgram {
    type Reply = Created;

    fn decide(&self, w: &mut Books, cx: &mut Cx<'_>) -> Result<Created, Stop> {
        ensure!(self.scope.is_all(), Refusal::AllBranchesNeeded);
        let terms = self.terms.clone().checked()?;
        let id = ProgramId(cx.new_id());
        ensure!(w.claims.take(CLAIM_CODE, self.code.as_bytes(), id)?.is_ok(), Refusal::ProgramCodeTaken);
        cx.settings_changed();
        let program = w.programs.insert(Program {
            id,
            version: 0,
            code: self.code.clone(),
            state: ProgramState::Active,
            rule_version: 1,
            created_at_us: cx.now_us,
            updated_at_us: cx.now_us,
            terms,
        });
        cx.emit(program, Event::ProgramCreated { program: id, code: self.code.clone() });
        Ok(Created(program.clone()))
    }
}

/// New values of a programme; `None` leaves one as it is.
#[derive(Clone, Debug, Default)]
pub struct ProgramChange {
    /// Name for people.
    pub display_name: Option<String>,
    /// How purchases become points; replaces all.
    pub earn_rules: Option<Vec<EarnRule>>,
    /// What happens to parts of a point.
    pub rounding: Option<Rounding>,
    /// What happens when spent points must be taken back.
    pub return_policy: Option<ReturnPolicy>,
    /// Customers are enrolled by their first purchase.
    pub auto_enrol: Option<bool>,
    /// Most points that one complaint may give; 0 = no limit.
    pub goodwill_max_points: Option<i64>,
}

/// Changes a programme. A change to what already stands is no change: no event, same etag.
#[derive(Clone, Debug)]
pub struct UpdateProgram {
    /// Where the caller may act.
    pub scope: BranchScope,
    /// The programme.
    pub id: ProgramId,
    /// The version that the caller knows.
    pub expected_version: Option<i64>,
    /// The new values.
    pub change: ProgramChange,
}

impl Verb<Loyalty> for UpdateProgram {
    type Reply = Updated;

    fn decide(&self, w: &mut Books, cx: &mut Cx<'_>) -> Result<Updated, Stop> {
        let Some(before) = w.programs.get(self.id)? else { refuse!(Refusal::ProgramNotFound) };
        ensure!(self.scope.is_all(), Refusal::AllBranchesNeeded);
        check_version(self.expected_version, before.version)?;
        ensure!(before.is_active(), Refusal::ProgramClosed);
        let terms = self.change.on(&before.terms).checked()?;
        let changed = differences(&before.terms, &terms);
        if changed.is_empty() {
            return Ok(Updated(before.clone()));
        }
        let Some(program) = w.programs.edit(self.id)? else { refuse!(Refusal::ProgramNotFound) };
        cx.settings_changed();
        if terms.makes_points_unlike(&program.terms) {
            program.rule_version += 1;
        }
        program.terms = terms;
        program.updated_at_us = cx.now_us;
        let event = Event::ProgramUpdated { program: self.id, changed, rule_version: program.rule_version };
        cx.emit(program, event);
        Ok(Updated(program.clone()))
    }
}

impl ProgramChange {
    fn on(&self, before: &Terms) -> Terms {
        let now = self.clone();
        Terms {
            display_name: now.display_name.unwrap_or_else(|| before.display_name.clone()),
            unit_label: before.unit_label.clone(),
            earn_rules: now.earn_rules.unwrap_or_else(|| before.earn_rules.clone()),
            rounding: now.rounding.unwrap_or(before.rounding),
            return_policy: now.return_policy.unwrap_or(before.return_policy),
            auto_enrol: now.auto_enrol.unwrap_or(before.auto_enrol),
            goodwill_max_points: now.goodwill_max_points.unwrap_or(before.goodwill_max_points),
            default_time_zone: before.default_time_zone.clone(),
        }
    }
}

fn differences(before: &Terms, after: &Terms) -> Vec<&'static str> {
    let fields = [
        ("display_name", before.display_name != after.display_name),
        ("earn_rules", before.earn_rules != after.earn_rules),
        ("rounding", before.rounding != after.rounding),
        ("return_policy", before.return_policy != after.return_policy),
        ("auto_enrol", before.auto_enrol != after.auto_enrol),
        ("goodwill_max_points", before.goodwill_max_points != after.goodwill_max_points),
    ];
    fields.into_iter().filter_map(|(field, differs)| differs.then_some(field)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::LedgerAccount;
    use crate::domain::verbs::testing::{ANN, HERE, Till, rule, terms};

    fn update(till: &Till, change: ProgramChange) -> UpdateProgram {
        UpdateProgram { scope: BranchScope::All, id: till.program, expected_version: None, change }
    }

    #[test]
    fn a_programme_is_created_once_for_a_code() {
        let mut till = Till::open(terms());
        let create = CreateProgram {
            scope: BranchScope::All,
            code: "NEW".to_owned(),
            terms: Terms { unit_label: String::new(), default_time_zone: "africa/kigali".to_owned(), ..terms() },
        };
        let Created(program) = till.stage.play(&create).unwrap();
        assert_eq!((program.version, program.rule_version), (1, 1));
        assert_eq!(program.terms.unit_label, "points");
        assert_eq!(program.terms.default_time_zone, "Africa/Kigali");
        assert_eq!(till.told(), [Event::ProgramCreated { program: program.id, code: "NEW".to_owned() }]);
        assert_eq!(till.stage.play(&create), Err(Refusal::ProgramCodeTaken));
        let here = CreateProgram { scope: BranchScope::only([HERE.uuid()]), code: "B".to_owned(), ..create.clone() };
        assert_eq!(till.stage.play(&here), Err(Refusal::AllBranchesNeeded));
    }

    #[test]
    fn terms_that_make_no_sense_are_refused() {
        let mut till = Till::open(terms());
        let twice = vec![rule("RWF", 1, 100), rule("GBP", 1, 10), rule("RWF", 2, 100)];
        let cases = [
            (Terms { earn_rules: twice, ..terms() }, Refusal::EarnRuleTwice { at: 2 }),
            (Terms { default_time_zone: "Africa/Atlantis".to_owned(), ..terms() }, Refusal::TimeZoneUnknown),
        ];
        for (terms, refusal) in cases {
            let create = CreateProgram { scope: BranchScope::All, code: "NEW".to_owned(), terms };
            assert_eq!(till.stage.play(&create), Err(refusal));
        }
    }

    #[test]
    fn new_rules_hold_from_now_on_and_are_numbered() {
        let mut till = Till::open(terms());
        till.sell("1", ANN, "RWF", 1_000).unwrap();
        let double = ProgramChange { earn_rules: Some(vec![rule("RWF", 2, 100)]), ..ProgramChange::default() };
        till.update(&update(&till, double)).unwrap();
        till.sell("2", ANN, "RWF", 1_000).unwrap();
        let versions: Vec<i64> = till.entries(ANN).iter().map(|entry| entry.cause.rule_version).collect();
        assert_eq!(versions, [1, 2]);
        assert_eq!(till.account(ANN).balances.of(LedgerAccount::Available).0, 30);
        till.take_back("r1", "1", Some(ANN), "RWF", 1_000).unwrap();
        assert_eq!(till.account(ANN).balances.of(LedgerAccount::Available).0, 20, "by the rule that gave them");
        assert_eq!(till.entries(ANN)[2].cause.rule_version, 1);
    }

    #[test]
    fn no_change_is_no_change() {
        let mut till = Till::open(terms());
        let same = update(&till, ProgramChange { auto_enrol: Some(true), ..ProgramChange::default() });
        assert_eq!(till.update(&same).unwrap().0.version, 1);
        assert_eq!(till.told(), []);
        let name = ProgramChange { display_name: Some("Other".to_owned()), ..ProgramChange::default() };
        let named = till.update(&update(&till, name.clone())).unwrap().0;
        assert_eq!((named.version, named.rule_version), (2, 1));
        let stale = UpdateProgram { expected_version: Some(1), ..update(&till, name) };
        assert_eq!(till.update(&stale), Err(Refusal::VersionMismatch { current: 2 }));
    }
}
