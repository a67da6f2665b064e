//! Import: cases that were handled elsewhere are brought in, each taken or refused by itself. A case counts
//! once: its source and reference are claimed, and only a claim that is taken already has the case behind it
//! looked at.

use commit::{Missing, Stop, Verb, ensure, refuse};
use kernel::BranchScope;

use crate::Ticketing;
use crate::domain::code::Channel;
use crate::domain::complaint::{Complaint, Severity, Story};
use crate::domain::historical::HistoricalCase;
use crate::domain::number::{Counter, next_number};
use crate::domain::{BranchId, ComplaintId, CustomerId, Cx, Desk, Event, Outcome, Refusal};

/// The kind of claim that a historical case holds; its owner is the complaint.
const HISTORICAL_CASE: &str = "historical case";

/// One case to bring in.
#[derive(Clone, Debug)]
pub struct ImportItem {
    /// The branch that it belongs to.
    pub branch: BranchId,
    /// The customer, if known.
    pub customer: Option<CustomerId>,
    /// How it came in, if known.
    pub channel: Option<Channel>,
    /// What is known of it.
    pub case: HistoricalCase,
}

/// These were handled elsewhere.
#[derive(Clone, Debug)]
pub struct ImportComplaints {
    /// What the caller reaches.
    pub scope: BranchScope,
    /// The cases.
    pub items: Vec<ImportItem>,
}

/// A case that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Its complaint.
    pub complaint: ComplaintId,
    /// It stood before, with the same content.
    pub already: bool,
}

/// What came of the items, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imports(pub Vec<Result<Imported, Refusal>>);

impl ImportComplaints {
    /// Asks for everything that the items need before any of it is missed, so that a whole file loads with
    /// three statements.
    fn ask_for_all(&self, desk: &mut Desk) -> Result<(), Missing> {
        let mut asked = Ok(());
        for item in &self.items {
            let claim = desk.claims.owner(HISTORICAL_CASE, &item.case.natural_key());
            let earlier = claim.and_then(|holder| holder.map_or(Ok(()), |id| desk.complaints.get(id).map(drop)));
            let branch = desk.branches.get(item.branch).map(drop);
            let counter = desk.counters.get(Counter::id_of(item.branch, item.case.received_on.year())).map(drop);
            asked = asked.and(earlier).and(branch).and(counter);
        }
        asked
    }
}

impl ImportItem {
    /// The case as it stands, if it was brought in before.
    fn find_earlier(&self, desk: &mut Desk) -> Outcome<Option<Imported>> {
        let Some(holder) = desk.claims.owner(HISTORICAL_CASE, &self.case.natural_key())? else { return Ok(None) };
        let earlier = desk.complaints.get(holder)?;
        let same = earlier.is_some_and(|earlier| {
            earlier.story.origin.as_ref() == Some(&self.case)
                && (earlier.branch, earlier.customer, earlier.channel) == (self.branch, self.customer, self.channel)
        });
        ensure!(same, Refusal::CaseMismatch);
        Ok(Some(Imported { complaint: ComplaintId(holder), already: true }))
    }

