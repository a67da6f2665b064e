//! The handlers of `ConversationService`, one per method, and what comes with words as messages.

use commit::Answer;
use proto::karibu::ticketing::v1 as wire;
use proto::karibu::ticketing::v1::conversation_service_server::ConversationService;
use proto::timestamp_from_us;
use server::{field, status};
use tonic::{Request, Response, Status};

use super::Api;
use super::codes::Coded;
use super::decode::{id, instant, maybe_id, required};
use super::service::{open, store};
use crate::domain::Refusal;
use crate::domain::interaction::{Attachment, Cue, Extras};
use crate::domain::plain_language::{self, Blemish, lint};
use crate::domain::template::{Gap, Template, Variant, fill};
use crate::domain::verbs::{PutTemplate, ReceiveMessage};
use crate::error::refused_by;

/// Something that came with words.
pub(super) fn attachment(attached: &Attachment) -> wire::Attachment {
    wire::Attachment {
        name: attached.name.clone(),
        r#ref: attached.reference.clone(),
        media_type: attached.media_type.clone(),
        sha256: attached.sha256.clone(),
        size_bytes: attached.size_bytes,
    }
}

/// Something that was noticed.
pub(super) fn cue(cue: &Cue) -> wire::Cue {
    wire::Cue { kind: cue.kind.number(), value: cue.value.clone(), intensity: cue.intensity }
}

