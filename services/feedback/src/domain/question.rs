//! Questions of a survey and answers to them: what a sound questionnaire is, and which answers fit it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Definition, Refusal, SurveyKind};

/// A text in several languages: pairs of BCP 47 tag and text.
pub type Texts = Vec<(String, String)>;

/// What kind of answer a question wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuestionType {
    /// A whole number on a scale.
    Scale,
    /// One choice.
    Single,
    /// Any number of choices.
    Multi,
    /// Words.
    Text,
    /// May we contact you?
    ContactOk,
}

/// One choice of a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Code, unique in its question.
    pub id: String,
    /// Its text.
    pub text: Texts,
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Code, unique in its survey.
    pub id: String,
    /// What kind of answer it wants.
    pub kind: QuestionType,
    /// The question.
    pub text: Texts,
    /// It must be answered.
    pub required: bool,
    /// Least and greatest number of a scale; both 0 for other types.
    pub scale: (i32, i32),
    /// What the least number means; may be empty.
    pub low_label: Texts,
    /// What the greatest number means; may be empty.
    pub high_label: Texts,
    /// Choices, for the types that have them.
    pub choices: Vec<Choice>,
}

/// What a survey asks: one revision of it. Never changed once it is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Questionnaire {
    /// Languages; the first one stands in for others.
    pub locales: Vec<String>,
    /// The questions.
    pub questions: Vec<Question>,
}

/// The value of one answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerValue {
    /// Number on the scale.
    Number(i32),
    /// Words; personal data.
    Text(String),
    /// Yes or no.
    Yes(bool),
    /// Codes of choices.
    Choices(Vec<String>),
}

/// The answer to one question; a question without one was skipped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Code of the question.
    pub question: String,
    /// The value.
    pub value: AnswerValue,
}

fn unsound(question: usize, field: &'static str, why: &'static str) -> Refusal {
    Refusal::QuestionUnsound { question, field, why }
}

impl Questionnaire {
    /// Checks the questions for a survey of this kind, and fills in the scale that the kind has.
    pub fn check(mut self, kind: SurveyKind) -> Result<Self, Refusal> {
        let distinct: BTreeSet<&String> = self.locales.iter().collect();
        if distinct.len() != self.locales.len() {
            return Err(Refusal::LocaleRepeated);
        }
        if let Some((min, max)) = kind.scale() {
            let first = self.questions.first_mut().ok_or(unsound(0, "type", "the first question must be a scale"))?;
            if first.kind != QuestionType::Scale {
                return Err(unsound(0, "type", "the first question must be a scale"));
            }
            if first.scale == (0, 0) {
                first.scale = (min, max);
            }
            if first.scale != (min, max) {
                return Err(unsound(0, "scale_max", "is not the scale of this kind of survey"));
            }
        }
        let mut seen = BTreeSet::new();
        for (place, question) in self.questions.iter().enumerate() {
            if !seen.insert(&question.id) {
                return Err(unsound(place, "question_id", "stands twice in the survey"));
            }
            self.check_one(place, question)?;
        }
        Ok(self)
    }

    fn check_one(&self, place: usize, question: &Question) -> Result<(), Refusal> {
        let speaks_all = |texts: &Texts| {
            texts.len() == self.locales.len()
                && self.locales.iter().all(|locale| texts.iter().any(|(spoken, _)| spoken == locale))
        };
        if !speaks_all(&question.text) {
            return Err(unsound(place, "text", "must be there once in every language of the survey"));
        }
        for (field, label) in [("low_label", &question.low_label), ("high_label", &question.high_label)] {
            if !label.is_empty() && !speaks_all(label) {
                return Err(unsound(place, field, "must be there once in every language of the survey, or not at all"));
            }
        }
        if !question.choices.iter().all(|choice| speaks_all(&choice.text)) {
            return Err(unsound(place, "choices", "must be there once in every language of the survey"));
        }
        let ids: BTreeSet<&String> = question.choices.iter().map(|choice| &choice.id).collect();
        if ids.len() != question.choices.len() {
            return Err(unsound(place, "choices", "must have different codes"));
        }
        match question.kind {
            QuestionType::Single | QuestionType::Multi if ids.len() < 2 => {
                Err(unsound(place, "choices", "must be at least two"))
            }
            QuestionType::Scale if question.scale.0 >= question.scale.1 => {
                Err(unsound(place, "scale_max", "must be greater than scale_min"))
            }
            QuestionType::Scale | QuestionType::Text | QuestionType::ContactOk if !ids.is_empty() => {
                Err(unsound(place, "choices", "do not belong to this type of question"))
            }
            _ => Ok(()),
        }
    }

