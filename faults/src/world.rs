//! What stands before the first fault: a business, a programme, an agent, and customers with accounts.

use std::time::Duration;

use anyhow::Context;
use client::{Karibu, patiently, request_id};
use proto::karibu::loyalty::v1 as loyalty;
use proto::karibu::organization::v1 as organization;
use proto::karibu::profile::v1 as profile;

/// How long a branch may take to be known everywhere.
const PATIENCE: Duration = Duration::from_secs(60);
/// Customers that all callers share.
const CUSTOMERS: usize = 24;

/// Where the callers do what they do.
#[derive(Clone, Debug)]
pub struct World {
    /// UUID of the branch.
    pub branch: String,
    /// UUID of the programme.
    pub program: String,
    /// UUID of the agent who owns the complaints.
    pub agent: String,
    /// UUIDs of the customers and of their accounts.
    pub customers: Vec<(String, String)>,
}

/// Calls a method again and again while its error passes.
macro_rules! call {
    ($karibu:expr, $service:ident.$method:ident, $request:expr) => {{
        let request = $request;
        patiently(PATIENCE, || {
            let (mut client, request) = ($karibu.$service(), request.clone());
            async move { client.$method(request).await }
        })
        .await
        .context(stringify!($method))?
        .into_inner()
    }};
}

impl World {
    /// Makes it.
    pub async fn make(karibu: &Karibu) -> anyhow::Result<Self> {
        let request = organization::CreateBranchRequest {
            request_id: request_id(),
            code: "KGL".into(),
            display_name: "Kimironko".into(),
            kind: organization::BranchKind::Business.into(),
            time_zone: "Africa/Kigali".into(),
            currency_code: "RWF".into(),
            ..Default::default()
        };
        let branch = call!(karibu, organization.create_branch, request).branch.context("no branch")?.branch_id;
        let request = organization::CreateStaffMemberRequest {
            request_id: request_id(),
            display_name: "Aline".into(),
            role_grants: vec![organization::RoleGrant {
                role: "agent".into(),
                all_branches: false,
                branch_ids: vec![branch.clone()],
            }],
            home_branch_id: branch.clone(),
        };
        let agent = call!(karibu, organization.create_staff_member, request).staff_member.context("no agent")?;
        let request = loyalty::CreateProgramRequest {
            request_id: request_id(),
            code: "CARD".into(),
            display_name: "Card".into(),
            unit_label: "points".into(),
            earn_rules: vec![loyalty::EarnRule {
                currency_code: "RWF".into(),
                points: 1,
                per_minor_units: crate::asks::PER_POINT,
            }],
            rounding: loyalty::Rounding::Floor.into(),
            return_policy: loyalty::ReturnPolicy::Debt.into(),
            auto_enrol: true,
            goodwill_max_points: 1_000,
            default_time_zone: "Africa/Kigali".into(),
            ..Default::default()
        };
        let program = call!(karibu, loyalty.create_program, request).program.context("no programme")?.program_id;
        let mut world = Self { branch, program, agent: agent.staff_member_id, customers: Vec::new() };
        for number in 0..CUSTOMERS {
            let customer = world.customer(karibu, number).await?;
            world.customers.push(customer);
        }
        Ok(world)
    }

    async fn customer(&self, karibu: &Karibu, number: usize) -> anyhow::Result<(String, String)> {
        let request = profile::CreateCustomerRequest {
            request_id: request_id(),
            kind: profile::CustomerKind::Person.into(),
            preferred_name: format!("Customer {number}"),
            locale: "rw".into(),
            home_branch_id: self.branch.clone(),
            ..Default::default()
        };
        let made = call!(karibu, profile.create_customer, request).customer.context("no customer")?;
        let request = loyalty::EnrolCustomerRequest {
            request_id: request_id(),
            program_id: self.program.clone(),
            customer_id: made.customer_id.clone(),
            home_branch_id: self.branch.clone(),
            ..Default::default()
        };
        let account = call!(karibu, loyalty.enrol_customer, request).account.context("no account")?;
        Ok((made.customer_id, account.account_id))
    }
}