    fn bring_in(&self, scope: &BranchScope, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<Imported> {
        ensure!(scope.allows(self.branch.uuid()), Refusal::BranchUnknown);
        if let Some(earlier) = self.find_earlier(desk)? {
            return Ok(earlier);
        }
        let Some(branch) = desk.branches.get(self.branch)? else { refuse!(Refusal::BranchUnknown) };
        let case = &self.case;
        let ahead = Refusal::NotYetHappened { field: "historical_case.receive_date" };
        let Some(received_at_us) = branch.start_of(case.received_on) else { refuse!(ahead) };
        ensure!(received_at_us <= cx.now_us, ahead);
        ensure!(case.sent_on.is_none_or(|sent_on| sent_on >= case.received_on), Refusal::SentBeforeReceived);
        let number = next_number(&mut desk.counters, branch, case.received_on.year())?;
        let id = ComplaintId(cx.new_id());
        let claimed = desk.claims.take(HISTORICAL_CASE, &case.natural_key(), id)?;
        ensure!(claimed.is_ok(), Refusal::CaseMismatch);

        let state = case.response.state();
        let complaint = desk.complaints.insert(Complaint {
            id,
            version: 0,
            number: number.clone(),
            state,
            branch: self.branch,
            customer: self.customer,
            owner: None,
            channel: self.channel,
            opened_at_us: received_at_us,
            created_at_us: cx.now_us,
            updated_at_us: cx.now_us,
            story: Story { origin: Some(case.clone()), ..Story::new(case.issue.clone(), Severity::Medium) },
        });
        let event = Event::Imported {
            complaint: id,
            number,
            branch: self.branch,
            source_system: case.source_system.clone(),
            source_ref: case.source_ref.clone(),
            state,
            response: case.response,
            channel: self.channel,
        };
        complaint.step_at(state, event, received_at_us, &mut desk.history, cx);
        Ok(Imported { complaint: id, already: false })
    }
}

impl Verb<Ticketing> for ImportComplaints {
    type Reply = Imports;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<Imports> {
        self.ask_for_all(desk)?;
        let results = self.items.iter().map(|item| match item.bring_in(&self.scope, desk, cx) {
            Ok(imported) => Ok(Ok(imported)),
            // An item that is refused changed nothing: all is checked before the first change.
            Err(Stop::Refused(refusal)) => Ok(Err(refusal)),
            Err(Stop::Missing) => Err(Stop::Missing),
        });
        Ok(Imports(results.collect::<Outcome<_>>()?))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::historical::CompanyResponse;
    use crate::domain::lifecycle::State;
    use crate::domain::stage::{KIGALI, LONDON, Stage, past_case};

    fn import(items: Vec<ImportItem>) -> ImportComplaints {
        ImportComplaints { scope: BranchScope::All, items }
    }

    #[test]
    fn a_case_counts_once_within_a_file_and_over_files() {
        let mut stage = Stage::new();
        let verb = import(vec![past_case("1"), past_case("2"), past_case("1")]);
        let Imports(first) = stage.play(&verb).unwrap();
        let already: Vec<bool> = first.iter().map(|result| result.as_ref().unwrap().already).collect();
        assert_eq!((already, stage.told().len()), (vec![false, false, true], 2));

        let Imports(second) = stage.play(&verb).unwrap();
        assert!(stage.told().is_empty());
        for (first, second) in first.iter().zip(&second) {
            assert_eq!(second, &Ok(Imported { complaint: first.as_ref().unwrap().complaint, already: true }));
        }
    }

    #[test]
    fn a_refused_item_leaves_its_neighbours_alone() {
        let mut stage = Stage::new();
        stage.play(&import(vec![past_case("0")])).unwrap();
        stage.told();
        let tomorrow = "2031-01-01".parse().unwrap();
        let mut items: Vec<ImportItem> = ["0", "1", "2", "3", "4", "5"].map(past_case).into();
        items[0].case.product = "another".to_owned();
        items[2].branch = BranchId(uuid::Uuid::from_u128(77));
        items[3].case.received_on = tomorrow;
        items[4].case.sent_on = Some("2001-01-01".parse().unwrap());
        let Imports(results) = stage.play(&import(items)).unwrap();
        let refusals: Vec<_> = results.into_iter().map(Result::err).collect();
        assert_eq!(
            refusals,
            [
                Some(Refusal::CaseMismatch),
                None,
                Some(Refusal::BranchUnknown),
                Some(Refusal::NotYetHappened { field: "historical_case.receive_date" }),
                Some(Refusal::SentBeforeReceived),
                None,
            ]
        );
        assert_eq!(stage.told().len(), 2);
    }

    #[test]
    fn only_branches_within_reach_take_cases() {
        let mut stage = Stage::new();
        let scope = BranchScope::only([LONDON.uuid()]);
        let items = vec![past_case("1"), ImportItem { branch: LONDON, ..past_case("2") }];
        let Imports(results) = stage.play(&ImportComplaints { scope, items }).unwrap();
        assert_eq!(results[0], Err(Refusal::BranchUnknown));
        assert!(results[1].is_ok());
    }

    #[test]
    fn it_keeps_its_day_its_year_and_where_it_stood() {
        for (response, state) in [
            (CompanyResponse::ClosedWithExplanation, State::Closed),
            (CompanyResponse::InProgress, State::Investigating),
        ] {
            let mut stage = Stage::new();
            let mut item = past_case("1");
            item.case.response = response;
            let Imports(results) = stage.play(&import(vec![item])).unwrap();
            let complaint = stage.stored(results[0].as_ref().unwrap().complaint);
            assert_eq!((complaint.state, complaint.number.as_str()), (state, "KGL-1-2013-000001"));
            // Midnight in Kigali, two hours ahead of UTC.
            assert_eq!(
                complaint.opened_at_us,
                "2013-07-28T22:00:00Z".parse::<jiff::Timestamp>().unwrap().as_microsecond()
            );
            assert_eq!(complaint.branch, KIGALI);
        }
    }
}
