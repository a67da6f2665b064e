//! The first act: the business with its branches, its points and its survey.

use anyhow::Context;
use client::request_id;
use proto::EventPayload;
use proto::karibu::feedback::v1 as feedback;
use proto::karibu::loyalty::v1 as loyalty;
use proto::karibu::organization::v1 as organization;
use proto::karibu::ticketing::v1::{ComplaintReopened, ComplaintResolved};
use proto::karibu::types::v1::LocalizedText;

use super::{Branches, Telling, call, part};

impl Telling<'_> {
    pub(super) async fn open_business(&mut self) -> anyhow::Result<Branches> {
        self.narrator.act("A supermarket chain opens: two branches in Kigali, one in London");
        let business = self.branch("CHAIN", "Umurava Supermarkets", "", "Africa/Kigali", "RWF").await?;
        let kimironko = self.branch("KGL1", "Kimironko", &business, "Africa/Kigali", "RWF").await?;
        let nyamirambo = self.branch("KGL2", "Nyamirambo", &business, "Africa/Kigali", "RWF").await?;
        let london = self.branch("LON1", "Peckham", &business, "Europe/London", "GBP").await?;
        let earn =
            |currency: &str, per| loyalty::EarnRule { currency_code: currency.into(), points: 1, per_minor_units: per };
        let request = loyalty::CreateProgramRequest {
            request_id: request_id(),
            code: "UMURAVA".into(),
            display_name: "Umurava Card".into(),
            unit_label: "points".into(),
            earn_rules: vec![earn("RWF", 100), earn("GBP", 10)],
            rounding: loyalty::Rounding::Floor.into(),
            return_policy: loyalty::ReturnPolicy::Debt.into(),
            auto_enrol: true,
            goodwill_max_points: 1_000,
            default_time_zone: "Africa/Kigali".into(),
            ..Default::default()
        };
        call!(self, loyalty.create_program, request, |_reply| "1 point for each RWF 100 or GBP 0.10");
        self.prepare_survey().await?;
        Ok(Branches { kimironko, nyamirambo, london })
    }

    async fn branch(
        &mut self,
        code: &str,
        name: &str,
        parent: &str,
        zone: &str,
        currency: &str,
    ) -> anyhow::Result<String> {
        let kind =
            if parent.is_empty() { organization::BranchKind::Business } else { organization::BranchKind::Branch };
        let request = organization::CreateBranchRequest {
            request_id: request_id(),
            code: code.into(),
            display_name: name.into(),
            parent_branch_id: parent.into(),
            kind: kind.into(),
            time_zone: zone.into(),
            currency_code: currency.into(),
            locale: "en".into(),
        };
        let reply =
            call!(self, organization.create_branch, request, |_reply| format!("{name} ({code}, {zone}, {currency})"));
        Ok(part!(reply, branch).branch_id)
    }

    async fn prepare_survey(&mut self) -> anyhow::Result<()> {
        let text = |text: &str| vec![LocalizedText { locale: "en".into(), text: text.into() }];
        let effort = feedback::Question {
            question_id: "effort".into(),
            r#type: feedback::QuestionType::Scale.into(),
            text: text("Umurava made it easy to have my complaint handled."),
            required: true,
            scale_min: 1,
            scale_max: 7,
            low_label: text("strongly disagree"),
            high_label: text("strongly agree"),
            choices: Vec::new(),
        };
        let trigger = feedback::TriggerRule {
            event_type: ComplaintResolved::TYPE.into(),
            delay: Some(prost_types::Duration { seconds: 5 * 24 * 3_600, nanos: 0 }),
            cancel_on_event_types: vec![ComplaintReopened::TYPE.into()],
        };
        let request = feedback::CreateSurveyRequest {
            request_id: request_id(),
            code: "AFTERCARE".into(),
            display_name: "After care".into(),
            kind: feedback::SurveyKind::Ces.into(),
            locales: vec!["en".into()],
            questions: vec![effort],
            trigger: Some(trigger),
            ..Default::default()
        };
        let survey =
            call!(self, feedback.create_survey, request, |_reply| "customer effort, 5 days after a resolution");
        let survey_id = part!(survey, survey).survey_id;
        let request = feedback::ActivateSurveyRequest { request_id: request_id(), survey_id, etag: String::new() };
        call!(self, feedback.activate_survey, request, |_reply| "the survey is live");
        Ok(())
    }
}
