//! The real files go in through the gateway, and the totals agree with a count made here from the CSV
//! itself, by other code than the import's.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

use karibu::import::{Report, Task, complaints, purchases};
use karibu_tests::{embedded, real_data};
use proto::karibu::organization::v1::{BranchKind, CreateBranchRequest};
use proto::karibu::profile::v1::GetPurchaseStatisticsRequest;
use proto::karibu::ticketing::v1::GetComplaintStatisticsRequest;
use proto::karibu::types::v1::KeyCount;

async fn branch(client: &client::Karibu, code: &str, currency: &str) {
    let request = CreateBranchRequest {
        request_id: client::request_id(),
        code: code.into(),
        display_name: code.into(),
        kind: BranchKind::Business.into(),
        time_zone: "Europe/London".into(),
        currency_code: currency.into(),
        ..Default::default()
    };
    client.organization().create_branch(request).await.unwrap();
}

fn task(file: &Path, branch: &str) -> Task {
    Task { file: file.to_owned(), mapping: None, columns: Vec::new(), branch: branch.to_owned(), progress: false }
}

/// What the CSV of purchases holds, counted by hand. Amounts are pence.
#[derive(Debug, Default, PartialEq)]
struct Counted {
    rows: u64,
    refused: u64,
    sales: HashSet<String>,
    returns: HashSet<String>,
    lines: u64,
    customers: BTreeSet<String>,
    sale_pence: i64,
    return_pence: i64,
}