    /// The question that gives the score.
    fn scored(&self) -> Option<&Question> {
        self.questions.iter().find(|question| question.kind == QuestionType::Scale)
    }

    /// How the score is computed; `None` without a scale.
    pub fn definition(&self, kind: SurveyKind) -> Option<Definition> {
        self.scored().map(|question| Definition::of(kind, question.scale.0, question.scale.1))
    }

    /// Refuses answers that do not fit: of the wrong type, out of range, doubled, unknown or missing.
    pub fn check_answers(&self, answers: &[Answer]) -> Result<(), Refusal> {
        let mut seen = BTreeSet::new();
        for (place, answer) in answers.iter().enumerate() {
            let wrong = |why| Refusal::AnswerUnfit { answer: place, why };
            let question = self.questions.iter().find(|question| question.id == answer.question);
            let question = question.ok_or(wrong("there is no such question"))?;
            if !seen.insert(&answer.question) {
                return Err(wrong("the question is answered twice"));
            }
            question.fits(&answer.value).map_err(wrong)?;
        }
        let skipped = self.questions.iter().find(|question| question.required && !seen.contains(&question.id));
        skipped.map_or(Ok(()), |question| Err(Refusal::AnswerMissing { question: question.id.clone() }))
    }

    /// The number that counts; `None` if it was skipped.
    pub fn score_of(&self, answers: &[Answer]) -> Option<i32> {
        let question = self.scored()?;
        answers.iter().find_map(|answer| match answer.value {
            AnswerValue::Number(number) if answer.question == question.id => Some(number),
            _ => None,
        })
    }

    /// Whether the customer may be contacted about the answers: only if some question asked and got a yes.
    pub fn contact_ok(&self, answers: &[Answer]) -> bool {
        answers.iter().any(|answer| answer.value == AnswerValue::Yes(true))
    }

    /// The language to speak for someone who wishes `wish`: that one, else another of the same tongue, else the first.
    pub fn speak(&self, wish: &str) -> &str {
        let tongue = |locale: &str| locale.split('-').next().unwrap_or_default().to_ascii_lowercase();
        let exact = self.locales.iter().find(|locale| locale.eq_ignore_ascii_case(wish));
        let near = || self.locales.iter().find(|locale| tongue(locale) == tongue(wish));
        exact.or_else(near).or(self.locales.first()).map_or("", String::as_str)
    }
}

