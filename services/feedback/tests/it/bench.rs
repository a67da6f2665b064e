//! A fresh database on each engine, and the whole service beside logs of its neighbours, with typed clients to it.

use feedback::{Config, NAME};
use kernel::{BranchScope, Clock};
use proto::karibu::feedback::v1 as wire;
use proto::karibu::feedback::v1::feedback_service_client::FeedbackServiceClient;
use proto::karibu::organization::v1::BranchCreated;
use proto::karibu::ticketing::v1 as ticketing;
use proto::karibu::types::v1::LocalizedText;
use proto::{EventPayload, Permission};
use server::auth::{Kind, Principal};
use server::{House, Upstream};
use stage::{About, Bench, Ground, Neighbours};
pub use stage::{SOON, fields, reason};
use testkit::assert_eventually;
use uuid::Uuid;

use crate::neighbours;

/// The business time of the tests, microseconds since the Unix epoch.
pub const NOW_US: i64 = 1_795_000_000_000_000;
/// A region, a branch below it, and a branch elsewhere.
pub const REGION: Uuid = Uuid::from_u128(0x1000);
pub const HERE: Uuid = Uuid::from_u128(0x1001);
pub const THERE: Uuid = Uuid::from_u128(0x2001);
/// How long after a resolution the surveys of the tests ask.
pub const DELAY_US: i64 = 5 * kernel::DAY_US;

/// One database on each engine.
pub async fn both() -> Vec<Bench> {
    stage::both(NAME, feedback::MIGRATIONS).await
}

pub type Client = FeedbackServiceClient<server::hop::Acting>;

/// The service, as the suite runs it.
pub struct Place {
    pub house: House,
    pub neighbours: Neighbours,
    routes: tonic::service::Routes,
    _ground: Ground,
}

impl Place {
    /// On a SQLite file of its own, with the branches known.
    pub async fn new() -> Self {
        Self::at(Ground::sqlite(NAME)).await
    }

    /// On a database of each engine.
    pub async fn both() -> Vec<Self> {
        vec![Self::new().await, Self::at(Ground::postgres(NAME).await).await]
    }

    async fn at(ground: Ground) -> Self {
        let house = House::embedded(Clock::manual(NOW_US)).unwrap();
        let kit = house.kit(NAME, ground.url.clone());
        let routes = feedback::start(&kit, Config::default()).await.unwrap().routes;
        let neighbours = neighbours::start(&house, ground.folder.path()).await;
        for (id, parent) in [(REGION, None), (HERE, Some(REGION)), (THERE, None)] {
            let payload = BranchCreated {
                branch_id: id.to_string(),
                parent_branch_id: parent.as_ref().map(Uuid::to_string).unwrap_or_default(),
                ..Default::default()
            };
            neighbours.tell(About { branch: Some(id), ..About::thing(id) }, payload).await;
        }
        Self { house, neighbours, routes, _ground: ground }
    }

    /// A client in the name of `principal`.
    pub fn client(&self, principal: Principal) -> Client {
        let minter = self.house.minter.clone().unwrap();
        FeedbackServiceClient::new(Upstream::Local(self.routes.clone()).acting_as(principal, minter, NAME))
    }

    /// A client that may do everything everywhere.
    pub fn admin(&self) -> Client {
        self.client(staff(BranchScope::All))
    }

    /// A client that may do everything at these branches.
    pub fn local(&self, branches: &[Uuid]) -> Client {
        self.client(staff(BranchScope::only(branches.iter().copied())))
    }

    /// A customer without any credential but a link.
    pub fn nobody(&self) -> Client {
        self.client(Principal::anonymous())
    }

    /// Creates a survey and starts it, once the branches that it names are known.
    pub async fn active(&self, request: wire::CreateSurveyRequest) -> wire::Survey {
        let survey = assert_eventually(SOON, || async { self.admin().create_survey(request.clone()).await }).await;
        let survey_id = survey.into_inner().survey.unwrap().survey_id;
        let activate = wire::ActivateSurveyRequest { survey_id, ..Default::default() };
        self.admin().activate_survey(activate).await.unwrap().into_inner().survey.unwrap()
    }

    pub async fn resolve(&self, complaint: Uuid, customer: Uuid, branch: Uuid, count: i32) {
        let payload = ticketing::ComplaintResolved {
            complaint_id: complaint.to_string(),
            customer_id: customer.to_string(),
            branch_id: branch.to_string(),
            resolution_count: count,
            ..Default::default()
        };
        self.neighbours.tell(about(complaint, branch, customer), payload).await;
    }

