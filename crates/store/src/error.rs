//! What can go wrong at a database, sorted by what the caller should do about it.

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A database failure.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database is away, restarting, or did not answer in time; the work may be sent again.
    /// Whether a commit took effect is not known.
    #[error("the database is unavailable")]
    Unavailable(#[source] sqlx::Error),
    /// The database refused the data: a constraint, a type, a value out of range. Nothing was written.
    #[error("the database rejected the data")]
    Rejected(#[source] sqlx::Error),
    /// The disk is full; reads still work.
    #[error("the database has no room left")]
    Full(#[source] sqlx::Error),
    /// A defect: wrong SQL, a row that does not fit its struct.
    #[error("the database call is faulty: {0}")]
    Faulty(#[source] sqlx::Error),
    /// The address of the database cannot be used, or another process holds the file.
    #[error("{0}")]
    Address(String),
    /// The role as which callers are read for cannot be used; the text says what to do.
    #[error("{0}")]
    Reader(String),
    /// The schema could not be brought up to date.
    #[error("the schema could not be migrated: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
}

impl Error {
    /// Whether the same call may succeed later.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Full(_))
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(error),
            sqlx::Error::Database(db) => {
                let code = db.code().unwrap_or_default().into_owned();
                if db.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
                    sqlite(&code, error)
                } else {
                    postgres(&code, error)
                }
            }
            _ => Self::Faulty(error),
        }
    }
}

/// Classes of SQLSTATE: PostgreSQL documentation, appendix A.
fn postgres(code: &str, error: sqlx::Error) -> Error {
    match code {
        "53100" => Error::Full(error),
        // 25P03: idle in transaction too long; 55P03: a lock was not available; 57014: statement timeout.
        "25P03" | "55P03" => Error::Unavailable(error),
        _ => match code.get(..2).unwrap_or_default() {
            "22" | "23" => Error::Rejected(error),
            // Connection, serialization, resources, operator intervention, system errors.
            "08" | "40" | "53" | "57" | "58" => Error::Unavailable(error),
            _ => Error::Faulty(error),
        },
    }
}

/// Primary result codes stand in the low byte: SQLite documentation, "Result and Error Codes".
fn sqlite(code: &str, error: sqlx::Error) -> Error {
    match code.parse::<i32>().unwrap_or_default() & 0xFF {
        5 | 6 | 10 | 14 | 15 => Error::Unavailable(error), // BUSY, LOCKED, IOERR, CANTOPEN, PROTOCOL
        13 => Error::Full(error),                          // FULL
        18..=20 => Error::Rejected(error),                 // TOOBIG, CONSTRAINT, MISMATCH
        _ => Error::Faulty(error),
    }
}
