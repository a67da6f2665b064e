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

/// Callers whose rate is watched.
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
