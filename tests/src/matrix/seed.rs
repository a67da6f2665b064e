//! A world: one branch with everything in it that the contract can make there. It is filled by calling every method that
//! makes something, in the order of the contract, and keeping every id that comes back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prost_reflect::{DynamicMessage, ReflectMessage, Value};
use proto::MethodInfo;
use proto::options::field_rule;
use testkit::assert_eventually;
use uuid::Uuid;

use super::call::Caller;
use super::request::{Request, is_reference, references};
use super::wishes::{self, is_business_wide, plain};

/// Time to fill a world: events between services must have come.
const FILL_TIME: Duration = Duration::from_secs(90);

/// Where the next serial comes from: texts are unique in the whole run.
static SERIAL: AtomicU64 = AtomicU64::new(1);

/// The next serial.
pub(super) fn serial() -> u64 {
    SERIAL.fetch_add(1, Ordering::Relaxed)
}

/// One branch and what is in it.
#[derive(Debug)]
pub struct World {
    /// The mark that its texts carry.
    pub mark: String,
    /// Not of this world: ids that every branch may see, such as that of the business.
    shared: BTreeSet<Uuid>,
    ids: Mutex<BTreeMap<String, Uuid>>,
    /// Every id that was ever made in it.
    all: Mutex<BTreeSet<Uuid>>,
    token: Mutex<Option<String>>,
    handle: Mutex<Option<String>>,
    /// Methods that made what they make, and are not called again.
    done: Mutex<BTreeSet<String>>,
}

impl World {
    /// A world that knows its branch only. `shared` are ids that are no secret of it.
    pub fn new(mark: &str, branch: Uuid, shared: &[Uuid]) -> Self {
        Self {
            mark: mark.to_owned(),
            shared: shared.iter().copied().collect(),
            ids: Mutex::new([("branch_id".to_owned(), branch)].into()),
            all: Mutex::new([branch].into()),
            token: Mutex::default(),
            handle: Mutex::default(),
            done: Mutex::default(),
        }
    }

    /// The name under which the id for a field of this name is known: its own, or the end of it.
    pub fn kind_of(&self, field: &str) -> Option<String> {
        let wanted = plain(field);
        let ids = self.ids.lock().unwrap();
        let fits = |kind: &&String| wanted == **kind || wanted.ends_with(&format!("_{kind}"));
        ids.keys().filter(fits).max_by_key(|kind| kind.len()).cloned()
    }

    /// The id for a field of this name.
    pub fn find(&self, field: &str) -> Option<Uuid> {
        let kind = self.kind_of(field)?;
        self.ids.lock().unwrap().get(&kind).copied()
    }

    /// A secret of a link, once there is one.
    pub fn token(&self) -> Option<String> {
        self.token.lock().unwrap().clone()
    }

    /// A handle by which a customer is found, once there is one.
    pub fn handle(&self) -> Option<String> {
        self.handle.lock().unwrap().clone()
    }

    /// Every id that was made here and is no business of other branches.
    pub fn secrets(&self) -> BTreeSet<Uuid> {
        self.all.lock().unwrap().difference(&self.shared).copied().collect()
    }

    /// The names of the ids that are known.
    pub fn kinds(&self) -> Vec<String> {
        self.ids.lock().unwrap().keys().cloned().collect()
    }

    /// Fills the world as `caller`, who may do everything everywhere, until every id that a request of the contract
    /// requires is known.
    pub async fn fill(&self, caller: &Caller, methods: &[&MethodInfo], advance: &(dyn Fn() + Sync)) {
        let wanted = required(methods);
        assert_eventually(FILL_TIME, || async {
            // What goes out in the morning goes out, and what is due comes due.
            advance();
            let refused = self.round(caller, methods).await;
            self.look_for(&wanted, caller, methods).await;
            let missing: Vec<&String> = wanted.iter().filter(|kind| self.find(kind).is_none()).collect();
            if missing.is_empty() && self.token().is_some() && self.handle().is_some() {
                return Ok(());
            }
            Err(format!("no method made an id for {missing:?} in {}; refused:\n  {}", self.mark, refused.join("\n  ")))
        })
        .await;
    }

