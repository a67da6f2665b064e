//! The proxy does what it is told, or the faults would prove nothing.

use std::time::{Duration, Instant};

use karibu_faults::proxy::{Proxy, Weather};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Gives back what it gets.
async fn echo() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (mut from, mut to) = stream.into_split();
            tokio::spawn(async move { tokio::io::copy(&mut from, &mut to).await });
        }
    });
    address
}

async fn says(stream: &mut TcpStream, word: [u8; 4]) -> std::io::Result<[u8; 4]> {
    stream.write_all(&word).await?;
    let mut heard = [0; 4];
    stream.read_exact(&mut heard).await?;
    Ok(heard)
}

#[tokio::test]
async fn it_carries_slows_silences_and_resets() {
    let proxy = Proxy::start(echo().await).await.unwrap();
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(says(&mut stream, *b"fair").await.unwrap(), *b"fair");

    proxy.set(Weather::Slow(Duration::from_millis(30)));
    let began = Instant::now();
    assert_eq!(says(&mut stream, *b"slow").await.unwrap(), *b"slow");
    assert!(began.elapsed() >= Duration::from_millis(60), "both ways are slow");

    proxy.set(Weather::Silent);
    let silent = tokio::time::timeout(Duration::from_millis(50), says(&mut stream, *b"hush")).await;
    assert!(silent.is_err(), "nothing comes through");
    proxy.set(Weather::Clear);
    let mut heard = [0; 4];
    stream.read_exact(&mut heard).await.unwrap();
    assert_eq!(heard, *b"hush", "what was held back comes after all");

    proxy.reset();
    let cut = says(&mut stream, *b"gone").await.unwrap_err();
    assert!(matches!(cut.kind(), std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe), "{cut}");
}
