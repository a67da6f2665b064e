//! Rows of the feedback tables and the way from domain types to them and back. What queries filter or sort by stands in
//! columns, the rest in `doc`.

use ::store::{Json, Kind, OnConflict, Rows, Table};
use commit::{Aggregate, Corrupt, known};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::{
    Answer, Branch, Case, CaseId, Definition, Invitation, InvitationId, InvitationState, LINK_SECRET_ID, LinkSecret,
    Occasion, OpenCases, Questionnaire, Response, ResponseId, ScoreClass, Survey, SurveyId, SurveyKind, SurveyState,
    TriggerRule,
};

static SURVEY: Table = Table::new(
    "survey",
    1,
    &[
        ("id", Kind::Uuid),
        ("version", Kind::Int),
        ("code", Kind::Text),
        ("state", Kind::Text),
        ("created_at_us", Kind::Int),
        ("updated_at_us", Kind::Int),
        ("doc", Kind::Json),
    ],
    OnConflict::Update,
);

#[derive(Serialize, Deserialize)]
struct SurveyDoc {
    display_name: String,
    kind: SurveyKind,
    revisions: Vec<Questionnaire>,
    trigger: Option<TriggerRule>,
    branches: Vec<Uuid>,
    link_ttl_ms: i64,
    metric: Option<Definition>,
}

/// A row of `survey`.
#[derive(sqlx::FromRow)]
pub struct SurveyRow {
    id: Uuid,
    version: i64,
    code: String,
    state: String,
    created_at_us: i64,
    updated_at_us: i64,
    doc: Json<SurveyDoc>,
}

impl Aggregate for Survey {
    const TABLE: &'static Table = &SURVEY;
    const TYPE: &'static str = "survey";
    type Row = SurveyRow;

    fn from_row(row: SurveyRow) -> Result<Self, Corrupt> {
        let Json(doc) = row.doc;
        let state = known(SurveyState::find(&row.state), &SURVEY, row.id, "state", &row.state)?;
        Ok(Self {
            id: SurveyId(row.id),
            version: row.version,
            code: row.code,
            display_name: doc.display_name,
            kind: doc.kind,
            state,
            revisions: doc.revisions,
            trigger: doc.trigger,
            branches: doc.branches,
            link_ttl_ms: doc.link_ttl_ms,
            metric: doc.metric,
            created_at_us: row.created_at_us,
            updated_at_us: row.updated_at_us,
        })
    }

    fn to_row(&self, row: &mut Rows) {
        let doc = json(&SurveyDoc {
            display_name: self.display_name.clone(),
            kind: self.kind,
            revisions: self.revisions.clone(),
            trigger: self.trigger.clone(),
            branches: self.branches.clone(),
            link_ttl_ms: self.link_ttl_ms,
            metric: self.metric,
        });
        row.uuid(self.id.uuid())
            .int(self.version)
            .text(self.code.as_str())
            .text(self.state.as_str())
            .int(self.created_at_us)
            .int(self.updated_at_us)
            .text(doc.as_str());
    }

    commit::identity!(id, version);
}

static INVITATION: Table = Table::new(
    "invitation",
    1,
    &[
        ("id", Kind::Uuid),
        ("version", Kind::Int),
        ("survey_id", Kind::Uuid),
        ("customer_id", Kind::Uuid),
        ("branch_id", Kind::Uuid),
        ("state", Kind::Text),
        ("scheduled_at_us", Kind::Int),
        ("sent_at_us", Kind::Int),
        ("expires_at_us", Kind::Int),
        ("created_at_us", Kind::Int),
        ("updated_at_us", Kind::Int),
        ("doc", Kind::Json),
    ],
    OnConflict::Update,
);

#[derive(Serialize, Deserialize)]
struct InvitationDoc {
    survey_revision: i64,
    occasion: Occasion,
    /// The state with what belongs to it; its word alone also stands in the column, for indexes and filters.
    state: InvitationState,
}

/// A row of `invitation`.
#[derive(sqlx::FromRow)]
pub struct InvitationRow {
    id: Uuid,
    version: i64,
    survey_id: Uuid,
    customer_id: Uuid,
    branch_id: Option<Uuid>,
    scheduled_at_us: i64,
    sent_at_us: Option<i64>,
    expires_at_us: Option<i64>,
    created_at_us: i64,
    updated_at_us: i64,
    doc: Json<InvitationDoc>,
}