impl Question {
    fn fits(&self, value: &AnswerValue) -> Result<(), &'static str> {
        match (self.kind, value) {
            (QuestionType::Scale, AnswerValue::Number(number)) => {
                let in_range = (self.scale.0..=self.scale.1).contains(number);
                in_range.then_some(()).ok_or("the number is not on the scale")
            }
            (QuestionType::Text, AnswerValue::Text(_)) | (QuestionType::ContactOk, AnswerValue::Yes(_)) => Ok(()),
            (QuestionType::Single | QuestionType::Multi, AnswerValue::Choices(chosen)) => {
                let distinct: BTreeSet<&String> = chosen.iter().collect();
                let known = chosen.iter().all(|id| self.choices.iter().any(|choice| choice.id == *id));
                if !known || distinct.len() != chosen.len() {
                    return Err("names a choice that is not there, or one twice");
                }
                let one = self.kind == QuestionType::Multi || chosen.len() == 1;
                one.then_some(()).ok_or("takes exactly one choice")
            }
            _ => Err("is not the kind of answer that this question takes"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn texts(text: &str) -> Texts {
        vec![("en".into(), text.into()), ("rw".into(), format!("{text} (rw)"))]
    }

    pub(crate) fn question(id: &str, kind: QuestionType) -> Question {
        let choices = ["staff", "price"].map(|id| Choice { id: id.into(), text: texts(id) });
        let has_choices = matches!(kind, QuestionType::Single | QuestionType::Multi);
        Question {
            id: id.into(),
            kind,
            text: texts("Why?"),
            required: false,
            scale: (0, 0),
            low_label: vec![],
            high_label: vec![],
            choices: if has_choices { choices.to_vec() } else { vec![] },
        }
    }

    pub(crate) fn effort() -> Questionnaire {
        let first = Question { required: true, ..question("easy", QuestionType::Scale) };
        let questions = vec![
            first,
            question("about", QuestionType::Multi),
            question("best", QuestionType::Single),
            question("words", QuestionType::Text),
            question("contact", QuestionType::ContactOk),
        ];
        Questionnaire { locales: vec!["en".into(), "rw".into()], questions }.check(SurveyKind::Ces).unwrap()
    }

    fn answer(question: &str, value: AnswerValue) -> Answer {
        Answer { question: question.into(), value }
    }

    #[test]
    fn a_kind_fills_in_its_scale_and_takes_no_other() {
        assert_eq!(effort().questions[0].scale, (1, 7));
        let broken = |change: fn(&mut Questionnaire)| {
            let mut questions = effort();
            change(&mut questions);
            questions.check(SurveyKind::Ces).unwrap_err()
        };
        let field = |refusal| match refusal {
            Refusal::QuestionUnsound { question, field, .. } => (question, field),
            other => unreachable!("{other:?}"),
        };
        assert_eq!(field(broken(|q| q.questions[0].scale = (1, 5))), (0, "scale_max"));
        assert_eq!(field(broken(|q| q.questions.swap(0, 1))), (0, "type"));
        assert_eq!(field(broken(|q| q.questions[1].id = "easy".into())), (1, "question_id"));
        assert_eq!(field(broken(|q| q.questions[3].text.truncate(1))), (3, "text"));
        assert_eq!(field(broken(|q| q.questions[0].low_label = vec![("en".into(), "x".into())])), (0, "low_label"));
        assert_eq!(field(broken(|q| q.questions[1].choices.truncate(1))), (1, "choices"));
        assert_eq!(field(broken(|q| q.questions[1].choices[1].id = "staff".into())), (1, "choices"));
        assert_eq!(broken(|q| q.locales.push("en".into())), Refusal::LocaleRepeated);
    }

    #[test]
    fn answers_must_fit_their_questions() {
        let easy = || answer("easy", AnswerValue::Number(6));
        let check = |answers: Vec<Answer>| effort().check_answers(&answers);
        let choices = |ids: &[&str]| AnswerValue::Choices(ids.iter().map(|&id| id.to_owned()).collect());
        assert_eq!(check(vec![easy()]), Ok(()));
        let full = vec![
            easy(),
            answer("about", choices(&["price", "staff"])),
            answer("best", choices(&["staff"])),
            answer("words", AnswerValue::Text("murakoze".into())),
            answer("contact", AnswerValue::Yes(true)),
        ];
        assert_eq!(check(full), Ok(()));
        assert_eq!(check(vec![]), Err(Refusal::AnswerMissing { question: "easy".into() }));
        for (number, wrong) in [
            answer("easy", AnswerValue::Number(0)),
            answer("easy", AnswerValue::Number(8)),
            answer("easy", AnswerValue::Text("six".into())),
            answer("easier", AnswerValue::Number(6)),
            answer("best", choices(&["staff", "price"])),
            answer("best", choices(&[])),
            answer("about", choices(&["staff", "staff"])),
            answer("about", choices(&["weather"])),
            answer("words", AnswerValue::Yes(true)),
        ]
        .into_iter()
        .enumerate()
        {
            let outcome = check(vec![wrong]);
            assert!(matches!(outcome, Err(Refusal::AnswerUnfit { answer: 0, .. })), "{number}: {outcome:?}");
        }
        assert!(matches!(check(vec![easy(), easy()]), Err(Refusal::AnswerUnfit { answer: 1, .. })));
    }

    #[test]
    fn the_score_is_that_of_the_first_scale_and_skips_have_none() {
        assert_eq!(effort().score_of(&[answer("easy", AnswerValue::Number(6))]), Some(6));
        assert_eq!(effort().score_of(&[]), None);
        assert!(effort().contact_ok(&[answer("contact", AnswerValue::Yes(true))]));
        assert!(!effort().contact_ok(&[answer("contact", AnswerValue::Yes(false))]));
    }

    #[test]
    fn a_page_speaks_the_nearest_language() {
        let questions = effort();
        for (wish, spoken) in [("rw", "rw"), ("RW", "rw"), ("rw-RW", "rw"), ("fr", "en"), ("", "en")] {
            assert_eq!(questions.speak(wish), spoken, "{wish}");
        }
    }
}
