//! Which column of a CSV file holds what: built in for well-known files, from a TOML file, or by flags.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

/// Why a mapping cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// No built-in mapping fits the header.
    #[error("the header fits no built-in mapping; give --mapping, or --column FIELD=COLUMN for {0}")]
    NoneFits(String),
    /// The TOML file cannot be read or holds something else.
    #[error("{file}: {problem}")]
    File {
        /// The file.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A field that this import does not know.
    #[error("there is no field {0} to map a column to; the fields are {1}")]
    UnknownField(String, String),
    /// The file has no such column.
    #[error("the file has no column {column} (for {field}); it has: {header}")]
    NoColumn {
        /// The field that the column was meant for.
        field: String,
        /// The column that is missing.
        column: String,
        /// The columns that are there.
        header: String,
    },
}

/// Columns by field.
pub(super) type Columns = BTreeMap<String, String>;

/// How purchase lines are read.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PurchaseMapping {
    /// Names the system that the receipts come from; with the receipt it tells a repeat from a new one.
    pub source_system: String,
    /// How times are written, in the notation of `strftime`.
    pub time_format: String,
    /// The zone that times are written in; the branch's own when left out.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// The currency of prices; the branch's own when left out.
    #[serde(default)]
    pub currency: Option<String>,
    /// Receipts that begin so are returns.
    #[serde(default)]
    pub return_prefix: Option<String>,
    /// Columns by field.
    pub columns: Columns,
}

/// How complaints are read.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComplaintMapping {
    /// Names the system that the cases come from.
    pub source_system: String,
    /// How dates are written, in the notation of `strftime`.
    pub date_format: String,
    /// Columns by field.
    pub columns: Columns,
}

/// A kind of mapping: its fields, and those that come with the program.
pub(super) trait Mapping: Sized + for<'de> Deserialize<'de> {
    /// Fields that must have a column.
    const REQUIRED: &'static [&'static str];
    /// Fields that may have one.
    const OPTIONAL: &'static [&'static str];
    /// Name and TOML text of the built-in mappings.
    const BUILT_IN: &'static [(&'static str, &'static str)];
    /// Where a field of the contract has another name than ours: the contract's, ours.
    const RENAMED: &'static [(&'static str, &'static str)];
    /// For a file that is mapped by flags alone.
    fn bare() -> Self;
    fn columns(&self) -> &Columns;
    fn columns_mut(&mut self) -> &mut Columns;

    /// The mapping for a file with this header.
    fn choose(wish: Option<&str>, by_hand: &[(String, String)], header: &[String]) -> Result<Self, MappingError> {
        let mut mapping = match wish {
            Some(name) => Self::named(name)?,
            None if by_hand.is_empty() => Self::guessed(header)?,
            None => Self::guessed(header).unwrap_or_else(|_| Self::bare()),
        };
        for (field, column) in by_hand {
            if !Self::REQUIRED.contains(&field.as_str()) && !Self::OPTIONAL.contains(&field.as_str()) {
                return Err(MappingError::UnknownField(field.clone(), Self::fields()));
            }
            mapping.columns_mut().insert(field.clone(), column.clone());
        }
        for field in Self::REQUIRED {
            if !mapping.columns().contains_key(*field) {
                return Err(MappingError::NoneFits(Self::REQUIRED.join(", ")));
            }
        }
        for (field, column) in mapping.columns() {
            if !header.contains(column) {
                let (field, column, header) = (field.clone(), column.clone(), header.join(", "));
                return Err(MappingError::NoColumn { field, column, header });
            }
        }
        Ok(mapping)
    }

    /// The column behind a field that the service found at fault, such as `lines[2].quantity`; the field
    /// itself where no column stands behind it.
    fn column_at_fault(&self, field: &str) -> String {
        let last = field.rsplit('.').next().unwrap_or(field);
        let ours = Self::RENAMED.iter().find(|(theirs, _)| *theirs == last).map_or(last, |(_, ours)| *ours);
        self.columns().get(ours).cloned().unwrap_or_else(|| field.to_owned())
    }

    fn fields() -> String {
        [Self::REQUIRED, Self::OPTIONAL].concat().join(", ")
    }

    fn named(name: &str) -> Result<Self, MappingError> {
        let problem = |problem: String| MappingError::File { file: name.to_owned(), problem };
        if let Some((_, text)) = Self::BUILT_IN.iter().find(|(built_in, _)| *built_in == name) {
            return toml::from_str(text).map_err(|error| problem(error.to_string()));
        }
        let text = std::fs::read_to_string(Path::new(name)).map_err(|error| {
            let names: Vec<_> = Self::BUILT_IN.iter().map(|(name, _)| *name).collect();
            problem(format!("neither a built-in mapping ({}) nor a file: {error}", names.join(", ")))
        })?;
        toml::from_str(&text).map_err(|error| problem(error.to_string()))
    }

    fn guessed(header: &[String]) -> Result<Self, MappingError> {
        for (name, _) in Self::BUILT_IN {
            let mapping = Self::named(name)?;
            if mapping.columns().values().all(|column| header.contains(column)) {
                return Ok(mapping);
            }
        }
        Err(MappingError::NoneFits(Self::REQUIRED.join(", ")))
    }
}