impl Aggregate for Invitation {
    const TABLE: &'static Table = &INVITATION;
    const TYPE: &'static str = "invitation";
    type Row = InvitationRow;

    fn from_row(row: InvitationRow) -> Result<Self, Corrupt> {
        let Json(doc) = row.doc;
        Ok(Self {
            id: InvitationId(row.id),
            version: row.version,
            survey: SurveyId(row.survey_id),
            survey_revision: doc.survey_revision,
            customer: row.customer_id,
            branch: row.branch_id,
            occasion: doc.occasion,
            state: doc.state,
            scheduled_at_us: row.scheduled_at_us,
            sent_at_us: row.sent_at_us,
            expires_at_us: row.expires_at_us,
            created_at_us: row.created_at_us,
            updated_at_us: row.updated_at_us,
        })
    }

    fn to_row(&self, row: &mut Rows) {
        let doc =
            json(&InvitationDoc { survey_revision: self.survey_revision, occasion: self.occasion, state: self.state });
        row.uuid(self.id.uuid())
            .int(self.version)
            .uuid(self.survey.uuid())
            .uuid(self.customer)
            .uuid(self.branch)
            .text(self.state.as_str())
            .int(self.scheduled_at_us)
            .int(self.sent_at_us)
            .int(self.expires_at_us)
            .int(self.created_at_us)
            .int(self.updated_at_us)
            .text(doc.as_str());
    }

    commit::identity!(id, version, branch?: branch, customer: customer);
}

static RESPONSE: Table = Table::new(
    "response",
    1,
    &[
        ("id", Kind::Uuid),
        ("version", Kind::Int),
        ("survey_id", Kind::Uuid),
        ("invitation_id", Kind::Uuid),
        ("customer_id", Kind::Uuid),
        ("branch_id", Kind::Uuid),
        ("score", Kind::Int),
        ("completed_at_us", Kind::Int),
        ("updated_at_us", Kind::Int),
        ("doc", Kind::Json),
    ],
    OnConflict::Update,
);

#[derive(Serialize, Deserialize)]
struct ResponseDoc {
    survey_revision: i64,
    answers: Vec<Answer>,
    class: Option<ScoreClass>,
    contact_ok: bool,
    locale: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    erased_at_us: Option<i64>,
}

/// A row of `response`.
#[derive(sqlx::FromRow)]
pub struct ResponseRow {
    id: Uuid,
    version: i64,
    survey_id: Uuid,
    invitation_id: Uuid,
    customer_id: Uuid,
    branch_id: Option<Uuid>,
    score: Option<i64>,
    completed_at_us: i64,
    updated_at_us: i64,
    doc: Json<ResponseDoc>,
}

impl Aggregate for Response {
    const TABLE: &'static Table = &RESPONSE;
    const TYPE: &'static str = "response";
    type Row = ResponseRow;

    fn from_row(row: ResponseRow) -> Result<Self, Corrupt> {
        let Json(doc) = row.doc;
        let score = row.score.map(i32::try_from).transpose();
        Ok(Self {
            id: ResponseId(row.id),
            version: row.version,
            survey: SurveyId(row.survey_id),
            survey_revision: doc.survey_revision,
            invitation: InvitationId(row.invitation_id),
            customer: row.customer_id,
            branch: row.branch_id,
            answers: doc.answers,
            score: score.map_err(|_| Corrupt(format!("response {}: its score is too large", row.id)))?,
            class: doc.class,
            contact_ok: doc.contact_ok,
            locale: doc.locale,
            erased_at_us: doc.erased_at_us,
            completed_at_us: row.completed_at_us,
            updated_at_us: row.updated_at_us,
        })
    }

    fn to_row(&self, row: &mut Rows) {
        let doc = json(&ResponseDoc {
            survey_revision: self.survey_revision,
            answers: self.answers.clone(),
            class: self.class,
            contact_ok: self.contact_ok,
            locale: self.locale.clone(),
            erased_at_us: self.erased_at_us,
        });
        row.uuid(self.id.uuid())
            .int(self.version)
            .uuid(self.survey.uuid())
            .uuid(self.invitation.uuid())
            .uuid(self.customer)
            .uuid(self.branch)
            .int(self.score.map(i64::from))
            .int(self.completed_at_us)
            .int(self.updated_at_us)
            .text(doc.as_str());
    }

    commit::identity!(id, version, branch?: branch, customer: customer);
}

