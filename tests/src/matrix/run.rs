//! The run: two worlds are filled, every role gets a key for one of them, and every cell of the matrix is called.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use client::request_id;
use prost_reflect::DynamicMessage;
use proto::karibu::organization::v1 as org;
use proto::{MethodInfo, Permission};
use tonic::Code;
use uuid::Uuid;

use super::call::{Answer, Caller};
use super::leak::{essence, find_leaks, without_ids};
use super::request::{HANDLE, Request, references};
use super::seed::{World, is_destructive, serial};
use super::table;
use super::wishes::is_business_wide;
use crate::Place;

/// The mark in every text of the foreign world.
const FOREIGN_MARK: &str = "zqforeign";
/// The mark in every text of the own world.
const OWN_MARK: &str = "zqown";

/// Both worlds and those who call.
pub struct Matrix {
    methods: Vec<&'static MethodInfo>,
    own: World,
    foreign: World,
    admin: Caller,
    nobody: Caller,
    roles: Vec<(&'static str, Caller)>,
}

/// What was called and what came of it.
#[derive(Debug, Default)]
pub struct Summary {
    /// Methods of the contract.
    pub methods: usize,
    /// Callers: the roles, nobody, and a false key.
    pub callers: usize,
    /// Calls by kind of cell.
    pub cells: BTreeMap<&'static str, usize>,
    /// Cells that came out otherwise than they must.
    pub failures: Vec<String>,
    /// Own calls by the outcome.
    pub outcomes: BTreeMap<String, usize>,
}

impl Summary {
    fn count(&mut self, cell: &'static str) {
        *self.cells.entry(cell).or_default() += 1;
    }

    fn fail(&mut self, method: &MethodInfo, caller: &Caller, what: impl AsRef<str>) {
        self.failures.push(format!("{} as {}: {}", method.descriptor.name(), caller.name, what.as_ref()));
    }

    /// The whole number of calls.
    pub fn size(&self) -> usize {
        self.cells.values().sum()
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = format!(
            "security matrix: {} methods x {} callers, {} calls, {} failed\n",
            self.methods,
            self.callers,
            self.size(),
            self.failures.len()
        );
        for (cell, count) in &self.cells {
            let _ = writeln!(text, "  {count:6}  {cell}");
        }
        text.push_str("own branch, permission held, by outcome:\n");
        for (outcome, count) in &self.outcomes {
            let _ = writeln!(text, "  {count:6}  {outcome}");
        }
        f.write_str(&text)
    }
}

impl Matrix {
    /// Two regions with a branch each, both full, and a key of every role for the first branch.
    pub async fn set_up(place: &Place) -> Self {
        let admin = Caller::connect("administrator of all", &place.address, Some(&place.key)).await;
        let client = place.client().await;
        let business = branch(&client, "BIZ", "", org::BranchKind::Business).await;
        let mut branches = Vec::new();
        for name in ["OWN", "FOREIGN"] {
            let region = branch(&client, &format!("R-{name}"), &business, org::BranchKind::Region).await;
            branches.push((region.clone(), branch(&client, name, &region, org::BranchKind::Branch).await));
        }
        // Who fills both worlds stands in both: as the actor of what was done.
        let keys = client.organization().list_api_keys(org::ListApiKeysRequest::default()).await.unwrap().into_inner();
        let actors = keys.api_keys.iter().map(|key| key.api_key_id.parse().unwrap());
        let shared: Vec<Uuid> = actors.chain([business.parse().unwrap()]).collect();
        let world = |mark: &str, index: usize| World::new(mark, branches[index].1.parse().unwrap(), &shared);
        let (own, foreign) = (world(OWN_MARK, 0), world(FOREIGN_MARK, 1));
        let methods: Vec<&MethodInfo> = proto::methods().iter().filter(|method| !method.is_internal()).collect();
        let clock = place.advance.clone();
        let advance = move || clock(3 * kernel::HOUR_US).unwrap();
        own.fill(&admin, &methods, &advance).await;
        foreign.fill(&admin, &methods, &advance).await;

        let mut roles = Vec::new();
        for role in table::roles() {
            let request = org::CreateApiKeyRequest {
                request_id: request_id(),
                display_name: format!("matrix {role}"),
                roles: vec![role.clone()],
                branch_ids: vec![branches[0].1.clone()],
                ..Default::default()
            };
            let key = client.organization().create_api_key(request).await.unwrap().into_inner().secret;
            roles.push((role.as_str(), admin.with_key(role, Some(&key))));
        }
        let nobody = admin.with_key("nobody", None);
        let methods = proto::methods().iter().collect();
        Self { methods, own, foreign, admin, nobody, roles }
    }