impl Mapping for PurchaseMapping {
    const REQUIRED: &'static [&'static str] = &["receipt", "sku", "quantity", "unit_price", "time"];
    const OPTIONAL: &'static [&'static str] = &["description", "category", "customer"];
    const BUILT_IN: &'static [(&'static str, &'static str)] =
        &[("online-retail", include_str!("../../mappings/online-retail.toml"))];
    const RENAMED: &'static [(&'static str, &'static str)] = &[
        ("source_ref", "receipt"),
        ("unit_amount_minor", "unit_price"),
        ("occur_time", "time"),
        ("category_code", "category"),
        ("value", "customer"),
    ];
    fn bare() -> Self {
        Self {
            source_system: "import".to_owned(),
            time_format: "%Y-%m-%d %H:%M:%S".to_owned(),
            time_zone: None,
            currency: None,
            return_prefix: None,
            columns: Columns::new(),
        }
    }
    fn columns(&self) -> &Columns {
        &self.columns
    }
    fn columns_mut(&mut self) -> &mut Columns {
        &mut self.columns
    }
}

impl Mapping for ComplaintMapping {
    const REQUIRED: &'static [&'static str] = &["product", "issue", "received", "response"];
    const OPTIONAL: &'static [&'static str] =
        &["reference", "sub_product", "sub_issue", "organization", "region", "channel", "timely", "disputed", "sent"];
    const BUILT_IN: &'static [(&'static str, &'static str)] =
        &[("consumer-complaints", include_str!("../../mappings/consumer-complaints.toml"))];
    const RENAMED: &'static [(&'static str, &'static str)] = &[
        ("source_ref", "reference"),
        ("company_response", "response"),
        ("receive_date", "received"),
        ("send_date", "sent"),
    ];
    fn bare() -> Self {
        Self { source_system: "import".to_owned(), date_format: "%Y-%m-%d".to_owned(), columns: Columns::new() }
    }
    fn columns(&self) -> &Columns {
        &self.columns
    }
    fn columns_mut(&mut self) -> &mut Columns {
        &mut self.columns
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn header(columns: &str) -> Vec<String> {
        columns.split(',').map(str::to_owned).collect()
    }

    #[test]
    fn a_known_header_is_recognised() {
        let known = header("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country");
        let mapping = PurchaseMapping::choose(None, &[], &known).unwrap();
        assert_eq!(
            (mapping.source_system.as_str(), mapping.columns["receipt"].as_str()),
            ("online-retail", "InvoiceNo")
        );
    }

    #[test]
    fn an_unknown_header_asks_for_what_is_needed() {
        let error = PurchaseMapping::choose(None, &[], &header("a,b")).unwrap_err();
        assert!(error.to_string().contains("receipt, sku, quantity, unit_price, time"), "{error}");
    }

    #[test]
    fn a_field_at_fault_leads_back_to_its_column() {
        let mapping = ComplaintMapping::named("consumer-complaints").unwrap();
        assert_eq!(mapping.column_at_fault("historical_case.send_date"), "Date sent to company");
        assert_eq!(mapping.column_at_fault("historical_case.product"), "Product");
        assert_eq!(mapping.column_at_fault("branch_id"), "branch_id");
    }

    #[test]
    fn columns_by_hand_are_enough_and_are_checked() {
        let by_hand: Vec<(String, String)> =
            [("receipt", "r"), ("sku", "s"), ("quantity", "q"), ("unit_price", "p"), ("time", "t")]
                .map(|(field, column)| (field.to_owned(), column.to_owned()))
                .to_vec();
        assert!(PurchaseMapping::choose(None, &by_hand, &header("r,s,q,p,t")).is_ok());
        let error = PurchaseMapping::choose(None, &by_hand, &header("r,s,q,p")).unwrap_err();
        assert!(error.to_string().contains("no column t (for time)"), "{error}");
        let wrong = [("colour".to_owned(), "r".to_owned())];
        assert!(matches!(PurchaseMapping::choose(None, &wrong, &header("r")), Err(MappingError::UnknownField(..))));
    }
}
