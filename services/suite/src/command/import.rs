//! `karibu import`: CSV files through a running gateway, with a report of what was refused.

use std::fs::File;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use client::Karibu;

use crate::import::{self, Report, Task};

/// Refused rows shown on the terminal; the report file has them all.
const SHOWN: usize = 20;

/// What can be imported.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Import {
    /// Purchase lines: one row is one line of a receipt
    Purchases(Source),
    /// Historical complaints: one row is one case
    Complaints(Source),
}

/// Where rows come from and where they go.
#[derive(Debug, clap::Args)]
pub(super) struct Source {
    /// CSV file, UTF-8 with a header line
    file: PathBuf,
    /// Code of the branch that the rows belong to
    #[arg(long, value_name = "CODE")]
    branch: String,
    /// Built-in mapping (online-retail, consumer-complaints) or a TOML file; guessed from the header if left out
    #[arg(long, value_name = "NAME|FILE")]
    mapping: Option<String>,
    /// A column by hand; may be given several times
    #[arg(long = "column", value_name = "FIELD=COLUMN", value_parser = column)]
    columns: Vec<(String, String)>,
    /// File that gets the refused rows as CSV: line, column, reason
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Address of the gateway
    #[arg(long, env = "KARIBU_ADDRESS", value_name = "URL", default_value = "http://127.0.0.1:8080")]
    address: String,
    /// API key of an administrator or integrator
    #[arg(long, env = "KARIBU_API_KEY", value_name = "KEY", hide_env_values = true)]
    api_key: String,
}

fn column(text: &str) -> Result<(String, String), String> {
    let (field, column) = text.split_once('=').ok_or("expected FIELD=COLUMN")?;
    Ok((field.trim().to_owned(), column.trim().to_owned()))
}

impl Import {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let (Self::Purchases(source) | Self::Complaints(source)) = &self;
        let client = Karibu::connect(&source.address, &source.api_key).await?;
        let task = Task {
            file: source.file.clone(),
            mapping: source.mapping.clone(),
            columns: source.columns.clone(),
            branch: source.branch.clone(),
            progress: true,
        };
        let started = Instant::now();
        let (what, report) = match &self {
            Self::Purchases(_) => ("receipts", import::purchases(&client, &task).await?),
            Self::Complaints(_) => ("cases", import::complaints(&client, &task).await?),
        };
        tell(&report, what, started.elapsed().as_secs_f64());
        if let Some(path) = &source.report {
            let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
            report.write_refused(file).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[allow(clippy::print_stdout, clippy::cast_precision_loss)]
fn tell(report: &Report, what: &str, seconds: f64) {
    let Report { rows, taken, stored, already_there, customers_made, refused } = report;
    let rate = *rows as f64 / seconds.max(0.001);
    anstream::println!("{rows} rows in {seconds:.1} s ({rate:.0} rows/s): {taken} taken, {} refused", refused.len());
    anstream::println!("{stored} {what} stored, {already_there} were there already, {customers_made} new customers");
    for row in refused.iter().take(SHOWN) {
        let column = if row.column.is_empty() { "row" } else { &row.column };
        anstream::println!("  line {}, {column}: {}", row.line, row.reason);
    }
    if refused.len() > SHOWN {
        anstream::println!("  … and {} more; --report FILE writes them all", refused.len() - SHOWN);
    }
}