    /// Calls every cell.
    pub async fn run(&self) -> Summary {
        let mut summary = Summary { methods: self.methods.len(), callers: self.roles.len() + 2, ..Summary::default() };
        self.strangers(&mut summary).await;
        for method in &self.methods {
            for (role, caller) in &self.roles {
                self.foreign_cells(method, role, caller, &mut summary).await;
            }
        }
        self.tokens(&mut summary).await;
        self.interference(&mut summary).await;
        // Last, since these change things; and what takes away comes at the very end.
        for destructive in [false, true] {
            for method in self.methods.iter().filter(|method| is_destructive(method) == destructive) {
                for (role, caller) in &self.roles {
                    self.own_cell(method, role, caller, &mut summary).await;
                }
            }
        }
        summary
    }

    fn request(&self, method: &MethodInfo, instead: Option<(&str, &str)>) -> DynamicMessage {
        let request = Request { world: &self.own, instead, serial: serial() }.make(method);
        request.unwrap_or_else(|missing| panic!("{}: nothing made an id for {missing}", method.path))
    }

    /// Callers without a credential, and with one that nobody gave out.
    async fn strangers(&self, summary: &mut Summary) {
        let forged = self.admin.with_key("a false key", Some("kb_live_0000000000000000000000_forged_00000000"));
        for method in &self.methods {
            let request = self.request(method, None);
            for caller in [&self.nobody, &forged] {
                let answer = caller.call(method, &request).await;
                let fits = match method.permission {
                    Permission::Public => answer.code != Code::Unauthenticated && !answer.lacks_permission(),
                    Permission::Internal | Permission::Unspecified => is_closed(&answer),
                    _ => answer.code == Code::Unauthenticated,
                };
                summary.count("without a valid credential");
                if !fits {
                    summary.fail(method, caller, format!("answered {:?} {}", answer.code, answer.said));
                }
            }
        }
    }

    /// Whether the role may call the method at all.
    fn may(role: &str, method: &MethodInfo) -> bool {
        let decided = table::holds(role, method.permission);
        decided.unwrap_or_else(|| panic!("nobody has decided who holds {:?}: see table.rs", method.permission))
    }

    /// A record of a foreign branch must answer like one that does not exist, wherever it is named in the request.
    async fn foreign_cells(&self, method: &MethodInfo, role: &str, caller: &Caller, summary: &mut Summary) {
        if method.is_internal() || method.is_public() || !Self::may(role, method) {
            return;
        }
        for reference in references(method, &self.own) {
            let foreign = match reference.kind.as_str() {
                kind if is_business_wide(kind) => continue,
                HANDLE if !method.read_only => continue,
                HANDLE => self.foreign.handle().unwrap_or_default(),
                kind => match self.foreign.find(kind) {
                    Some(id) => id.to_string(),
                    None => continue,
                },
            };
            let nobodys = match reference.kind.as_str() {
                HANDLE => format!("nobody{}@example.org", serial()),
                _ => Uuid::now_v7().to_string(),
            };
            let path = reference.path.as_str();
            let before = caller.call(method, &self.request(method, Some((path, &nobodys)))).await;
            let got = caller.call(method, &self.request(method, Some((path, &foreign)))).await;
            let after = caller.call(method, &self.request(method, Some((path, &nobodys)))).await;
            summary.count("foreign id against an id of nobody");
            // The state may move between two calls; one of the two must be like it.
            if !alike(method, &got, &before) && !alike(method, &got, &after) {
                summary.fail(
                    method,
                    caller,
                    format!(
                        "a foreign {path} answers {:?} {} {}\n    an unknown one {:?} {} {}",
                        got.code,
                        got.said,
                        got.message.as_ref().map(essence).unwrap_or_default(),
                        before.code,
                        before.said,
                        before.message.as_ref().map(essence).unwrap_or_default()
                    ),
                );
            }
            self.check_leaks(method, caller, &got, summary);
        }
    }