static CASE: Table = Table::new(
    "complaint_case",
    1,
    &[
        ("id", Kind::Uuid),
        ("customer_id", Kind::Uuid),
        ("branch_id", Kind::Uuid),
        ("open_for", Kind::Uuid),
        ("cycle", Kind::Int),
        ("doc", Kind::Json),
    ],
    OnConflict::Update,
);

#[derive(Serialize, Deserialize)]
struct CaseDoc {
    scheduled: Vec<InvitationId>,
}

/// A row of `complaint_case`.
#[derive(sqlx::FromRow)]
pub struct CaseRow {
    id: Uuid,
    customer_id: Option<Uuid>,
    branch_id: Option<Uuid>,
    open_for: Option<Uuid>,
    cycle: i64,
    doc: Json<CaseDoc>,
}

impl Aggregate for Case {
    const TABLE: &'static Table = &CASE;
    const TYPE: &'static str = "complaint_case";
    type Row = CaseRow;

    fn from_row(row: CaseRow) -> Result<Self, Corrupt> {
        Ok(Self {
            id: CaseId(row.id),
            customer: row.customer_id,
            branch: row.branch_id,
            open_for: row.open_for,
            cycle: row.cycle,
            scheduled: row.doc.0.scheduled,
            version: 0,
        })
    }
    fn to_row(&self, row: &mut Rows) {
        let doc = json(&CaseDoc { scheduled: self.scheduled.clone() });
        row.uuid(self.id.uuid())
            .uuid(self.customer)
            .uuid(self.branch)
            .uuid(self.open_for)
            .int(self.cycle)
            .text(doc.as_str());
    }
    commit::identity!(id, version);
}

static OPEN_CASES: Table =
    Table::new("open_cases", 1, &[("customer_id", Kind::Uuid), ("open_count", Kind::Int)], OnConflict::Update);

/// A row of `open_cases`.
#[derive(sqlx::FromRow)]
pub struct OpenCasesRow {
    customer_id: Uuid,
    open_count: i64,
}

impl Aggregate for OpenCases {
    const TABLE: &'static Table = &OPEN_CASES;
    const TYPE: &'static str = "open_cases";
    type Row = OpenCasesRow;

    fn from_row(row: OpenCasesRow) -> Result<Self, Corrupt> {
        Ok(Self { customer: row.customer_id, count: row.open_count, version: 0 })
    }
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.customer).int(self.count);
    }
    commit::identity!(customer, version);
}

static BRANCH: Table = Table::new(
    "branch",
    1,
    &[("id", Kind::Uuid), ("parent_id", Kind::Uuid), ("closed", Kind::Int)],
    OnConflict::Update,
);

/// A row of `branch`.
#[derive(sqlx::FromRow)]
pub struct BranchRow {
    id: Uuid,
    parent_id: Option<Uuid>,
    closed: i64,
}

impl Aggregate for Branch {
    const TABLE: &'static Table = &BRANCH;
    const TYPE: &'static str = "branch";
    type Row = BranchRow;

    fn from_row(row: BranchRow) -> Result<Self, Corrupt> {
        Ok(Self { id: row.id, parent: row.parent_id, closed: row.closed == 1, version: 0 })
    }
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id).uuid(self.parent).flag(self.closed);
    }
    commit::identity!(id, version);
}

static LINK_SECRET: Table =
    Table::new("link_secret", 1, &[("id", Kind::Uuid), ("secret", Kind::Bytes)], OnConflict::Update);

/// A row of `link_secret`.
#[derive(sqlx::FromRow)]
pub struct LinkSecretRow {
    id: Uuid,
    secret: Vec<u8>,
}

impl Aggregate for LinkSecret {
    const TABLE: &'static Table = &LINK_SECRET;
    const TYPE: &'static str = "link_secret";
    type Row = LinkSecretRow;

    fn from_row(row: LinkSecretRow) -> Result<Self, Corrupt> {
        let secret = row.secret.try_into().map_err(|_| Corrupt(format!("link secret {}: its length", row.id)))?;
        Ok(Self { secret, version: 0 })
    }
    fn to_row(&self, row: &mut Rows) {
        row.uuid(LINK_SECRET_ID).bytes(self.secret.as_slice());
    }
    fn id(&self) -> Uuid {
        LINK_SECRET_ID
    }
    fn version(&self) -> i64 {
        self.version
    }
    fn version_mut(&mut self) -> &mut i64 {
        &mut self.version
    }
}

/// Documents are plain data with text keys: they always become JSON.
fn json<T: Serialize>(doc: &T) -> String {
    serde_json::to_string(doc).unwrap_or_default()
}