    pub async fn open_complaint(&self, complaint: Uuid, customer: Uuid, branch: Uuid) {
        let payload = ticketing::ComplaintOpened {
            complaint_id: complaint.to_string(),
            customer_id: customer.to_string(),
            branch_id: branch.to_string(),
            ..Default::default()
        };
        self.neighbours.tell(about(complaint, branch, customer), payload).await;
    }

    pub async fn reopen(&self, complaint: Uuid, count: i32) {
        let payload = ticketing::ComplaintReopened {
            complaint_id: complaint.to_string(),
            reopen_count: count,
            resolution_count: count,
            ..Default::default()
        };
        self.neighbours.tell(About::thing(complaint), payload).await;
    }

    /// The invitations of a customer, newest first.
    pub async fn invitations(&self, customer: Uuid) -> Vec<wire::Invitation> {
        let request = wire::ListInvitationsRequest { customer_id: customer.to_string(), ..Default::default() };
        self.admin().list_invitations(request).await.unwrap().into_inner().invitations
    }

    /// Waits until the newest invitation of a customer is in this state.
    pub async fn until(&self, customer: Uuid, state: wire::InvitationState) -> wire::Invitation {
        assert_eventually(SOON, || async {
            self.invitations(customer).await.into_iter().next().filter(|newest| newest.state() == state)
        })
        .await
    }

    /// Resolves a complaint, lets the delay pass and gives the invitation that went out with its token.
    pub async fn invited(&self, customer: Uuid, branch: Uuid) -> (wire::Invitation, String) {
        self.resolve(Uuid::now_v7(), customer, branch, 1).await;
        self.until(customer, wire::InvitationState::Scheduled).await;
        self.house.clock.advance_us(DELAY_US);
        let invitation = self.until(customer, wire::InvitationState::Sent).await;
        let token = self.token(&invitation.invitation_id).await;
        (invitation, token)
    }

    pub async fn token(&self, invitation_id: &str) -> String {
        let request = wire::CreateInvitationLinkRequest { invitation_id: invitation_id.into(), ..Default::default() };
        self.admin().create_invitation_link(request).await.unwrap().into_inner().token
    }

    pub async fn page(&self, token: &str, locale: &str) -> wire::SurveyPage {
        let request = wire::GetSurveyPageRequest { token: token.into(), locale: locale.into() };
        self.nobody().get_survey_page(request).await.unwrap().into_inner().page.unwrap()
    }
}

fn about(complaint: Uuid, branch: Uuid, customer: Uuid) -> About {
    About { branch: Some(branch), customer: Some(customer), ..About::thing(complaint) }
}

fn staff(scope: BranchScope) -> Principal {
    let permissions = [
        Permission::SurveyRead,
        Permission::SurveyWrite,
        Permission::ResponseRead,
        Permission::ResponseSubmit,
        Permission::InvitationWrite,
    ];
    let permissions = permissions.into_iter().collect();
    Principal { subject: "tester".into(), kind: Kind::Staff, permissions, scope }
}

/// A text in both languages of the tests.
pub fn texts(text: &str) -> Vec<LocalizedText> {
    ["en", "rw"].map(|locale| LocalizedText { locale: locale.into(), text: format!("{text} ({locale})") }).into()
}

pub fn question(question_id: &str, kind: wire::QuestionType) -> wire::Question {
    wire::Question { question_id: question_id.into(), r#type: kind.into(), text: texts("Why?"), ..Default::default() }
}

/// An effort survey that asks some days after a resolution.
pub fn effort(code: &str) -> wire::CreateSurveyRequest {
    let easy = wire::Question { required: true, ..question("easy", wire::QuestionType::Scale) };
    wire::CreateSurveyRequest {
        code: code.into(),
        display_name: "After care".into(),
        kind: wire::SurveyKind::Ces.into(),
        locales: vec!["en".into(), "rw".into()],
        questions: vec![easy, question("words", wire::QuestionType::Text)],
        trigger: Some(wire::TriggerRule {
            event_type: ticketing::ComplaintResolved::TYPE.into(),
            delay: Some(prost_types::Duration { seconds: DELAY_US / kernel::SECOND_US, nanos: 0 }),
            cancel_on_event_types: vec![],
        }),
        ..Default::default()
    }
}

pub fn number(question: &str, number: i32) -> wire::Answer {
    wire::Answer { question_id: question.into(), value: Some(wire::answer::Value::Number(number)) }
}

pub fn submit(token: &str, submission: u128, answers: Vec<wire::Answer>) -> wire::SubmitResponseRequest {
    wire::SubmitResponseRequest {
        request_id: String::new(),
        token: token.into(),
        client_submission_id: Uuid::from_u128(submission).to_string(),
        answers,
        locale: "rw".into(),
    }
}
