//! Purchases: one row is one line of a receipt; rows of one receipt become one purchase, wherever they
//! stand in the file. (The whole file is held in memory for this.)

use std::collections::{BTreeMap, HashMap};

use anyhow::Context;
use client::{Karibu, patiently, request_id};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use proto::karibu::organization::v1::Branch;
use proto::karibu::profile::v1::{
    BatchRecordPurchasesRequest, Identifier, IdentifierType, PurchaseInput, PurchaseKind, PurchaseLine, purchase_input,
    purchase_result,
};
use proto::timestamp_from_us;

use super::mapping::{Mapping, PurchaseMapping};
use super::table::{Row, Table, minor_units};
use super::{PATIENCE, Report, Task, find_branch, send};

/// One receipt with the lines of the file that it came from.
struct Receipt {
    input: PurchaseInput,
    rows: Vec<u64>,
    customer: String,
}

/// Imports purchase lines.
pub async fn purchases(client: &Karibu, task: &Task) -> anyhow::Result<Report> {
    let branch = find_branch(client, &task.branch).await?;
    let mut report = Report::default();
    let (mapping, receipts) = read(task, &branch, &mut report)?;
    let progress = send::progress(task.progress, report.rows);
    progress.inc(report.refused.len() as u64);
    let batches = send::batches(receipts, |receipt| &receipt.input);
    let outcomes =
        send::all(batches, &progress, |receipt| receipt.rows.len() as u64, |batch| record(client, &mapping, batch))
            .await?;
    progress.finish_and_clear();
    for outcome in outcomes {
        outcome.add_to(&mut report);
    }
    report.refused.sort();
    Ok(report)
}

/// What came of one batch.
struct Outcome(Report);

impl Outcome {
    fn add_to(self, report: &mut Report) {
        report.taken += self.0.taken;
        report.stored += self.0.stored;
        report.already_there += self.0.already_there;
        report.customers_made += self.0.customers_made;
        report.refused.extend(self.0.refused);
    }
}

async fn record(client: &Karibu, mapping: &PurchaseMapping, batch: Vec<Receipt>) -> anyhow::Result<Outcome> {
    let purchases = batch.iter().map(|receipt| receipt.input.clone()).collect();
    let request = BatchRecordPurchasesRequest { request_id: request_id(), purchases };
    let client = client.profile();
    let reply = patiently(PATIENCE, || {
        let (mut client, request) = (client.clone(), request.clone());
        async move { client.batch_record_purchases(request).await }
    })
    .await
    .context("a batch of purchases was not taken")?
    .into_inner();
    let mut report = Report::default();
    for (receipt, result) in batch.iter().zip(reply.results) {
        match result.result {
            Some(purchase_result::Result::PurchaseId(_)) => {
                report.taken += receipt.rows.len() as u64;
                if result.already_recorded {
                    report.already_there += 1
                } else {
                    report.stored += 1
                }
                report.customers_made += u64::from(result.customer_created);
            }
            Some(purchase_result::Result::Error(error)) => {
                let column = mapping.column_at_fault(&error.field);
                for line in &receipt.rows {
                    report.refuse(*line, &column, format!("{}: {}", error.reason, error.message));
                }
            }
            None => anyhow::bail!("the answer leaves out receipt {}", receipt.input.source_ref),
        }
    }
    Ok(Outcome(report))
}

/// How values of this file are understood.
struct Reading {
    mapping: PurchaseMapping,
    places: BTreeMap<String, usize>,
    zone: TimeZone,
    currency: kernel::Currency,
    branch_id: String,
}

fn read(task: &Task, branch: &Branch, report: &mut Report) -> anyhow::Result<(PurchaseMapping, Vec<Receipt>)> {
    let mut table = Table::open(&task.file)?;
    let mapping = PurchaseMapping::choose(task.mapping.as_deref(), &task.columns, &table.header)?;
    let places = mapping.columns.iter().filter_map(|(field, column)| Some((field.clone(), table.place_of(column)?)));
    let zone = mapping.time_zone.as_deref().unwrap_or(&branch.time_zone);
    let currency = mapping.currency.as_deref().unwrap_or(&branch.currency_code);
    let reading = Reading {
        places: places.collect(),
        zone: TimeZone::get(zone).with_context(|| format!("{zone} is not a time zone"))?,
        currency: currency.parse().with_context(|| format!("{currency} is not a currency"))?,
        branch_id: branch.branch_id.clone(),
        mapping,
    };
    let mut receipts: BTreeMap<String, Receipt> = BTreeMap::new();
    let mut seen: HashMap<Vec<String>, u64> = HashMap::new();
    while let Some(row) = table.next()? {
        report.rows += 1;
        let row = match row {
            Ok(row) => row,
            Err((line, reason)) => {
                report.refuse(line, "", reason);
                continue;
            }
        };
        let content: Vec<String> = row.record.iter().map(str::to_owned).collect();
        if let Some(first) = seen.get(&content) {
            report.refuse(row.line, "", format!("the same as line {first}"));
            continue;
        }
        seen.insert(content, row.line);
        if let Err((field, reason)) = reading.take(&row, &mut receipts) {
            let column = reading.mapping.columns.get(field).map_or(field, String::as_str).to_owned();
            report.refuse(row.line, &column, reason);
        }
    }
    Ok((reading.mapping, receipts.into_values().collect()))
}

