//! A member of staff signs in at the business's own issuer: from the access token over the link to the person to what the
//! person may do in which branch, with the real services behind the gateway.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use client::Karibu;
use gateway::SignIn;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use karibu_tests::{Place, embedded_with};
use proto::karibu::organization::v1 as org;
use proto::karibu::ticketing::v1 as ticketing;
use serde_json::{Value, json};
use server::auth::SigningKeys;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tonic::{Code, Status};

/// Much longer than anything here takes.
const SOON: Duration = Duration::from_secs(30);

/// An issuer with one Ed25519 key; what it answers depends on the path alone.
struct Issuer {
    name: String,
    key: EncodingKey,
}

impl Issuer {
    async fn start() -> Self {
        let (private, public) = SigningKeys::generate().unwrap().to_pem().unwrap();
        let body: String = public.lines().filter(|line| !line.starts_with("---")).collect();
        let point = URL_SAFE_NO_PAD.encode(STANDARD.decode(body).unwrap().last_chunk::<32>().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let name = format!("http://{}", listener.local_addr().unwrap());
        let discovery = json!({ "issuer": name, "jwks_uri": format!("{name}/keys") });
        let keys = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "one", "x": point }] });
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = vec![0; 4096];
                let read = stream.read(&mut head).await.unwrap();
                let is_keys = head[..read].starts_with(b"GET /keys ");
                let body = if is_keys { &keys } else { &discovery }.to_string();
                let answer =
                    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { name, key: EncodingKey::from_ed_pem(private.as_bytes()).unwrap() }
    }

    fn token(&self, subject: &str) -> String {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some("one".to_owned());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let claims: Value =
            json!({ "iss": self.name, "sub": subject, "aud": "karibu", "exp": now + 300, "jti": client::request_id() });
        jsonwebtoken::encode(&header, &claims, &self.key).unwrap()
    }
}

async fn branch(karibu: &Karibu, code: &str, parent: &str) -> String {
    let request = org::CreateBranchRequest {
        code: code.into(),
        display_name: code.into(),
        parent_branch_id: parent.into(),
        kind: if parent.is_empty() { org::BranchKind::Business } else { org::BranchKind::Branch }.into(),
        time_zone: "Africa/Kigali".into(),
        currency_code: "RWF".into(),
        ..Default::default()
    };
    karibu.organization().create_branch(request).await.unwrap().into_inner().branch.unwrap().branch_id
}

async fn signed_in(place: &Place, issuer: &Issuer, subject: &str) -> Karibu {
    Karibu::connect(&place.address, &issuer.token(subject)).await.unwrap()
}

async fn codes(karibu: &Karibu) -> Result<Vec<String>, Status> {
    let list = karibu.organization().list_branches(org::ListBranchesRequest::default()).await?.into_inner();
    Ok(list.branches.into_iter().map(|branch| branch.code).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_signs_in_and_may_in_each_branch_what_the_roles_there_allow() {
    let issuer = Issuer::start().await;
    let sign_in =
        SignIn { oidc_issuer: Some(issuer.name.clone()), oidc_audiences: vec!["karibu".to_owned()], oidc_roots: None };
    let place = embedded_with(sign_in).await;
    let admin = place.client().await;
    let root = branch(&admin, "ALL", "").await;
    let (kigali, london) = (branch(&admin, "KGL", &root).await, branch(&admin, "LDN", &root).await);
    branch(&admin, "NBO", &root).await;
    let grant = |role: &str, branch_id: &str| org::RoleGrant {
        role: role.into(),
        branch_ids: vec![branch_id.to_owned()],
        ..Default::default()
    };
    let member = org::CreateStaffMemberRequest {
        display_name: "Aline".into(),
        role_grants: vec![grant("agent", &kigali), grant("marketing", &london)],
        ..Default::default()
    };
    let member = admin.organization().create_staff_member(member).await.unwrap().into_inner().staff_member.unwrap();

    let stranger = codes(&signed_in(&place, &issuer, "aline").await).await.unwrap_err();
    assert_eq!(stranger.code(), Code::Unauthenticated, "nobody is linked to this name yet");
    let link = org::LinkStaffIdentityRequest {
        staff_member_id: member.staff_member_id,
        issuer: issuer.name.clone(),
        subject: "aline".into(),
        ..Default::default()
    };
    admin.access().link_staff_identity(link).await.unwrap();

    let aline = signed_in(&place, &issuer, "aline").await;
    assert_eq!(codes(&aline).await.unwrap(), ["KGL", "LDN"], "both roles may read branches, each where it holds");
    let open = |branch_id: &str| ticketing::OpenComplaintRequest {
        request_id: client::request_id(),
        branch_id: branch_id.to_owned(),
        channel: proto::karibu::types::v1::Channel::InPerson.into(),
        category_code: "wrong-item".into(),
        subject: "The cake has the wrong name on it".into(),
        narrative: "It says Inez.".into(),
        ..Default::default()
    };
    let opened = async |karibu: &Karibu, branch_id: &str| {
        let call = || async { karibu.ticketing().open_complaint(open(branch_id)).await };
        client::patiently(SOON, call).await.unwrap().into_inner().complaint.unwrap().branch_id
    };
    assert_eq!(opened(&admin, &london).await, london, "London is known where complaints are kept");
    assert_eq!(opened(&aline, &kigali).await, kigali);
    let elsewhere = aline.ticketing().open_complaint(open(&london)).await.unwrap_err();
    let told = client::reason(&elsewhere);
    assert_eq!(told.as_deref(), Some("BRANCH_UNKNOWN"), "to an agent of Kigali, London is no branch: {elsewhere:?}");
    let keys = aline.organization().list_api_keys(org::ListApiKeysRequest::default()).await.unwrap_err();
    assert_eq!(keys.code(), Code::PermissionDenied);
    let other = codes(&signed_in(&place, &issuer, "bob").await).await.unwrap_err();
    assert_eq!(other.code(), Code::Unauthenticated);
}
