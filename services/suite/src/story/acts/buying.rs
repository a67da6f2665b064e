//! A visitor becomes a customer and buys; the points follow.

use anyhow::Context;
use client::request_id;
use proto::karibu::loyalty::v1 as loyalty;
use proto::karibu::profile::v1 as profile;
use proto::karibu::types::v1::{Channel, Money};
use proto::timestamp_from_us;

use super::{Branches, Telling, call, part};

impl Telling<'_> {
    pub(super) async fn meet_customer(&mut self, branches: &Branches) -> anyhow::Result<String> {
        self.narrator.act("A visitor becomes a customer");
        let request = profile::RecordVisitRequest {
            request_id: request_id(),
            branch_id: branches.kimironko.clone(),
            channel: Channel::InPerson.into(),
            touchpoint_code: "entrance".into(),
            ..Default::default()
        };
        let visit = call!(self, profile.record_visit, request, |_reply| "somebody looks around in Kimironko");
        let visitor = part!(visit, customer);
        let identifier = |kind: profile::IdentifierType, value: &str| profile::Identifier {
            r#type: kind.into(),
            value: value.into(),
            issuer: String::new(),
        };
        let request = profile::IdentifyCustomerRequest {
            request_id: request_id(),
            customer_id: visitor.customer_id.clone(),
            kind: profile::CustomerKind::Person.into(),
            preferred_name: "Keza Uwase".into(),
            identifiers: vec![identifier(profile::IdentifierType::Phone, "+250788000111")],
            locale: "rw".into(),
            ..Default::default()
        };
        call!(self, profile.identify_customer, request, |_reply| "the visitor is Keza Uwase");
        Ok(visitor.customer_id)
    }

    pub(super) async fn sell(&mut self, branches: &Branches, customer: &str) -> anyhow::Result<()> {
        self.narrator.act("Purchases are recorded and earn points");
        self.purchase(&branches.kimironko, customer, "RWF", "K-1001", &[("BREAD", 2, 1_200), ("COFFEE", 1, 6_500)])
            .await?;
        self.purchase(&branches.nyamirambo, customer, "RWF", "N-2001", &[("CAKE", 1, 15_000)]).await?;
        self.purchase(&branches.london, customer, "GBP", "L-3001", &[("TEA", 3, 450)]).await?;
        // 89 + 150 points in Kigali (RWF 100 each, rounded down by purchase), 135 in London.
        self.await_points(customer, 89 + 150 + 135).await?;
        Ok(())
    }

    async fn purchase(
        &mut self,
        branch: &str,
        customer: &str,
        currency: &str,
        receipt: &str,
        lines: &[(&str, i64, i64)],
    ) -> anyhow::Result<()> {
        let lines = lines.iter().map(|(sku, quantity, amount)| profile::PurchaseLine {
            sku: (*sku).into(),
            description: sku.to_lowercase(),
            quantity: *quantity,
            unit_amount_minor: *amount,
            earns: true,
            ..Default::default()
        });
        let now = jiff::Timestamp::now().as_microsecond();
        let purchase = profile::PurchaseInput {
            source_system: "till".into(),
            source_ref: receipt.into(),
            branch_id: branch.into(),
            customer: Some(profile::purchase_input::Customer::CustomerId(customer.into())),
            kind: profile::PurchaseKind::Sale.into(),
            occur_time: Some(timestamp_from_us(now)),
            currency_code: currency.into(),
            lines: lines.collect(),
            ..Default::default()
        };
        let request = profile::RecordPurchaseRequest { request_id: request_id(), purchase: Some(purchase) };
        call!(self, profile.record_purchase, request, |reply| {
            let total = reply.purchase.as_ref().and_then(|purchase| purchase.total.clone());
            format!("receipt {receipt}: {}", show(total))
        });
        Ok(())
    }

    pub(super) async fn await_points(&mut self, customer: &str, points: i64) -> anyhow::Result<loyalty::Account> {
        let client = self.client.loyalty();
        let request = loyalty::FindAccountRequest { customer_id: customer.into(), ..Default::default() };
        let account = self
            .until(&format!("{points} points"), || {
                let (mut client, request) = (client.clone(), request.clone());
                async move {
                    let account = client.find_account(request).await?.into_inner().account;
                    let has = |a: &loyalty::Account| a.balances.as_ref().is_some_and(|b| b.available == points);
                    Ok(account.filter(has))
                }
            })
            .await?;
        self.lines.add("loyalty.find_account", &account);
        self.narrator.call("loyalty.find_account", &format!("{points} points on card {}", account.card_number));
        Ok(account)
    }
}

fn show(money: Option<Money>) -> String {
    money
        .and_then(|m| Some(kernel::Money::new(m.currency_code.parse().ok()?, m.minor_units).to_string()))
        .unwrap_or_default()
}
