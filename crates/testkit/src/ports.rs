//! Ports of this machine: a free one for a server, and whether a server answers on one.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// A loopback TCP port that was free a moment ago. Another process may take it first: start the server, and on failure ask again.
pub fn free_port() -> u16 {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    match bound {
        Ok(address) => address.port(),
        Err(error) => crate::fail(format_args!("no free loopback port: {error}")),
    }
}

/// Connects to a loopback port, giving up after a second.
pub(crate) fn connect(port: u16) -> std::io::Result<TcpStream> {
    TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), Duration::from_secs(1))
}
