//! Every limit of the gateway, with its unit. What the kit limits already (bodies, deadlines, headers, connections)
//! stands in `server::limits`.

use std::time::Duration;

/// How long a verified key is believed before it is asked about again. With [`RECHECK`], a revoked key works no longer
/// than 30 seconds, also in an open stream.
pub const KEY_FRESH: Duration = Duration::from_secs(25);
/// How long a key that was good is still believed when nobody can be asked: the rest of Karibu goes on without the
/// service that knows the keys.
pub const KEY_STALE: Duration = Duration::from_secs(300);
/// How long a key that was refused is refused without asking.
pub const KEY_REFUSED: Duration = Duration::from_secs(5);
/// Keys remembered, of each kind.
pub const MAX_KEYS: usize = 10_000;
/// Unknown keys that are asked about at once; more are turned away for now.
pub const MAX_ASKING: usize = 256;
/// Time to verify one key.
pub const VERIFY_TIMEOUT: Duration = Duration::from_secs(3);
/// Longest API key looked at, bytes.
pub const MAX_KEY_BYTES: usize = 256;

/// How often the service that keeps the keys is told when they were last used.
pub const USES_PERIOD: Duration = Duration::from_secs(60);
/// Uses of keys in one such message.
pub const USES_AT_ONCE: usize = 1_000;

/// Longest access token looked at, bytes.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;
/// Clock difference between the issuer and here that an access token survives.
pub const TOKEN_LEEWAY: Duration = Duration::from_secs(60);
/// Age at which the keys of the issuer are fetched again.
pub const ISSUER_KEYS_FRESH: Duration = Duration::from_secs(600);
/// How long the last good keys are believed while the issuer is away.
pub const ISSUER_KEYS_KEPT: Duration = Duration::from_secs(24 * 3600);
/// Shortest time between two questions to the issuer, whatever they are for. With [`KEY_REFUSED`], a new key of the
/// issuer is believed within 35 seconds.
pub const ISSUER_RETRY: Duration = Duration::from_secs(30);
/// Time to fetch the keys of the issuer; less than [`VERIFY_TIMEOUT`], so that old keys are still used in time.
pub const ISSUER_TIMEOUT: Duration = Duration::from_secs(2);
/// Largest answer of the issuer, bytes.
pub const MAX_ISSUER_BYTES: usize = 256 * 1024;
/// Keys of the issuer that are kept.
pub const MAX_ISSUER_KEYS: usize = 64;
/// Longest time that anything here is remembered by its own word.
pub const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// Longest token of a customer looked at, bytes.
pub const MAX_CUSTOMER_TOKEN_BYTES: usize = 128;
/// Life of a customer's token, when its maker does not say and at most.
pub const CUSTOMER_TOKEN_LIFE: (Duration, Duration) =
    (Duration::from_secs(30 * 24 * 3600), Duration::from_secs(365 * 24 * 3600));

/// Calls each second by class, unless the settings say otherwise.
pub const RATE_LIMITS: &str = "read=1000,write=500,bulk=20,stream=20,lookup=50,stranger=20";
/// Callers whose rate is watched, in each class.
pub const MAX_RATED: usize = 10_000;
/// Seconds of a caller's rate that it may use at once.
pub const BURST_SECONDS: u32 = 2;

/// Event streams that one caller may have open.
pub const MAX_STREAMS_PER_CALLER: usize = 20;
/// Silence on an event stream before a sign of life.
pub const HEARTBEAT: Duration = Duration::from_secs(15);
/// Newest events of each log that are kept in memory for those who read along.
pub const TAIL_EVENTS: usize = 10_000;
/// How long the logs are followed when nobody listens any more.
pub const TAIL_LINGER: Duration = Duration::from_secs(30);
/// Events taken from a log at once when a reader is behind.
pub const PAGE_EVENTS: usize = 500;
/// Events in one message, when the caller does not say and at most.
pub const BATCH_EVENTS: (usize, usize) = (100, 500);
/// Bytes of payloads in one message; one event may pass it alone.
pub const BATCH_BYTES: usize = 1024 * 1024;
/// Events looked at for one page of `ListEvents`, however few of them are wanted.
pub const MAX_SCANNED: usize = 10_000;
/// How often the credential of an open stream is checked again.
pub const RECHECK: Duration = Duration::from_secs(5);
/// How long the tree of branches is believed.
pub const TREE_FRESH: Duration = Duration::from_secs(30);
/// Time to ask a log for its bounds or for a page.
pub const LOG_TIMEOUT: Duration = Duration::from_secs(5);

/// Entries of the timeline in an overview, when the caller does not say and at most.
pub const TIMELINE_ENTRIES: (i32, i32) = (20, 100);
/// Entries of every other list in an overview.
pub const OVERVIEW_ENTRIES: i32 = 20;
/// Kept back from the deadline of an overview, so that what is there arrives though one service is late.
pub const OVERVIEW_RESERVE: Duration = Duration::from_millis(100);
