//! The one public door of Karibu: it says who a caller is, finds the service that answers, and speaks gRPC, gRPC-Web
//! and HTTP/JSON on one port. It has no domain and no tables.

pub mod transcode;
