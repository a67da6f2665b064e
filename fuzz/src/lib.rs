//! What is asked of everything that reads bytes from outside, as functions over any bytes: each panics when its property
//! does not hold. Fuzzers call them with what they think of, and a test calls them with the corpus.

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use gateway::admission::customer::{Own, Thing};
use gateway::admission::{Credential, CustomerTokens, presented};
use gateway::door::Proxies;
use gateway::subscribe::{Place, Tokens};
use gateway::transcode::frame::{Frames, frame};
use gateway::transcode::{Routes, input, output};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use kernel::{BranchScope, Cursor, PageKeys, PageRequest};
use prost_reflect::{DynamicMessage, ReflectMessage};
use server::auth::{Kind, Minter, PermissionSet, Principal, SigningKeys, Verifier};
use uuid::Uuid;

/// A change to a text that was good: `data` names places and what to put there.
fn changed(good: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = good.as_bytes().to_vec();
    for change in data.chunks_exact(3) {
        let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % (bytes.len() + 1);
        match bytes.get_mut(at) {
            Some(byte) => *byte = change[2],
            None => bytes.push(change[2]),
        }
    }
    bytes
}

/// A text to try: as it came, or a good one that was changed.
fn tried(good: &str, data: &[u8]) -> Vec<u8> {
    match data.split_first() {
        Some((0, changes)) => changed(good, changes),
        _ => data.to_vec(),
    }
}

/// A token that is believed names the principal that was signed, whatever else it looks like.
pub fn internal_token(data: &[u8]) {
    static MADE: OnceLock<(Verifier, Principal, String)> = OnceLock::new();
    let (verifier, principal, good) = MADE.get_or_init(|| {
        let keys = SigningKeys::generate().expect("keys");
        let verifier = Verifier::new(keys.public(), "ticketing");
        let principal = Principal {
            subject: "staff-1".into(),
            kind: Kind::Staff,
            permissions: PermissionSet::from_iter([7]),
            scope: BranchScope::only([Uuid::from_u128(1)]),
        };
        let bearer = Minter::new(keys).bearer(&principal, "ticketing").expect("a token");
        (verifier, principal, bearer.to_str().expect("text").to_owned())
    });
    let Ok(value) = HeaderValue::from_bytes(&tried(good, data)) else { return };
    if let Some(found) = verifier.principal(&HeaderMap::from_iter([(AUTHORIZATION, value)])) {
        assert_eq!(found, *principal);
    }
}

/// A page token that is believed leads to the place that it was made for.
pub fn page_token(data: &[u8]) {
    static MADE: OnceLock<(PageKeys, Cursor, String)> = OnceLock::new();
    let scope = BranchScope::only([Uuid::from_u128(1)]);
    let (keys, cursor, good) = MADE.get_or_init(|| {
        let keys = PageKeys::new(&["a secret of the fuzzer".to_owned()], [0; 32]);
        let cursor = Cursor { sort: 1_700_000_000_000_000, id: Uuid::from_u128(7) };
        let page = PageRequest::read(&keys, &BranchScope::only([Uuid::from_u128(1)]), 1, "", b"list").expect("a page");
        let token = page.cut(&mut vec![(), ()], |()| cursor);
        (keys, cursor, token)
    });
    let Ok(token) = String::from_utf8(tried(good, data)) else { return };
    if let Ok(page) = PageRequest::read(keys, &scope, 0, &token, b"list") {
        assert!(token.is_empty() || page.after == Some(*cursor));
    }
    let elsewhere = PageRequest::read(keys, &BranchScope::All, 0, &token, b"list");
    assert!(token.is_empty() || elsewhere.is_err(), "a token for another scope");
}

/// A resume token that is believed leads to the places that it was made for, and a customer's token opens the thing that
/// it was made for.
pub fn resume_token(data: &[u8]) {
    static MADE: OnceLock<(Tokens, Vec<Place>, String, CustomerTokens, Own, String)> = OnceLock::new();
    let (tokens, places, good, customers, own, card) = MADE.get_or_init(|| {
        let tokens = Tokens::new(&["a secret of the fuzzer".to_owned()], [0; 32]);
        let places = vec![
            Place { log: "ticketing".to_owned(), epoch: 1, seq: 42 },
            Place { log: "profile".to_owned(), epoch: 2, seq: 0 },
        ];
        let good = tokens.make(7, &places);
        let customers = CustomerTokens::new(&["a secret of the fuzzer".to_owned()], [0; 32]);
        let own = Own { customer: Uuid::from_u128(1), thing: Thing::Card(Uuid::from_u128(2)) };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let card = customers.make(&own, now + 86_400);
        (tokens, places, good, customers, own, card)
    });
    if let Ok(token) = String::from_utf8(tried(good, data)) {
        if let Ok(found) = tokens.read(&token, 7) {
            assert_eq!(found, *places);
        }
        assert!(tokens.read(&token, 8).is_err(), "a token for another filter");
    }
    let credential = String::from_utf8(tried(card, data)).ok().and_then(|token| Credential::read(&token));
    if let Some(found) = credential.and_then(|credential| customers.read(&credential)) {
        assert_eq!(found, *own);
    }
}

