//! Every limit of the server kit, with its unit. What a deployment may change is a setting with one of these as its
//! default; the rest is fixed here.

use std::time::Duration;

/// Largest request message of a unary call, bytes.
pub const MAX_REQUEST_BYTES: usize = 1024 * 1024;
/// Largest reply message, bytes: services pass it to `max_encoding_message_size`, clients to `max_decoding_message_size`.
pub const MAX_REPLY_BYTES: usize = 4 * 1024 * 1024;
/// Time a call may take when the caller names no deadline, and the most that it may ask for.
pub const DEADLINE: Duration = Duration::from_secs(10);
/// `Until` of a server stream whose caller named no deadline: in effect, none.
pub const STREAM_DEADLINE: Duration = Duration::from_secs(365 * 24 * 3600);

/// Calls that one service answers at once; one more is refused.
pub const MAX_ACTIVE_CALLS: usize = 8_192;

/// Connections that one listener holds at once; more wait in the kernel's backlog.
pub const MAX_CONNECTIONS: usize = 10_000;
/// Connections that one address holds at once at one listener; more are closed.
pub const MAX_CONNECTIONS_PER_ADDRESS: usize = 1_000;
/// Streams open at once on one HTTP/2 connection between parts of Karibu.
pub const MAX_STREAMS: u32 = 1_024;
/// The same at a public door.
pub const MAX_PUBLIC_STREAMS: u32 = 256;
/// All request headers together at a public door, bytes.
pub const MAX_HEADER_BYTES: u32 = 16 * 1024;
/// The same at a port for Karibu itself, where a token may list many branches.
pub const MAX_INNER_HEADER_BYTES: u32 = 64 * 1024;
/// Request headers of one HTTP/1 request.
pub const MAX_HEADERS: usize = 100;
/// Reset streams that a client may leave behind before the connection is closed (rapid reset).
pub const MAX_PENDING_RESETS: usize = 100;
/// Streams that we may have to reset for a client's mistakes before the connection is closed.
pub const MAX_LOCAL_RESETS: usize = 100;
/// What an HTTP/2 client may spend in each [`FRAME_PERIOD`] on frames that carry no request.
pub const FRAME_BUDGET: u32 = 100_000;
/// See [`FRAME_BUDGET`].
pub const FRAME_PERIOD: Duration = Duration::from_secs(10);
/// What a reset, a setting, a continuation or an empty frame costs: 200 a second are paid for.
pub const IDLE_FRAME_COST: u32 = 50;
/// What a ping costs: 10 000 a second are paid for.
pub const PING_COST: u32 = 1;
/// HTTP/2 window of one stream, bytes.
pub const STREAM_WINDOW_BYTES: u32 = 1024 * 1024;
/// HTTP/2 window of one connection, bytes.
pub const CONNECTION_WINDOW_BYTES: u32 = 4 * 1024 * 1024;
/// Ping after so much silence on an HTTP/2 connection.
pub const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(20);
/// Close an HTTP/2 connection whose ping is not answered within this time.
pub const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// Time for the TLS handshake, for the first bytes of a connection and for the head of an HTTP/1 request.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Age at which an HTTP/2 connection gets GOAWAY, so that its client balances anew; open calls go on.
pub const CONNECTION_AGE: Duration = Duration::from_secs(300);
/// How often the files of certificates are looked at.
pub const TLS_RELOAD: Duration = Duration::from_secs(5);
/// Time for open calls to end when the process drains.
pub const DRAIN: Duration = Duration::from_secs(25);
/// Time for background tasks to end after the last call.
pub const TASKS_GRACE: Duration = Duration::from_secs(5);
/// How often readiness is asked and handed to the health service.
pub const READINESS_PERIOD: Duration = Duration::from_secs(1);

/// Longest body that a lane carries, bytes; longer ones go by a stream of their own.
pub const MAX_LANE_BODY_BYTES: usize = 64 * 1024;
/// Calls or replies in one message of a lane.
pub const MAX_LANE_BATCH: usize = 256;
/// Bytes of bodies in one message of a lane. One reply may pass it alone.
pub const MAX_LANE_BATCH_BYTES: usize = 1024 * 1024;
/// Largest encoded message of a lane, bytes: a full batch and the largest reply beside it.
pub const MAX_LANE_MESSAGE_BYTES: usize = 8 * 1024 * 1024;
/// Calls that may wait to be sent on one lane; one more is refused.
pub const LANE_QUEUE: usize = 1_024;
/// Calls that one lane runs at once in the service; the rest wait in the HTTP/2 window.
pub const MAX_LANE_RUNNING: usize = 4_096;
/// How long a call waits for a lane that is not connected.
pub const LANE_CONNECT_WAIT: Duration = Duration::from_secs(1);
/// Shortest and longest wait before a lost lane is opened again; the real wait is a random part of it.
pub const LANE_BACKOFF: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));
/// How often the names of peers are resolved again.
pub const RESOLVE_PERIOD: Duration = Duration::from_secs(5);

/// Life of an internal token.
pub const TOKEN_LIFE: Duration = Duration::from_secs(60);
/// How long one internal token is handed out again for the same principal and audience.
pub const TOKEN_REUSE: Duration = Duration::from_secs(30);
/// How long a verified token is believed without verifying it again, at most.
pub const TOKEN_CACHE: Duration = Duration::from_secs(30);
/// Clock difference between two machines that a token survives.
pub const TOKEN_LEEWAY: Duration = Duration::from_secs(5);
/// Tokens remembered, both when minted and when verified.
pub const MAX_TOKENS: usize = 10_000;
/// Longest token looked at, bytes: enough for a thousand branches.
pub const MAX_TOKEN_BYTES: usize = 32 * 1024;

/// When to come again after RESOURCE_EXHAUSTED or UNAVAILABLE.
pub const RETRY_AFTER: Duration = Duration::from_millis(200);