fn count_purchases(file: &Path) -> Counted {
    let mut counted = Counted::default();
    let mut seen = HashSet::new();
    for row in csv::Reader::from_path(file).unwrap().into_records() {
        let row = row.unwrap();
        counted.rows += 1;
        let repeated = !seen.insert(row.iter().map(str::to_owned).collect::<Vec<_>>());
        let (invoice, quantity): (&str, i64) = (&row[0], row[3].parse().unwrap());
        let cancelled = invoice.starts_with('C');
        if repeated || (quantity < 0) != cancelled {
            counted.refused += 1;
            continue;
        }
        let price: f64 = row[5].parse().unwrap();
        let pence = (price * 100.0).round() as i64 * quantity;
        counted.lines += 1;
        if cancelled {
            counted.returns.insert(invoice.to_owned());
            counted.return_pence -= pence;
        } else {
            counted.sales.insert(invoice.to_owned());
            counted.sale_pence += pence;
        }
        if !row[6].is_empty() {
            counted.customers.insert(row[6].to_owned());
        }
    }
    counted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_real_purchases_go_in_once_and_the_totals_agree() {
    let file = real_data("online_retail.csv");
    let counted = count_purchases(&file);
    let place = embedded().await;
    let client = place.client().await;
    branch(&client, "WEB", "GBP").await;
    let report = purchases(&client, &task(&file, "WEB")).await.unwrap();
    let receipts = (counted.sales.len() + counted.returns.len()) as u64;
    assert_eq!((report.rows, report.taken), (counted.rows, counted.rows - counted.refused), "{:?}", report.refused);
    assert_eq!(report.refused.len() as u64, counted.refused);
    assert!(report.refused.iter().all(|row| row.line > 1 && !row.reason.is_empty()), "line, column and reason");
    assert_eq!((report.stored, report.already_there), (receipts, 0));
    assert_eq!(report.customers_made, counted.customers.len() as u64);

    let request = GetPurchaseStatisticsRequest { source_system: "online-retail".into(), ..Default::default() };
    let statistics =
        client.profile().get_purchase_statistics(request.clone()).await.unwrap().into_inner().statistics.unwrap();
    assert_eq!(statistics.sale_count as usize, counted.sales.len());
    assert_eq!(statistics.return_count as usize, counted.returns.len());
    assert_eq!(statistics.line_count as u64, counted.lines);
    assert_eq!(statistics.customer_count as usize, counted.customers.len());
    let pence = |totals: &[proto::karibu::types::v1::Money]| {
        totals.iter().map(|m| (m.currency_code.clone(), m.minor_units)).collect::<Vec<_>>()
    };
    assert_eq!(pence(&statistics.sale_totals), [("GBP".to_owned(), counted.sale_pence)]);
    assert_eq!(pence(&statistics.return_totals), [("GBP".to_owned(), counted.return_pence)]);

    let again = purchases(&client, &task(&file, "WEB")).await.unwrap();
    assert_eq!((again.stored, again.already_there, again.customers_made), (0, receipts, 0));
    assert_eq!(again.refused, report.refused);
    let after = client.profile().get_purchase_statistics(request).await.unwrap().into_inner().statistics.unwrap();
    assert_eq!(after, statistics, "a second run changes nothing");
}

/// A date written as 7/29/2013, so that it can be compared.
fn day(text: &str) -> (u16, u16, u16) {
    let parts: Vec<u16> = text.split('/').map(|part| part.parse().unwrap()).collect();
    (parts[2], parts[0], parts[1])
}

/// The complaints that make sense: none can be sent on before it was received. And how many do not.
fn sound_complaints(file: &Path) -> (Vec<csv::StringRecord>, u64) {
    let rows: Vec<_> = csv::Reader::from_path(file).unwrap().into_records().map(Result::unwrap).collect();
    let count = rows.len();
    let sound: Vec<_> = rows.into_iter().filter(|row| day(&row[10]) >= day(&row[0])).collect();
    let refused = count - sound.len();
    (sound, refused as u64)
}

fn tally(rows: &[csv::StringRecord], column: usize) -> BTreeMap<String, i64> {
    let mut tally = BTreeMap::new();
    for row in rows {
        *tally.entry(row[column].to_owned()).or_default() += 1;
    }
    tally
}

fn counts(values: &[KeyCount]) -> BTreeMap<String, i64> {
    values.iter().map(|value| (value.key.clone(), value.count)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_real_complaints_go_in_once_and_the_totals_agree() {
    let file = real_data("consumer_complaints.csv");
    let place = embedded().await;
    let client = place.client().await;
    branch(&client, "BANK", "USD").await;
    let report = complaints(&client, &task(&file, "BANK")).await.unwrap();
    let (sound, refused) = sound_complaints(&file);
    let rows = sound.len() as u64;
    let Report { rows: read, taken, stored, already_there, .. } = report;
    assert_eq!((read, taken, stored, already_there), (rows + refused, rows, rows, 0), "{:?}", report.refused);
    assert_eq!(report.refused.len() as u64, refused);
    assert!(report.refused.iter().all(|row| row.column == "Date sent to company"), "{:?}", report.refused);

    let request = GetComplaintStatisticsRequest { source_system: "cfpb".into(), ..Default::default() };
    let statistics =
        client.ticketing().get_complaint_statistics(request.clone()).await.unwrap().into_inner().statistics.unwrap();
    assert_eq!(statistics.total_count as u64, rows);
    assert_eq!(counts(&statistics.by_product), tally(&sound, 1));
    let sums = |values: &[KeyCount]| {
        let mut sums: Vec<i64> = values.iter().map(|value| value.count).collect();
        sums.sort_unstable();
        sums
    };
    let sorted = |tally: BTreeMap<String, i64>| {
        let mut sums: Vec<i64> = tally.into_values().collect();
        sums.sort_unstable();
        sums
    };
    assert_eq!(
        sums(&statistics.by_company_response),
        sorted(tally(&sound, 11)),
        "{:?}",
        statistics.by_company_response
    );
    assert_eq!(sums(&statistics.by_timely), sorted(tally(&sound, 12)), "{:?}", statistics.by_timely);
    assert_eq!(sums(&statistics.by_disputed), sorted(tally(&sound, 13)), "{:?}", statistics.by_disputed);
    assert_eq!(sums(&statistics.by_channel), sorted(tally(&sound, 9)), "{:?}", statistics.by_channel);

    let again = complaints(&client, &task(&file, "BANK")).await.unwrap();
    assert_eq!((again.stored, again.already_there), (0, rows));
    let after = client.ticketing().get_complaint_statistics(request).await.unwrap().into_inner().statistics.unwrap();
    assert_eq!(after, statistics, "a second run changes nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dirty_rows_are_refused_with_line_column_and_reason_and_the_rest_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dirty.csv");
    let rows = [
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country",
        "1,A,good,2,2011-10-06 16:20:00,1.50,7,UK",
        "1,A,good,2,2011-10-06 16:20:00,1.50,7,UK",
        "2,A,no number,two,2011-10-06 16:20:00,1.50,7,UK",
        "3,A,no time,1,yesterday,1.50,7,UK",
        "4,A,too fine,1,2011-10-06 16:20:00,1.505,7,UK",
        "5,A,stock correction,-3,2011-10-06 16:20:00,0,,UK",
        "6,A,too short,1",
        "1,B,another customer,1,2011-10-06 16:20:00,1.50,8,UK",
        ",B,no receipt,1,2011-10-06 16:20:00,1.50,8,UK",
        "C7,A,a return,-1,2011-10-06 16:20:00,1.50,7,UK",
    ];
    std::fs::write(&file, rows.join("\n")).unwrap();
    let place = embedded().await;
    let client = place.client().await;
    branch(&client, "WEB", "GBP").await;
    let report = purchases(&client, &task(&file, "WEB")).await.unwrap();
    assert_eq!((report.rows, report.taken, report.stored), (10, 2, 2), "{report:?}");
    let refused: Vec<(u64, &str)> = report.refused.iter().map(|row| (row.line, row.column.as_str())).collect();
    let expected = [
        (3, ""),
        (4, "Quantity"),
        (5, "InvoiceDate"),
        (6, "UnitPrice"),
        (7, "Quantity"),
        (8, ""),
        (9, "CustomerID"),
        (10, "InvoiceNo"),
    ];
    assert_eq!(refused, expected, "{:?}", report.refused);
    let missing = task(&folder.path().join("none.csv"), "WEB");
    assert!(purchases(&client, &missing).await.unwrap_err().to_string().contains("cannot open"));
    let nowhere = task(&file, "NOWHERE");
    assert!(purchases(&client, &nowhere).await.unwrap_err().to_string().contains("no branch with the code NOWHERE"));
}
