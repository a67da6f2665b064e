//! Put SLA policy: what is promised for which cases, made or put in place of what was.

use commit::{Verb, ensure, refuse};

use crate::Ticketing;
use crate::domain::sla::policy::Scope;
use crate::domain::sla::rules::RuleBook;
use crate::domain::sla::{SlaPolicy, Terms};
use crate::domain::{Cx, Desk, Event, Outcome, Refusal, SlaPolicyId};

/// Kind of the claim by which a code belongs to one policy.
const POLICY_CODE: &str = "sla_policy";

/// This is promised.
#[derive(Clone, Debug)]
pub struct PutSlaPolicy {
    /// Its code.
    pub code: String,
    /// The version that the caller knows; `None` does not check.
    pub expected_version: Option<i64>,
    /// Those with a lower position are tried first.
    pub position: i64,
    /// For which cases it holds.
    pub scope: Scope,
    /// What holds for them.
    pub terms: Terms,
    /// It no longer holds for anything.
    pub retired: bool,
}

impl Verb<Ticketing> for PutSlaPolicy {
    type Reply = SlaPolicy;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<SlaPolicy> {
        let targets = &self.terms.targets;
        let twice = |place: usize| targets[..place].iter().any(|earlier| earlier.metric == targets[place].metric);
        ensure!(!(0..targets.len()).any(twice), Refusal::TargetTwice);

        let holder = desk.claims.owner(POLICY_CODE, self.code.as_bytes())?;
        let known = match holder {
            Some(id) => desk.sla_policies.get(id)?.map(|policy| (policy.id, policy.version)),
            None => None,
        };
        let current = known.map_or(0, |(_, version)| version);
        let expected = self.expected_version.is_none_or(|expected| expected == current);
        ensure!(expected, Refusal::PolicyVersionMismatch { current });

        let policy = match known {
            Some((id, _)) => desk.sla_policies.edit(id)?,
            None => {
                let id = SlaPolicyId(cx.new_id());
                ensure!(
                    desk.claims.take(POLICY_CODE, self.code.as_bytes(), id)?.is_ok(),
                    Refusal::PolicyVersionMismatch { current }
                );
                Some(desk.sla_policies.insert(SlaPolicy {
                    id,
                    version: 0,
                    code: self.code.clone(),
                    position: 0,
                    scope: Scope::default(),
                    terms: Terms::default(),
                    retired: false,
                    created_at_us: cx.now_us,
                    updated_at_us: cx.now_us,
                }))
            }
        };
        let Some(policy) = policy else { refuse!(Refusal::PolicyNotFound) };
        policy.position = self.position;
        policy.scope = self.scope.clone();
        policy.terms = self.terms.clone();
        policy.retired = self.retired;
        policy.updated_at_us = cx.now_us;
        let event = Event::SlaPolicyChanged { policy: policy.id, code: policy.code.clone(), retired: policy.retired };
        cx.emit(policy, event);
        let policy = policy.clone();
        RuleBook::note_change(&mut desk.rule_books, cx)?;
        Ok(policy)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::sla::{Metric, Target};
    use crate::domain::stage::Stage;

    fn put(code: &str, metrics: &[Metric]) -> PutSlaPolicy {
        let target = |metric: &Metric| Target { metric: *metric, target_ms: 1, around_the_clock: false };
        PutSlaPolicy {
            code: code.to_owned(),
            expected_version: None,
            position: 1,
            scope: Scope::default(),
            terms: Terms { targets: metrics.iter().map(target).collect(), ..Terms::default() },
            retired: false,
        }
    }

    #[test]
    fn a_code_is_one_policy_whatever_is_put_there() {
        let mut stage = Stage::new();
        let first = stage.play(&put("GOLD", &[Metric::Ack])).unwrap();
        let second = stage.play(&put("GOLD", &[Metric::Resolution])).unwrap();
        let other = stage.play(&put("BLUE", &[])).unwrap();
        assert_eq!((second.id, second.version), (first.id, 2));
        assert_ne!(other.id, first.id);
        let late = PutSlaPolicy { expected_version: Some(1), ..put("GOLD", &[]) };
        assert_eq!(stage.play(&late).unwrap_err(), Refusal::PolicyVersionMismatch { current: 2 });
        let retired: Vec<bool> =
            stage.told().iter().map(|event| matches!(event, Event::SlaPolicyChanged { retired: true, .. })).collect();
        assert_eq!(retired, [false; 3]);
    }

    #[test]
    fn a_metric_has_one_target() {
        let verb = put("GOLD", &[Metric::Ack, Metric::Update, Metric::Ack]);
        assert_eq!(Stage::new().play(&verb).unwrap_err(), Refusal::TargetTwice);
    }
}
