//! A failing seed for people: which faults are needed for the failure, and what happened step by step.

use super::plan::Plan;
use super::play::play;
use super::stage::Stage;

/// Runs that shrinking may take.
const TRIES: usize = 60;
/// The last steps that are shown.
const STEPS: usize = 80;

/// What to print about a plan that broke a promise.
pub(crate) fn report(stage: &Stage, plan: &Plan, broken: &str) -> String {
    let small = shrunk(stage, plan);
    let (ended, steps) = play(stage, &small, true);
    let ended = ended.err().unwrap_or_else(|| "the shrunk plan did not fail again".to_owned());
    let faults: Vec<String> =
        small.faults.iter().map(|fault| format!("  {:>5} ms  {:?}", fault.at_ms, fault.kind)).collect();
    let from = steps.len().saturating_sub(STEPS);
    format!(
        "seed {seed} breaks a promise: {broken}\n\
         replay it: KARIBU_SIM_SEED={seed} cargo nextest run -p karibu-events --lib sim::\n\
         {scene:?}; {needed} of {all} faults and {commands} of {asked} commands are enough for: {ended}\n{faults}\n\
         the last {shown} of {steps_count} steps:\n{steps}",
        seed = plan.seed,
        scene = plan.scene,
        needed = small.faults.len(),
        all = plan.faults.len(),
        commands = small.commands.len(),
        asked = plan.commands.len(),
        faults = faults.join("\n"),
        shown = steps.len() - from,
        steps_count = steps.len(),
        steps = steps[from..].join("\n"),
    )
}

/// The plan without what is not needed for a failure, whichever one.
fn shrunk(stage: &Stage, plan: &Plan) -> Plan {
    let mut small = plan.clone();
    let mut tries = 0;
    let mut fails = |plan: &Plan| {
        tries += 1;
        tries <= TRIES && play(stage, plan, false).0.is_err()
    };
    let mut place = 0;
    while place < small.faults.len() {
        let mut without = small.clone();
        without.faults.remove(place);
        if fails(&without) {
            small = without;
        } else {
            place += 1;
        }
    }
    let mut half = small.commands.len() / 2;
    while half > 0 {
        let mut without = small.clone();
        without.commands.truncate(small.commands.len().saturating_sub(half));
        if half < small.commands.len() && fails(&without) {
            small = without;
        } else {
            half /= 2;
        }
    }
    small
}