/// What comes with words, as it is asked for.
pub(super) fn extras(
    attachments: Vec<wire::Attachment>,
    cues: Vec<wire::Cue>,
    emotion: i32,
    intensity: i32,
    duration_s: i32,
) -> Result<Extras, Status> {
    let attached = |one: wire::Attachment| Attachment {
        name: one.name,
        reference: one.r#ref,
        media_type: one.media_type,
        sha256: one.sha256,
        size_bytes: one.size_bytes,
    };
    let noticed =
        |one: wire::Cue| Ok(Cue { kind: required(one.kind, "cues.kind")?, value: one.value, intensity: one.intensity });
    let emotion = Coded::read(emotion);
    if emotion.is_some() != (intensity > 0) {
        return Err(status::invalid([("emotion_intensity", "must be given with an emotion, and only then")]));
    }
    Ok(Extras {
        attachments: attachments.into_iter().map(attached).collect(),
        cues: cues.into_iter().map(noticed).collect::<Result<_, Status>>()?,
        emotion: emotion.map(|emotion| (emotion, intensity)),
        duration_s: (duration_s > 0).then_some(duration_s),
    })
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn blemish(found: &Blemish) -> wire::Blemish {
    use wire::BlemishKind as K;
    let (kind, phrase, plain, count) = match found {
        Blemish::Blame { phrase } => (K::Blame, phrase.clone(), String::new(), 0),
        Blemish::Jargon { phrase, plain } => (K::Jargon, phrase.clone(), plain.clone(), 0),
        Blemish::Negative { phrase } => (K::Negative, phrase.clone(), String::new(), 0),
        Blemish::LongSentence { words } => (K::LongSentence, String::new(), String::new(), count(*words)),
        Blemish::HardToRead { lix } => (K::HardToRead, String::new(), String::new(), count(*lix)),
        Blemish::TooManyThanks { count: often } => (K::TooManyThanks, String::new(), String::new(), count(*often)),
    };
    wire::Blemish { kind: kind.into(), phrase, plain, count, blocks: found.blocks() }
}

fn blemishes(text: &str, jargon: &[String]) -> Vec<wire::Blemish> {
    lint(text, jargon).iter().map(blemish).collect()
}

fn template(template: &Template) -> wire::Template {
    wire::Template {
        template_code: template.code.clone(),
        locale: template.locale.clone(),
        variant: template.variant.number(),
        body: template.body.clone(),
        jargon: template.jargon.clone(),
        blemishes: blemishes(&template.body, &template.jargon),
        etag: template.version.to_string(),
        create_time: Some(timestamp_from_us(template.created_at_us)),
        update_time: Some(timestamp_from_us(template.updated_at_us)),
    }
}

impl Answer for Template {
    type Wire = wire::Template;
    fn to_wire(&self) -> Self::Wire {
        template(self)
    }
}

impl Api {
    async fn nearest(&self, code: &str, locale: &str, variant: i32) -> Result<Template, Status> {
        let ids = Template::nearest(code, locale, Coded::read(variant).unwrap_or(Variant::Warm));
        let found = self.reads.find_template(&ids).await.map_err(store)?;
        found.ok_or_else(|| refused_by(&Refusal::TemplateNotFound))
    }
}

#[tonic::async_trait]
impl ConversationService for Api {
    async fn receive_message(
        &self,
        request: Request<wire::ReceiveMessageRequest>,
    ) -> Result<Response<wire::ReceiveMessageResponse>, Status> {
        let (body, call) = open(request)?;
        let (emotion, intensity) = (body.emotion, body.emotion_intensity);
        let verb = ReceiveMessage {
            scope: call.principal.scope.clone(),
            channel: required(body.channel, "channel")?,
            external_message_id: body.external_message_id,
            complaint: maybe_id(&body.complaint_id),
            branch: id(&body.branch_id),
            customer: maybe_id(&body.customer_id),
            subject: body.subject,
            body: body.body,
            occurred_at_us: instant(body.occur_time.as_ref()),
            extras: extras(body.attachments, body.cues, emotion, intensity, body.duration_s)?,
        };
        let wire::AddInteractionResponse { interaction, complaint } = self.submit(&call, verb).await?;
        Ok(Response::new(wire::ReceiveMessageResponse { interaction, complaint }))
    }

    async fn put_template(
        &self,
        request: Request<wire::PutTemplateRequest>,
    ) -> Result<Response<wire::PutTemplateResponse>, Status> {
        let (body, call) = open(request)?;
        let verb = PutTemplate {
            code: body.template_code,
            locale: body.locale,
            variant: required(body.variant, "variant")?,
            expected_version: field::expected_version(&body.etag),
            body: body.body,
            jargon: body.jargon,
        };
        let template = Some(self.submit(&call, verb).await?);
        Ok(Response::new(wire::PutTemplateResponse { template }))
    }

    async fn get_template(
        &self,
        request: Request<wire::GetTemplateRequest>,
    ) -> Result<Response<wire::GetTemplateResponse>, Status> {
        let (body, _) = open(request)?;
        let found = self.nearest(&body.template_code, &body.locale, body.variant).await?;
        Ok(Response::new(wire::GetTemplateResponse { template: Some(template(&found)) }))
    }

    async fn render_template(
        &self,
        request: Request<wire::RenderTemplateRequest>,
    ) -> Result<Response<wire::RenderTemplateResponse>, Status> {
        let (body, _) = open(request)?;
        let found = self.nearest(&body.template_code, &body.locale, body.variant).await?;
        let values: Vec<(String, String)> = body.values.into_iter().map(|value| (value.name, value.text)).collect();
        let text = fill(&found.body, &values, body.thanked_already).map_err(|gap| match gap {
            Gap::Broken => refused_by(&Refusal::TemplateBroken),
            Gap::Missing(name) => refused_by(&Refusal::ValueMissing { name }),
        })?;
        if let Some(phrase) = plain_language::blaming(&text) {
            return Err(refused_by(&Refusal::BlamesCustomer { field: "values", phrase }));
        }
        let blemishes = blemishes(&text, &found.jargon);
        Ok(Response::new(wire::RenderTemplateResponse { text, blemishes }))
    }

    async fn lint_text(
        &self,
        request: Request<wire::LintTextRequest>,
    ) -> Result<Response<wire::LintTextResponse>, Status> {
        let (body, _) = open(request)?;
        let lix = plain_language::lix(&body.text).map_or(0, count);
        Ok(Response::new(wire::LintTextResponse { blemishes: blemishes(&body.text, &body.jargon), lix }))
    }
}
