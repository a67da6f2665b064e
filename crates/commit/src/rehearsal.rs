//! Rehearsing verbs without a database: what was not given does not exist, accepted commands are kept,
//! refused ones leave no trace. For the unit tests of domains; nothing here runs in production.

use kernel::IdSource;

use crate::verb::{Cx, Service, Stop, Verb};
use crate::world::Room;

/// A world in memory on which commands are played one after another.
///
/// ```ignore
/// let mut stage = Rehearsal::<Ticketing>::new((), 1_700_000_000_000_000);
/// stage.world.branches.given(kigali());
/// let file = stage.play(&open)?;
/// assert_eq!(stage.told(), [Event::Opened { .. }]);
/// ```
#[derive(Debug)]
pub struct Rehearsal<S: Service> {
    /// What is stored.
    pub world: S::World,
    /// The settings in force.
    pub settings: S::Settings,
    /// The time of the next command, microseconds since the Unix epoch.
    pub now_us: i64,
    /// Who asks.
    pub by: String,
    ids: IdSource,
    told: Vec<S::Event>,
}

impl<S: Service> Rehearsal<S> {
    /// An empty world at `now_us`.
    pub fn new(settings: S::Settings, now_us: i64) -> Self {
        Self {
            world: S::World::default(),
            settings,
            now_us,
            by: "tester".to_owned(),
            ids: IdSource::seeded(1),
            told: Vec::new(),
        }
    }

    /// Plays one command to its end.
    ///
    /// # Errors
    /// The refusal of the verb; the world is as before then.
    pub fn play<V: Verb<S>>(&mut self, verb: &V) -> Result<V::Reply, S::Refusal> {
        loop {
            let mut cx = Cx::new(&self.settings, self.now_us, &self.by, &mut self.ids);
            match verb.decide(&mut self.world, &mut cx) {
                Ok(reply) => {
                    self.told.extend(cx.events.into_iter().map(|told| told.event));
                    self.world.keep();
                    return Ok(reply);
                }
                Err(Stop::Refused(refusal)) => {
                    self.world.drop_drafts();
                    return Err(refusal);
                }
                Err(Stop::Missing) => {
                    self.world.drop_drafts();
                    self.world.forgo();
                }
            }
        }
    }

    /// The events told since this was last asked.
    pub fn told(&mut self) -> Vec<S::Event> {
        std::mem::take(&mut self.told)
    }
}
