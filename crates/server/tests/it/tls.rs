//! TLS on ports and towards peers: who is believed, who is not, and certificates that change while calls go on.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use futures_util::future::join_all;
use server::Upstream;
use server::hop::Dialler;
use server::tls::Tls;
use testkit::{Authority, IssuedFiles, assert_eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tonic::Code;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use crate::echo::SAY;
use crate::fixture::{Running, SOON, ask, call, house, request, settings, speaker};

/// A folder with an authority and certificates of it.
struct Office {
    folder: tempfile::TempDir,
    authority: Authority,
}

impl Office {
    fn open() -> Self {
        let office = Self { folder: tempfile::tempdir().unwrap(), authority: Authority::new("ours") };
        office.authority.write(&office.path().join("authority.pem"));
        office
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn file(&self, name: &str) -> String {
        self.path().join(name).display().to_string()
    }

    /// Flags of a process that shows `port` and believes the authority about its peers.
    fn flags(&self, port: &IssuedFiles) -> Vec<String> {
        let (certificate, key) = (port.certificate.display().to_string(), port.key.display().to_string());
        let words = ["--tls-certificate", &certificate, "--tls-key", &key, "--tls-peers", &self.file("authority.pem")];
        words.map(str::to_owned).to_vec()
    }

    /// A running echo that shows `port`.
    async fn echo(&self, port: &IssuedFiles, more: &[&str]) -> Running {
        let flags = self.flags(port);
        let flags: Vec<&str> = flags.iter().map(String::as_str).chain(more.iter().copied()).collect();
        let mut house = house();
        house.tls = Tls::load(&settings(&flags).tls).unwrap();
        house.tls.follow(&house.tasks, &house.stop);
        Running::start_in(house, &flags).await
    }
}

/// The way of a process with these flags to the echo at `address`.
fn dial(running: &Running, flags: &[String]) -> Upstream {
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let tls = Tls::load(&settings(&flags).tls).unwrap();
    let house = &running.house;
    let dialler = Dialler { minter: house.minter.clone().unwrap(), rules: house.rules.clone(), tls };
    dialler.dial("echo", &[format!("https://{}", running.address).parse().unwrap()])
}

async fn says(running: &Running, upstream: Upstream) -> Result<(), Code> {
    let bearer = running.minter().bearer(&speaker(), "echo").unwrap();
    call(upstream, SAY, request(ask("", 0), &bearer)).await.map(|_| ()).map_err(|status| status.code())
}

/// A channel that believes `authorities` (PEM) about the name `echo`.
async fn channel(address: SocketAddr, authorities: &str) -> Result<Channel, tonic::transport::Error> {
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authorities)).domain_name("echo");
    Endpoint::from_shared(format!("https://{address}")).unwrap().tls_config(tls)?.connect().await
}

/// The certificate that a port shows now, and the protocol that it chose.
async fn shown(address: SocketAddr, authorities: &str, protocol: &str) -> std::io::Result<(Vec<u8>, Option<Vec<u8>>)> {
    let mut roots = RootCertStore::empty();
    for authority in CertificateDer::pem_slice_iter(authorities.as_bytes()) {
        roots.add(authority.unwrap()).unwrap();
    }
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("echo").unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    let (_, session) = stream.get_ref();
    let certificate = session.peer_certificates().unwrap()[0].as_ref().to_vec();
    Ok((certificate, session.alpn_protocol().map(<[u8]>::to_vec)))
}

#[tokio::test]
async fn a_port_with_a_certificate_speaks_tls_by_every_way_and_no_plaintext() {
    let office = Office::open();
    let files = office.authority.issue(&["echo"]).write(office.path(), "port");
    let running = office.echo(&files, &[]).await;
    let upstream = dial(&running, &office.flags(&files));
    assert_eq!(says(&running, upstream).await, Ok(()), "by lane");
    let direct = channel(running.address, office.authority.pem()).await.unwrap();
    assert!(call(direct, SAY, request(ask("", 0), &running.bearer())).await.is_ok(), "by channel");
    for protocol in ["h2", "http/1.1"] {
        let (_, chosen) = shown(running.address, office.authority.pem(), protocol).await.unwrap();
        assert_eq!(chosen.as_deref(), Some(protocol.as_bytes()));
    }
    let mut plain = TcpStream::connect(running.address).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    running.end().await;
}