    fn check_leaks(&self, method: &MethodInfo, caller: &Caller, answer: &Answer, summary: &mut Summary) {
        if answer.said.contains(FOREIGN_MARK) {
            summary.fail(method, caller, format!("the error tells of a foreign branch: {}", answer.said));
        }
        let Some(message) = &answer.message else { return };
        let leaks = find_leaks(message, FOREIGN_MARK, &self.foreign.secrets());
        if !leaks.is_empty() {
            let some: Vec<&String> = leaks.iter().take(3).collect();
            summary.fail(method, caller, format!("{} foreign values, such as {some:?}", leaks.len()));
        }
    }

    /// Within the own branch a role gets through exactly when it holds the permission, and sees nothing foreign.
    async fn own_cell(&self, method: &MethodInfo, role: &str, caller: &Caller, summary: &mut Summary) {
        let answer = caller.call(method, &self.request(method, None)).await;
        self.check_leaks(method, caller, &answer, summary);
        let said = || format!("answered {:?} {}", answer.code, answer.said);
        if method.is_internal() {
            summary.count("internal method");
            if !is_closed(&answer) {
                summary.fail(method, caller, said());
            }
            return;
        }
        if !method.is_public() && !Self::may(role, method) {
            summary.count("permission not held");
            if !answer.lacks_permission() {
                summary.fail(method, caller, said());
            }
            return;
        }
        summary.count("own branch, permission held");
        *summary.outcomes.entry(format!("{:?} {}", answer.code, answer.reason)).or_default() += 1;
        let broken = matches!(
            answer.code,
            Code::Unauthenticated | Code::Internal | Code::Unknown | Code::Unimplemented | Code::DataLoss
        );
        // The administrator comes first: for that role the record is there, so that the call proves something.
        let vain = role == table::roles()[0]
            && (matches!(answer.code, Code::InvalidArgument)
                || answer.code == Code::NotFound && !finds_nothing(method));
        if broken || vain || answer.lacks_permission() {
            summary.fail(method, caller, said());
        }
    }

    /// A page token is of use only to whom it was given, and only as it was given.
    async fn tokens(&self, summary: &mut Summary) {
        for method in self.methods.iter().filter(|method| !method.is_internal() && !method.is_public()) {
            let input = method.descriptor.input();
            let Some(field) = input.get_field_by_name("page_token") else { continue };
            let mut request = DynamicMessage::new(input);
            if let Some(size) = request.descriptor_field("page_size") {
                request.set_field(&size, prost_reflect::Value::I32(1));
            }
            for reference in references(method, &self.own).iter().filter(|reference| !reference.path.contains('.')) {
                let is_required = request
                    .descriptor_field(&reference.path)
                    .is_some_and(|field| proto::options::field_rule(&field).is_some_and(|rule| rule.required));
                if let Some(id) = self.own.find(&reference.kind).filter(|_| is_required) {
                    request.set_field_by_name(&reference.path, prost_reflect::Value::String(id.to_string()));
                }
            }
            let answer = self.admin.call(method, &request).await;
            let token = answer.message.as_ref().and_then(|message| {
                message.get_field_by_name("next_page_token").and_then(|token| token.as_str().map(str::to_owned))
            });
            let Some(token) = token.filter(|token| !token.is_empty()) else { continue };
            let mut other = token.clone().into_bytes();
            let middle = other.len() / 2;
            other[middle] = if other[middle] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(other).unwrap();
            let (_, scoped) = &self.roles[0];
            for (caller, token, what) in
                [(scoped, &token, "of another scope"), (&self.admin, &forged, "that was changed")]
            {
                request.set_field(&field, prost_reflect::Value::String(token.clone()));
                let answer = caller.call(method, &request).await;
                summary.count("page token of another scope, or changed");
                // A place in the logs says where, never what its holder may see.
                if answer.code == Code::Ok
                    && what == "of another scope"
                    && method.grpc_service.ends_with("EventService")
                {
                    self.check_leaks(method, caller, &answer, summary);
                    continue;
                }
                if answer.code != Code::InvalidArgument {
                    summary.fail(
                        method,
                        caller,
                        format!("took a page token {what}: {:?} {}", answer.code, answer.said),
                    );
                }
            }
        }
    }