type Fault = (&'static str, String);

impl Reading {
    fn value<'a>(&self, row: &'a Row, field: &str) -> &'a str {
        self.places.get(field).and_then(|place| row.record.get(*place)).map_or("", str::trim)
    }

    /// Adds one row to its receipt, or says which field is at fault and why.
    fn take(&self, row: &Row, receipts: &mut BTreeMap<String, Receipt>) -> Result<(), Fault> {
        let reference = self.value(row, "receipt");
        if reference.is_empty() {
            return Err(("receipt", "is empty".to_owned()));
        }
        let is_return = self.mapping.return_prefix.as_deref().is_some_and(|prefix| reference.starts_with(prefix));
        let line = self.line(row, is_return)?;
        let occurred_at_us = self.time(row)?;
        let customer = self.value(row, "customer");
        let customer = customer.strip_suffix(".0").unwrap_or(customer);
        let receipt = receipts.entry(reference.to_owned()).or_insert_with(|| Receipt {
            input: self.purchase(reference, customer, is_return, occurred_at_us),
            rows: Vec::new(),
            customer: customer.to_owned(),
        });
        if receipt.customer != customer {
            return Err(("customer", format!("another customer than line {}", receipt.rows[0])));
        }
        receipt.input.lines.push(line);
        receipt.rows.push(row.line);
        Ok(())
    }

    fn line(&self, row: &Row, is_return: bool) -> Result<PurchaseLine, Fault> {
        let sku = self.value(row, "sku");
        if sku.is_empty() {
            return Err(("sku", "is empty".to_owned()));
        }
        let quantity = self.value(row, "quantity");
        let quantity: i64 =
            quantity.parse().map_err(|_| ("quantity", format!("{quantity:?} is not a whole number")))?;
        // A return is written with negative quantities; anything else negative is a correction of stock.
        let quantity = match (is_return, quantity) {
            (_, 0) => return Err(("quantity", "is zero".to_owned())),
            (true, 1..) => return Err(("quantity", "is positive on a return".to_owned())),
            (false, ..0) => return Err(("quantity", "is negative, and the receipt is not a return".to_owned())),
            (_, quantity) => quantity.abs(),
        };
        let price = minor_units(self.value(row, "unit_price"), self.currency.exponent())
            .map_err(|reason| ("unit_price", reason))?;
        if price < 0 {
            return Err(("unit_price", "is negative".to_owned()));
        }
        Ok(PurchaseLine {
            sku: sku.to_owned(),
            description: self.value(row, "description").to_owned(),
            category_code: self.value(row, "category").to_owned(),
            quantity,
            unit_amount_minor: price,
            earns: true,
        })
    }

    fn time(&self, row: &Row) -> Result<i64, Fault> {
        let text = self.value(row, "time");
        let local = DateTime::strptime(&self.mapping.time_format, text)
            .map_err(|_| ("time", format!("{text:?} is not a time written as {}", self.mapping.time_format)))?;
        let zoned = self.zone.to_zoned(local).map_err(|error| ("time", error.to_string()))?;
        Ok(zoned.timestamp().as_microsecond())
    }

    fn purchase(&self, reference: &str, customer: &str, is_return: bool, occurred_at_us: i64) -> PurchaseInput {
        let identifier = Identifier {
            r#type: IdentifierType::External.into(),
            value: customer.to_owned(),
            issuer: self.mapping.source_system.clone(),
        };
        let kind = if is_return { PurchaseKind::Return } else { PurchaseKind::Sale };
        PurchaseInput {
            source_system: self.mapping.source_system.clone(),
            source_ref: reference.to_owned(),
            branch_id: self.branch_id.clone(),
            customer: (!customer.is_empty()).then_some(purchase_input::Customer::Identifier(identifier)),
            create_customer_if_missing: true,
            kind: kind.into(),
            occur_time: Some(timestamp_from_us(occurred_at_us)),
            currency_code: self.currency.code().to_owned(),
            ..Default::default()
        }
    }
}