#[tokio::test]
async fn a_peer_with_the_wrong_certificate_is_not_called() {
    let office = Office::open();
    for (what, issued) in [
        ("of another authority", Authority::new("theirs").issue(&["echo"])),
        ("expired", office.authority.issue_expired(&["echo"])),
        ("for another name", office.authority.issue(&["ticketing", "127.0.0.1"])),
    ] {
        let files = issued.write(office.path(), "port");
        let running = office.echo(&files, &[]).await;
        let upstream = dial(&running, &office.flags(&files));
        assert_eq!(says(&running, upstream).await, Err(Code::Unavailable), "{what}");
        assert_eq!(running.echo.begun.load(Ordering::SeqCst), 0, "{what}");
        assert!(channel(running.address, office.authority.pem()).await.is_err(), "{what}");
        running.end().await;
    }
}

#[tokio::test]
async fn a_caller_without_the_certificate_of_a_service_is_refused() {
    let office = Office::open();
    let files = office.authority.issue(&["echo"]).write(office.path(), "port");
    let callers = office.file("authority.pem");
    let admin = testkit::free_port().to_string();
    let metrics = format!("127.0.0.1:{admin}");
    let running = office.echo(&files, &["--tls-callers", &callers, "--metrics-listen", &metrics]).await;
    // Probes have no certificates, but the port speaks TLS as the other one does.
    assert!(shown(metrics.parse().unwrap(), office.authority.pem(), "http/1.1").await.is_ok());
    let with = |issued: Option<testkit::Issued>, name: &str| {
        let peers = ["--tls-peers".to_owned(), office.file("authority.pem")];
        let own = issued.map(|issued| {
            let files = issued.write(office.path(), name);
            let (certificate, key) = (files.certificate.display().to_string(), files.key.display().to_string());
            ["--tls-own-certificate".to_owned(), certificate, "--tls-own-key".to_owned(), key]
        });
        peers.into_iter().chain(own.into_iter().flatten()).collect::<Vec<_>>()
    };
    for (what, issued) in [
        ("none", None),
        ("another authority", Some(Authority::new("theirs").issue(&["gateway"]))),
        ("expired", Some(office.authority.issue_expired(&["gateway"]))),
        ("no service", Some(office.authority.issue(&["printer"]))),
    ] {
        let upstream = dial(&running, &with(issued, "wrong"));
        assert_eq!(says(&running, upstream).await, Err(Code::Unavailable), "{what}");
    }
    assert_eq!(running.echo.begun.load(Ordering::SeqCst), 0);
    let upstream = dial(&running, &with(Some(office.authority.issue(&["gateway"])), "right"));
    assert_eq!(says(&running, upstream).await, Ok(()));
    running.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_certificates_are_taken_under_load_and_no_call_is_lost() {
    let office = Office::open();
    let other = Authority::new("next");
    let both = format!("{}{}", office.authority.pem(), other.pem());
    std::fs::write(office.path().join("authority.pem"), &both).unwrap();
    let files = office.authority.issue(&["echo"]).write(office.path(), "port");
    let running = office.echo(&files, &["--tls-reload", "20ms"]).await;
    let upstream = dial(&running, &office.flags(&files));
    let (done, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let callers = (0..6).map(|n| {
        let (upstream, bearer, address) = (upstream.clone(), running.bearer(), running.address);
        let (done, calls, both) = (done.clone(), calls.clone(), both.clone());
        tokio::spawn(async move {
            while !done.load(Ordering::SeqCst) {
                let answered = if n % 2 == 0 {
                    call(upstream.clone(), SAY, request(ask("", 1), &bearer)).await
                } else {
                    // A connection of its own for every call.
                    let channel = channel(address, &both).await.map_err(|error| format!("{error:?}"))?;
                    call(channel, SAY, request(ask("", 1), &bearer)).await
                };
                answered.map_err(|status| format!("{status:?}"))?;
                calls.fetch_add(1, Ordering::SeqCst);
            }
            Ok::<_, String>(())
        })
    });
    let callers: Vec<_> = callers.collect();
    let mut seen = Vec::new();
    for round in 0..4 {
        let (before, signed_by) =
            (calls.load(Ordering::SeqCst), if round % 2 == 0 { &other } else { &office.authority });
        let issued = signed_by.issue(&["echo"]);
        // Half of it first, as when somebody copies files by hand: what is there stays in use.
        std::fs::write(&files.certificate, &issued.certificate[..100]).unwrap();
        issued.write(office.path(), "port");
        let expected = CertificateDer::from_pem_slice(issued.certificate.as_bytes()).unwrap();
        assert_eventually(SOON, || async {
            shown(running.address, &both, "h2").await.is_ok_and(|(shown, _)| shown == expected.as_ref())
        })
        .await;
        assert_eventually(SOON, || async { calls.load(Ordering::SeqCst) > before + 20 }).await;
        seen.push(expected);
    }
    done.store(true, Ordering::SeqCst);
    for ended in join_all(callers).await {
        ended.unwrap().unwrap();
    }
    seen.dedup();
    assert_eq!(seen.len(), 4);
    running.end().await;
}

#[tokio::test]
async fn the_certificates_of_the_script_serve_for_mutual_tls() {
    let folder = tempfile::tempdir().unwrap();
    let script = testkit::workspace_root().join("deploy/certificates.sh");
    let made = std::process::Command::new("bash").arg(script).arg(folder.path()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (certificate, key, authority) = (file("ticketing.pem"), file("ticketing.key"), file("authority.pem"));
    let flags = ["--tls-certificate", &certificate, "--tls-key", &key, "--tls-callers", &authority];
    let mut house = house();
    house.tls = Tls::load(&settings(&flags).tls).unwrap();
    let running = Running::start_in(house, &flags).await;
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read("authority.pem")));
    let tls = tls.domain_name("ticketing").identity(Identity::from_pem(read("gateway.pem"), read("gateway.key")));
    let endpoint = Endpoint::from_shared(format!("https://{}", running.address)).unwrap();
    let channel = endpoint.tls_config(tls).unwrap().connect().await.unwrap();
    assert!(call(channel, SAY, request(ask("", 0), &running.bearer())).await.is_ok());
    running.end().await;
}

#[tokio::test]
async fn an_old_protocol_and_a_handshake_that_does_not_go_on_are_cut() {
    let office = Office::open();
    let files = office.authority.issue(&["echo"]).write(office.path(), "port");
    let running = office.echo(&files, &["--head-timeout", "200ms"]).await;
    // A hello of TLS 1.1 (RFC 4346, section 7.4.1.2): version 3.2, one suite of its time, no extensions.
    let hello = [&[3_u8, 2][..], &[7; 32], &[0], &[0, 2, 0xc0, 0x13], &[1, 0]].concat();
    let length = u8::try_from(hello.len()).unwrap();
    let record = [&[22, 3, 1, 0, length + 4, 1, 0, 0, length][..], &hello].concat();
    let mut old = TcpStream::connect(running.address).await.unwrap();
    old.write_all(&record).await.unwrap();
    let mut answer = Vec::new();
    old.read_to_end(&mut answer).await.unwrap();
    // An alert (21) that is fatal (2), and no hello in return.
    assert_eq!((answer[0], answer[5], answer.len()), (21, 2, 7), "{answer:?}");

    let mut silent = TcpStream::connect(running.address).await.unwrap();
    silent.write_all(&record[..9]).await.unwrap();
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(SOON, silent.read_to_end(&mut answer)).await.expect("it is cut");
    running.end().await;
}