    /// Calls every method that makes something once. Gives those that were refused, and why.
    pub async fn round(&self, caller: &Caller, methods: &[&MethodInfo]) -> Vec<String> {
        let mut refused = Vec::new();
        for method in methods.iter().filter(|method| !method.read_only && !is_destructive(method)) {
            let name = method.descriptor.name();
            if self.done.lock().unwrap().contains(name) {
                continue;
            }
            let request = match (Request { world: self, instead: None, serial: serial() }).make(method) {
                Ok(request) => request,
                Err(missing) => {
                    refused.push(format!("{}: no {missing} yet", method.descriptor.name()));
                    continue;
                }
            };
            let answer = caller.call(method, &request).await;
            match &answer.message {
                Some(message) => {
                    self.harvest(message, &|_| true);
                    if wishes::is_once(name) {
                        self.done.lock().unwrap().insert(name.to_owned());
                    }
                }
                None => refused.push(format!("{}: {}", method.descriptor.name(), answer.brief())),
            }
        }
        refused
    }

    /// Looks for what was made by an event: in the lists that can be asked about this world.
    async fn look_for(&self, wanted: &BTreeSet<String>, caller: &Caller, methods: &[&MethodInfo]) {
        let is_missing = |field: &str| wanted.contains(&plain(field)) && self.find(field).is_none();
        if !wanted.iter().any(|kind| is_missing(kind)) {
            return;
        }
        for method in methods.iter().filter(|method| method.read_only && method.is_unary()) {
            let Ok(request) = (Request { world: self, instead: None, serial: serial() }).make(method) else { continue };
            if !references(method, self).is_empty()
                && let Some(message) = caller.call(method, &request).await.message
            {
                self.harvest(&message, &is_missing);
            }
        }
    }

    /// Keeps the ids of a message that are wanted: the first of each name stays.
    fn harvest(&self, message: &DynamicMessage, is_wanted: &dyn Fn(&str) -> bool) {
        for (field, value) in message.fields() {
            match value {
                Value::Message(inner) => self.harvest(inner, is_wanted),
                Value::List(items) => {
                    items.iter().filter_map(Value::as_message).for_each(|inner| self.harvest(inner, is_wanted));
                }
                Value::String(text) if field.name() == "token" && is_wanted("token") => {
                    self.token.lock().unwrap().get_or_insert_with(|| text.clone());
                }
                Value::String(text) if field.name() == "value" && message.descriptor().name() == "Identifier" => {
                    self.handle.lock().unwrap().get_or_insert_with(|| text.clone());
                }
                Value::String(text) if field.name().ends_with("_id") && is_wanted(field.name()) => {
                    if let Ok(id) = text.parse::<Uuid>() {
                        self.keep(field.name(), id);
                    }
                }
                _ => {}
            }
        }
    }

    fn keep(&self, field: &str, id: Uuid) {
        let kind = plain(field);
        // A field such as `home_branch_id` names what is known under a shorter name.
        let known = self.kind_of(field).unwrap_or(kind);
        if !is_business_wide(&known) {
            self.all.lock().unwrap().insert(id);
        }
        self.ids.lock().unwrap().entry(known).or_insert(id);
    }
}

/// Whether a method takes away what others need.
pub(super) fn is_destructive(method: &MethodInfo) -> bool {
    wishes::is_destructive(method.descriptor.name())
}

/// The names of the ids that some request requires.
fn required(methods: &[&MethodInfo]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for method in methods {
        for field in method.descriptor.input().fields() {
            let rule = field_rule(&field).unwrap_or_default();
            if rule.required && is_reference(&field, &rule) {
                found.insert(plain(field.name()));
            }
        }
    }
    found
}