    /// What happens in a foreign branch changes nothing that a caller of another branch reads: no item, no count.
    async fn interference(&self, summary: &mut Summary) {
        let reading: Vec<&MethodInfo> = self
            .methods
            .iter()
            .copied()
            .filter(|method| method.read_only && method.is_unary() && !method.is_internal() && !method.is_public())
            .collect();
        let before = testkit::assert_eventually(std::time::Duration::from_secs(30), || async {
            let (first, second) = (self.read_all(&reading).await, self.read_all(&reading).await);
            if first == second { Ok(first) } else { Err("the own branch does not come to rest".to_owned()) }
        })
        .await;
        let makers: Vec<&MethodInfo> = self.methods.iter().copied().filter(|method| !method.is_internal()).collect();
        self.foreign.round(&self.admin, &makers).await;
        let after = self.read_all(&reading).await;
        for ((method, was), (_, is)) in before.iter().zip(&after) {
            summary.count("reads before and after changes elsewhere");
            if was != is {
                let method = reading.iter().find(|known| known.path == **method).unwrap();
                summary.fail(method, &self.roles[0].1, format!("a change elsewhere shows:\n{was}\n    became\n{is}"));
            }
        }
    }

    /// What the administrator of the own branch reads, with and without filters.
    async fn read_all<'a>(&self, reading: &[&'a MethodInfo]) -> Vec<(&'a str, String)> {
        let (_, caller) = &self.roles[0];
        let mut read = Vec::new();
        for method in reading {
            for filtered in [true, false] {
                let request =
                    if filtered { self.request(method, None) } else { DynamicMessage::new(method.descriptor.input()) };
                let answer = caller.call(method, &request).await;
                let text =
                    answer.message.as_ref().map_or_else(|| format!("{:?} {}", answer.code, answer.reason), essence);
                read.push((method.path.as_str(), text));
            }
        }
        read
    }

    /// What the roles of the service hold, as far as it differs from the table.
    pub async fn differences(&self, place: &Place) -> Vec<String> {
        let roles = place.client().await.organization().list_roles(org::ListRolesRequest::default()).await.unwrap();
        let mut found = Vec::new();
        for role in roles.into_inner().roles {
            let mut held = role.permissions.clone();
            held.sort_unstable();
            let decided = table::permissions_of(&role.role);
            if table::roles().contains(&role.role) && held != decided {
                found.push(format!("{} holds {held:?}, decided were {decided:?}", role.role));
            }
        }
        found
    }
}

/// Whether the answer is that of a method that is not there for anybody.
fn is_closed(answer: &Answer) -> bool {
    matches!(answer.code, Code::Unimplemented | Code::NotFound | Code::PermissionDenied | Code::Unauthenticated)
}

/// Methods on records that a healthy suite does not have.
fn finds_nothing(method: &MethodInfo) -> bool {
    method.grpc_service.ends_with("DeadLetterService")
}

/// Whether two answers tell the same.
fn alike(method: &MethodInfo, one: &Answer, other: &Answer) -> bool {
    if one.code != other.code || without_ids(&one.said) != without_ids(&other.said) {
        return false;
    }
    match (&one.message, &other.message) {
        (Some(one), Some(other)) if method.read_only => essence(one) == essence(other),
        _ => true,
    }
}

trait Described {
    fn descriptor_field(&self, name: &str) -> Option<prost_reflect::FieldDescriptor>;
}

impl Described for DynamicMessage {
    fn descriptor_field(&self, name: &str) -> Option<prost_reflect::FieldDescriptor> {
        prost_reflect::ReflectMessage::descriptor(self).get_field_by_name(name)
    }
}

async fn branch(client: &client::Karibu, code: &str, parent: &str, kind: org::BranchKind) -> String {
    let request = org::CreateBranchRequest {
        request_id: request_id(),
        code: code.to_owned(),
        display_name: code.to_owned(),
        parent_branch_id: parent.to_owned(),
        kind: kind.into(),
        time_zone: "Africa/Kigali".to_owned(),
        currency_code: "RWF".to_owned(),
        locale: "en".to_owned(),
    };
    client.organization().create_branch(request).await.unwrap().into_inner().branch.unwrap().branch_id
}
