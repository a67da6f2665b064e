//! Which method needs what: the table from gRPC path to access rule. It is filled from the contract's descriptors,
//! so that this crate names no service.

use std::collections::HashMap;

use proto::Permission;

/// What a method asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Any caller with a valid internal token.
    Public,
    /// The permission with this number of the proto enum.
    Permission {
        /// Number in the proto enum.
        number: i32,
        /// Name in the proto enum.
        name: &'static str,
    },
    /// Karibu itself only.
    Internal,
}

/// One method.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Full path, such as `/karibu.ticketing.v1.TicketingService/OpenComplaint`.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    /// Whether request or reply is a stream.
    pub streaming: bool,
    /// Whether it changes nothing, so that no request key is needed.
    pub read_only: bool,
}

/// The rules of all methods by path. A method that is not in the table is refused.
#[derive(Clone, Debug, Default)]
pub struct Rules(HashMap<&'static str, Rule>);

impl Rules {
    /// The rules of every method of Karibu's contract.
    pub fn of_contract() -> Self {
        let access = |method: &proto::MethodInfo| match method.permission {
            Permission::Public => Access::Public,
            // A method without a rule is a defect of the contract, and allows nobody from outside.
            Permission::Internal | Permission::Unspecified => Access::Internal,
            needed => Access::Permission { number: needed.into(), name: needed.as_str_name() },
        };
        let rule = |method: &'static proto::MethodInfo| Rule {
            path: &method.path,
            access: access(method),
            streaming: !method.is_unary(),
            read_only: method.read_only,
        };
        proto::methods().iter().map(rule).collect()
    }

    /// The rule of the method with this path.
    pub fn find(&self, path: &str) -> Option<&Rule> {
        self.0.get(path)
    }
}

impl FromIterator<Rule> for Rules {
    fn from_iter<I: IntoIterator<Item = Rule>>(rules: I) -> Self {
        Self(rules.into_iter().map(|rule| (rule.path, rule)).collect())
    }
}
