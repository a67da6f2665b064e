//! Historical complaints: one row is one case, with the answer that it got.

use std::collections::{BTreeMap, HashMap};

use anyhow::Context;
use client::{Karibu, patiently, request_id};
use jiff::civil::Date;
use proto::karibu::ticketing::v1::{
    CompanyResponse, ComplaintImport, HistoricalCase, ImportComplaintsRequest, Ternary, complaint_import_result,
};
use proto::karibu::types::v1::{Channel, LocalDate};
use sha2::{Digest, Sha256};

use super::mapping::{ComplaintMapping, Mapping};
use super::table::{Row, Table};
use super::{PATIENCE, Report, Task, find_branch, send};

/// One case with the line of the file that it came from.
struct Case {
    input: ComplaintImport,
    line: u64,
}

/// Imports historical complaints.
pub async fn complaints(client: &Karibu, task: &Task) -> anyhow::Result<Report> {
    let branch = find_branch(client, &task.branch).await?;
    let mut report = Report::default();
    let (mapping, cases) = read(task, &branch.branch_id, &mut report)?;
    let progress = send::progress(task.progress, report.rows);
    progress.inc(report.refused.len() as u64);
    let batches = send::batches(cases, |case| &case.input);
    let outcomes = send::all(batches, &progress, |_| 1, |batch| import(client, &mapping, batch)).await?;
    progress.finish_and_clear();
    for outcome in outcomes {
        report.taken += outcome.taken;
        report.stored += outcome.stored;
        report.already_there += outcome.already_there;
        report.refused.extend(outcome.refused);
    }
    report.refused.sort();
    Ok(report)
}

async fn import(client: &Karibu, mapping: &ComplaintMapping, batch: Vec<Case>) -> anyhow::Result<Report> {
    let complaints = batch.iter().map(|case| case.input.clone()).collect();
    let request = ImportComplaintsRequest { request_id: request_id(), complaints };
    let client = client.ticketing();
    let reply = patiently(PATIENCE, || {
        let (mut client, request) = (client.clone(), request.clone());
        async move { client.import_complaints(request).await }
    })
    .await
    .context("a batch of complaints was not taken")?
    .into_inner();
    let mut report = Report::default();
    for (case, result) in batch.iter().zip(reply.results) {
        match result.result {
            Some(complaint_import_result::Result::ComplaintId(_)) => {
                report.taken += 1;
                if result.already_imported { report.already_there += 1 } else { report.stored += 1 }
            }
            Some(complaint_import_result::Result::Error(error)) => {
                let column = mapping.column_at_fault(&error.field);
                report.refuse(case.line, &column, format!("{}: {}", error.reason, error.message));
            }
            None => anyhow::bail!("the answer leaves out line {}", case.line),
        }
    }
    Ok(report)
}

/// How values of this file are understood.
struct Reading {
    mapping: ComplaintMapping,
    places: BTreeMap<String, usize>,
    branch_id: String,
}

fn read(task: &Task, branch_id: &str, report: &mut Report) -> anyhow::Result<(ComplaintMapping, Vec<Case>)> {
    let mut table = Table::open(&task.file)?;
    let mapping = ComplaintMapping::choose(task.mapping.as_deref(), &task.columns, &table.header)?;
    let places = mapping.columns.iter().filter_map(|(field, column)| Some((field.clone(), table.place_of(column)?)));
    let reading = Reading { places: places.collect(), branch_id: branch_id.to_owned(), mapping };
    let mut cases = Vec::new();
    let mut alike: HashMap<Vec<String>, u32> = HashMap::new();
    while let Some(row) = table.next()? {
        report.rows += 1;
        match row {
            Err((line, reason)) => report.refuse(line, "", reason),
            Ok(row) => {
                let content: Vec<String> = row.record.iter().map(str::to_owned).collect();
                let place = alike.entry(content.clone()).or_default();
                *place += 1;
                match reading.case(&row, &content, *place) {
                    Ok(input) => cases.push(Case { input, line: row.line }),
                    Err((field, reason)) => {
                        let column = reading.mapping.columns.get(field).map_or(field, String::as_str).to_owned();
                        report.refuse(row.line, &column, reason);
                    }
                }
            }
        }
    }
    Ok((reading.mapping, cases))
}

