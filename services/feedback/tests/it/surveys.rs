//! Making surveys and bringing them through their states.

use proto::EventPayload;
use proto::karibu::feedback::v1 as wire;
use proto::karibu::ticketing::v1::{ComplaintOpened, ComplaintReopened, ComplaintWithdrawn};
use testkit::assert_eventually;

use crate::bench::{HERE, Place, REGION, SOON, THERE, effort, fields, question, reason};

#[tokio::test]
async fn a_survey_is_made_read_and_brought_through_its_states() {
    for place in Place::both().await {
        let mut client = place.admin();
        let made = client.create_survey(effort("AFTER")).await.unwrap().into_inner().survey.unwrap();
        assert_eq!((made.state(), made.revision, made.etag.as_str()), (wire::SurveyState::Draft, 1, "1"));
        assert_eq!((made.questions[0].scale_min, made.questions[0].scale_max), (1, 7));
        let metric = made.metric.unwrap();
        assert_eq!((metric.positive_from, metric.negative_to, metric.confidence), (5, Some(3), 0.95));
        let cancel_on = made.trigger.clone().unwrap().cancel_on_event_types;
        assert_eq!(cancel_on, [ComplaintReopened::TYPE, ComplaintWithdrawn::TYPE]);

        let survey_id = made.survey_id.clone();
        let activate = wire::ActivateSurveyRequest { survey_id: survey_id.clone(), ..Default::default() };
        let pause = wire::PauseSurveyRequest { survey_id: survey_id.clone(), etag: "2".into(), ..Default::default() };
        let close = wire::CloseSurveyRequest { survey_id: survey_id.clone(), ..Default::default() };
        assert_eq!(reason(client.close_survey(close.clone()).await), "WRONG_STATE");
        client.activate_survey(activate.clone()).await.unwrap();
        client.pause_survey(pause.clone()).await.unwrap();
        assert_eq!(reason(client.pause_survey(pause).await), "VERSION_MISMATCH");
        client.activate_survey(activate.clone()).await.unwrap();
        let closed = client.close_survey(close).await.unwrap().into_inner().survey.unwrap();
        assert_eq!((closed.state(), closed.etag.as_str()), (wire::SurveyState::Closed, "5"));
        assert_eq!(reason(client.activate_survey(activate).await), "WRONG_STATE");
        let read = client.get_survey(wire::GetSurveyRequest { survey_id }).await.unwrap().into_inner();
        assert_eq!(read.survey.unwrap(), closed);
    }
}

#[tokio::test]
async fn what_is_not_sound_is_refused_by_its_field() {
    let place = Place::new().await;
    let mut client = place.admin();
    let mut refused = async |change: &dyn Fn(&mut wire::CreateSurveyRequest)| {
        let mut request = effort("AFTER");
        change(&mut request);
        fields(client.create_survey(request).await)
    };
    assert_eq!(refused(&|r| r.questions.swap(0, 1)).await, ["questions[0].type"]);
    assert_eq!(refused(&|r| r.questions[0].scale_max = 5).await, ["questions[0].scale_max"]);
    assert_eq!(refused(&|r| r.questions[1].text.truncate(1)).await, ["questions[1].text"]);
    assert_eq!(refused(&|r| r.questions[1].question_id = "easy".into()).await, ["questions[1].question_id"]);
    assert_eq!(refused(&|r| r.locales.push("en".into())).await, ["locales"]);
    let choice = question("which", wire::QuestionType::Single);
    assert_eq!(refused(&|r| r.questions.push(choice.clone())).await, ["questions[2].choices"]);
    let on = |type_name: &str| {
        let type_name = type_name.to_owned();
        move |r: &mut wire::CreateSurveyRequest| r.trigger.as_mut().unwrap().event_type = type_name.clone()
    };
    assert_eq!(refused(&on(ComplaintOpened::TYPE)).await, ["trigger.event_type"]);
    assert_eq!(refused(&on("karibu.loyalty.points.accrued.v1")).await, ["trigger.event_type"]);
    let empty = wire::CreateSurveyRequest::default();
    assert_eq!(fields(client.create_survey(empty).await), ["code", "display_name", "kind", "locales", "questions"]);
    client.create_survey(effort("AFTER")).await.unwrap();
    assert_eq!(reason(client.create_survey(effort("AFTER")).await), "SURVEY_CODE_TAKEN");
}

#[tokio::test]
async fn a_survey_is_seen_where_it_works_and_changed_by_who_reaches_all_of_it() {
    for place in Place::both().await {
        let region =
            place.active(wire::CreateSurveyRequest { branch_ids: vec![REGION.to_string()], ..effort("R") }).await;
        let there =
            place.active(wire::CreateSurveyRequest { branch_ids: vec![THERE.to_string()], ..effort("T") }).await;
        let everywhere = place.active(effort("E")).await;
        let list = async |client: &mut crate::bench::Client| {
            let request = wire::ListSurveysRequest { state: wire::SurveyState::Active.into(), ..Default::default() };
            let surveys = client.list_surveys(request).await.unwrap().into_inner().surveys;
            surveys.into_iter().map(|survey| survey.code).collect::<Vec<_>>()
        };
        assert_eq!(list(&mut place.admin()).await, ["E", "T", "R"]);
        let mut here = place.local(&[HERE]);
        assert_eq!(list(&mut here).await, ["E", "R"]);
        let get = wire::GetSurveyRequest { survey_id: there.survey_id };
        assert_eq!(reason(here.get_survey(get).await), "SURVEY_NOT_FOUND");
        for survey in [&everywhere, &region] {
            let pause = wire::PauseSurveyRequest { survey_id: survey.survey_id.clone(), ..Default::default() };
            assert_eq!(reason(here.pause_survey(pause).await), "SURVEY_NOT_FOUND");
        }
        assert_eq!(reason(here.create_survey(effort("X")).await), "BRANCHES_EXCEED_CALLER");
        let own = wire::CreateSurveyRequest { branch_ids: vec![HERE.to_string()], ..effort("X") };
        here.create_survey(own).await.unwrap();
    }
}

#[tokio::test]
async fn a_branch_must_be_known() {
    let place = Place::new().await;
    let unknown = uuid::Uuid::max().to_string();
    let request = wire::CreateSurveyRequest { branch_ids: vec![unknown], ..effort("X") };
    assert_eq!(reason(place.admin().create_survey(request).await), "BRANCH_UNKNOWN");
    let known = wire::CreateSurveyRequest { branch_ids: vec![HERE.to_string()], ..effort("X") };
    assert_eventually(SOON, || async { place.admin().create_survey(known.clone()).await }).await;
}
