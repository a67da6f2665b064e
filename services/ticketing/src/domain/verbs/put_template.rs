//! Put template: a text of ours is made or changed. One that blames the customer is refused.

use commit::{Verb, ensure, refuse};

use crate::Ticketing;
use crate::domain::plain_language::blaming;
use crate::domain::template::{Template, Variant, is_whole};
use crate::domain::{Cx, Desk, Outcome, Refusal};

/// We say it so.
#[derive(Clone, Debug)]
pub struct PutTemplate {
    /// Its code.
    pub code: String,
    /// Its language, BCP 47.
    pub locale: String,
    /// How much it says.
    pub variant: Variant,
    /// The version that the caller knows; `None` does not check.
    pub expected_version: Option<i64>,
    /// The text.
    pub body: String,
    /// Words of the business that it must not use.
    pub jargon: Vec<String>,
}

impl Verb<Ticketing> for PutTemplate {
    type Reply = Template;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<Template> {
        let id = Template::id_of(&self.code, &self.locale, self.variant);
        let old = desk.templates.get(id)?.cloned();
        let current = old.as_ref().map_or(0, |old| old.version);
        ensure!(self.expected_version.is_none_or(|known| known == current), Refusal::VersionMismatch { current });
        ensure!(is_whole(&self.body), Refusal::TemplateBroken);
        if let Some(phrase) = blaming(&self.body) {
            refuse!(Refusal::BlamesCustomer { field: "body", phrase });
        }
        let template = Template {
            id,
            // As it will be saved: nothing is told, so that it counts up once.
            version: current + 1,
            code: self.code.clone(),
            locale: self.locale.clone(),
            variant: self.variant,
            body: self.body.clone(),
            jargon: self.jargon.clone(),
            created_at_us: old.map_or(cx.now_us, |old| old.created_at_us),
            updated_at_us: cx.now_us,
        };
        Ok(desk.templates.insert(template).clone())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::stage::Stage;

    #[test]
    fn a94_a_template_that_blames_is_refused_and_a_broken_one_too() {
        let mut stage = Stage::new();
        let verb = PutTemplate {
            code: "closing".to_owned(),
            locale: "en".to_owned(),
            variant: Variant::Warm,
            expected_version: None,
            body: "Dear {name}, it was your fault.".to_owned(),
            jargon: Vec::new(),
        };
        let refusal = Refusal::BlamesCustomer { field: "body", phrase: "your fault" };
        assert_eq!(stage.play(&verb).unwrap_err(), refusal);
        let broken = PutTemplate { body: "Dear {name".to_owned(), ..verb.clone() };
        assert_eq!(stage.play(&broken).unwrap_err(), Refusal::TemplateBroken);
        let fine = PutTemplate { body: "Dear {name}, we see it differently.".to_owned(), ..verb };
        assert_eq!(stage.play(&fine).unwrap().version, 1);
        assert_eq!(stage.play(&fine).unwrap().version, 2);
        let stale = PutTemplate { expected_version: Some(1), ..fine };
        assert_eq!(stage.play(&stale).unwrap_err(), Refusal::VersionMismatch { current: 2 });
    }
}