type Fault = (&'static str, String);

impl Reading {
    fn value<'a>(&self, row: &'a Row, field: &str) -> &'a str {
        self.places.get(field).and_then(|place| row.record.get(*place)).map_or("", str::trim)
    }

    fn needed<'a>(&self, row: &'a Row, field: &'static str) -> Result<&'a str, Fault> {
        let value = self.value(row, field);
        if value.is_empty() { Err((field, "is empty".to_owned())) } else { Ok(value) }
    }

    fn case(&self, row: &Row, content: &[String], place: u32) -> Result<ComplaintImport, Fault> {
        let source_ref = match self.value(row, "reference") {
            "" => reference_of(content, place),
            reference => reference.to_owned(),
        };
        let text = |field| self.value(row, field).to_owned();
        let case = HistoricalCase {
            source_system: self.mapping.source_system.clone(),
            source_ref,
            product: self.needed(row, "product")?.to_owned(),
            sub_product: text("sub_product"),
            issue: self.needed(row, "issue")?.to_owned(),
            sub_issue: text("sub_issue"),
            organization: text("organization"),
            region: text("region"),
            channel: channel(self.value(row, "channel")).map_err(|reason| ("channel", reason))?.into(),
            company_response: response(self.needed(row, "response")?).map_err(|reason| ("response", reason))?.into(),
            timely: yes_or_no(self.value(row, "timely")).map_err(|reason| ("timely", reason))?.into(),
            disputed: yes_or_no(self.value(row, "disputed")).map_err(|reason| ("disputed", reason))?.into(),
            receive_date: Some(self.date("received", self.needed(row, "received")?)?),
            send_date: match self.value(row, "sent") {
                "" => None,
                sent => Some(self.date("sent", sent)?),
            },
        };
        Ok(ComplaintImport {
            branch_id: self.branch_id.clone(),
            customer_id: String::new(),
            historical_case: Some(case),
        })
    }

    fn date(&self, field: &'static str, text: &str) -> Result<LocalDate, Fault> {
        let date = Date::strptime(&self.mapping.date_format, text)
            .map_err(|_| (field, format!("{text:?} is not a date written as {}", self.mapping.date_format)))?;
        Ok(LocalDate { year: date.year().into(), month: date.month().into(), day: date.day().into() })
    }
}

/// A name for a row without one: the hash of its values, and its place among rows with the same values.
/// It is the same at every run of the same file.
fn reference_of(content: &[String], place: u32) -> String {
    let mut hash = Sha256::new();
    for value in content {
        hash.update((value.len() as u64).to_be_bytes());
        hash.update(value);
    }
    let half: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{half}-{place}")
}

fn channel(text: &str) -> Result<Channel, String> {
    Ok(match text.to_lowercase().as_str() {
        "" => Channel::Unspecified,
        "web" => Channel::Web,
        "phone" => Channel::Phone,
        "referral" => Channel::Referral,
        "postal mail" | "post" | "mail" => Channel::Post,
        "fax" => Channel::Fax,
        "email" | "e-mail" => Channel::Email,
        "in person" | "counter" => Channel::InPerson,
        _ => return Err(format!("{text:?} is not a known channel")),
    })
}

fn response(text: &str) -> Result<CompanyResponse, String> {
    Ok(match text.to_lowercase().as_str() {
        "closed with explanation" => CompanyResponse::ClosedWithExplanation,
        "closed with monetary relief" => CompanyResponse::ClosedWithMonetaryRelief,
        "closed with non-monetary relief" => CompanyResponse::ClosedWithNonMonetaryRelief,
        "closed" => CompanyResponse::Closed,
        "untimely response" => CompanyResponse::Untimely,
        "in progress" => CompanyResponse::InProgress,
        _ => return Err(format!("{text:?} is not a known response")),
    })
}

fn yes_or_no(text: &str) -> Result<Ternary, String> {
    match text.to_lowercase().as_str() {
        "" | "n/a" => Ok(Ternary::Unspecified),
        "yes" => Ok(Ternary::Yes),
        "no" => Ok(Ternary::No),
        _ => Err(format!("{text:?} is neither Yes nor No")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_rows_have_references_of_their_own_that_stay() {
        let row = ["a".to_owned(), "b".to_owned()];
        assert_eq!(reference_of(&row, 1), reference_of(&row, 1));
        assert_ne!(reference_of(&row, 1), reference_of(&row, 2));
        assert_ne!(reference_of(&row, 1), reference_of(&["ab".to_owned(), String::new()], 1));
    }
}