/// Lines `name: value`, as far as HTTP takes them for headers.
fn request_headers(data: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n').take(server::limits::MAX_HEADERS) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    headers
}

/// Whatever stands in the headers of a request, they are read without harm, and a credential is one of ours by its form.
pub fn headers(data: &[u8]) {
    let headers = request_headers(data);
    if let Ok(credential) = presented(&headers) {
        assert!(Credential::read(credential.secret()).is_some_and(|again| again == credential));
        assert!(!format!("{credential:?}").contains(credential.secret()), "a credential is never printed");
    }
    if let Some(asked) = server::deadline::asked(&headers) {
        let rendered = server::deadline::render(asked);
        let again = server::deadline::asked(&HeaderMap::from_iter([(server::deadline::GRPC_TIMEOUT, rendered)]));
        assert!(again.is_some_and(|again| again >= asked), "no time is lost");
    }
    if let Some(traceparent) = server::trace::extract(&headers) {
        assert!(traceparent.is_ascii());
    }
    let peer = [192, 0, 2, 1].into();
    assert_eq!(Proxies::default().origin(peer, &headers), peer, "nobody is believed");
    let proxies = Proxies::new(vec!["0.0.0.0/0".parse().expect("a network")]);
    let _ = proxies.origin(peer, &headers);
}

/// An envelope that is read writes itself so that it is read again the same.
pub fn event_headers(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let lines = text.lines().filter_map(|line| line.split_once(':')).map(|(name, value)| (name, value.trim()));
    let Ok(envelope) = events::Envelope::read(lines, Bytes::from_static(b"payload")) else { return };
    let headers = envelope.headers();
    let again = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let again = events::Envelope::read(again, Bytes::from_static(b"payload")).expect("it reads what it writes");
    assert_eq!((again.log, again.epoch, again.event.seq), (envelope.log, envelope.epoch, envelope.event.seq));
    assert_eq!((again.event.kind, again.event.event_id), (envelope.event.kind, envelope.event.event_id));
}

/// First line: method, path and query. The rest is the body. A message that is read has a JSON form, which is read to
/// the same message again.
pub fn json(data: &[u8]) {
    static ROUTES: OnceLock<Routes> = OnceLock::new();
    let routes = ROUTES.get_or_init(|| Routes::of(proto::methods().iter()).expect("the contract has routes"));
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (Ok(line), body) = (std::str::from_utf8(&data[..end]), data.get(end + 1..).unwrap_or_default()) else { return };
    let Some((method, target)) = line.split_once(' ') else { return };
    let Ok(method) = http::Method::from_bytes(method.as_bytes()) else { return };
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let Ok(found) = routes.find(&method, path) else { return };
    let Ok(message) = input::request(&found, &input::Parts { query, body, headers: Vec::new() }) else { return };
    let Ok(written) = output::message(&message) else { return };
    let mut again = serde_json::Deserializer::from_slice(&written);
    let again = DynamicMessage::deserialize(message.descriptor(), &mut again).expect("what was written is read");
    // Compared as written, since a NaN differs from itself.
    assert_eq!(output::message(&again).expect("a JSON form"), written);
}

/// However bytes are cut, the same messages come out of them, and what comes out frames to what went in.
pub fn frames(data: &[u8]) {
    let read = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let (mut frames, mut messages) = (Frames::default(), Vec::new());
        for piece in pieces {
            frames.push(piece);
            loop {
                match frames.next_message() {
                    Ok(Some(message)) => messages.push(message),
                    Ok(None) => break,
                    Err(_) => return messages,
                }
            }
        }
        messages
    };
    let whole = read(&mut [data].into_iter());
    assert_eq!(whole, read(&mut data.chunks(3)));
    let sizes: BTreeSet<usize> = whole.iter().map(Bytes::len).collect();
    assert!(sizes.last().is_none_or(|largest| *largest <= data.len()));
    if let Some(first) = whole.first() {
        // A message of bytes: one field with its length before it.
        assert!(frame(&first.to_vec()).ends_with(first));
    }
}
