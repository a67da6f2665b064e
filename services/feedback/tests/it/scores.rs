//! Scores as a client gets them: from real answers, by branch and time, with their intervals.

use proto::karibu::feedback::v1 as wire;
use uuid::Uuid;

use crate::bench::{HERE, NOW_US, Place, THERE, effort, number, submit};

#[tokio::test]
async fn a_score_is_counted_by_branch_and_time_and_says_nothing_without_answers() {
    for place in Place::both().await {
        let survey = place.active(effort("AFTER")).await;
        let request = wire::GetSurveyScoreRequest { survey_id: survey.survey_id, ..Default::default() };
        let score = async |request: wire::GetSurveyScoreRequest| {
            place.admin().get_survey_score(request).await.unwrap().into_inner().score.unwrap()
        };
        let empty = score(request.clone()).await;
        assert_eq!((empty.value, empty.low, empty.high, empty.positive_share), (None, None, None, None));
        assert_eq!((empty.count, empty.few_answers), (0, true));

        for (answer, branch) in [(7, HERE), (6, HERE), (2, HERE), (5, THERE)] {
            let (_, token) = place.invited(Uuid::now_v7(), branch).await;
            place.nobody().submit_response(submit(&token, 1, vec![number("easy", answer)])).await.unwrap();
        }
        place.invited(Uuid::now_v7(), HERE).await;

        let all = score(request.clone()).await;
        assert_eq!((all.value, all.count, all.sent_count), (Some(5.0), 4, 5));
        assert_eq!((all.positive_count, all.neutral_count, all.negative_count), (3, 0, 1));
        assert_eq!(all.positive_share, Some(75.0));
        // Mean 5, sample deviation 2.1602, so ± 1.959964 · 2.1602 / 2.
        let (low, high) = (all.low.unwrap(), all.high.unwrap());
        assert!((low - 2.8830).abs() < 5e-5 && high == 7.0, "{low} to {high}");
        assert_eq!(all.definition.unwrap().aggregate(), wire::Aggregate::Mean);
        let numbers: Vec<(String, i64)> = all.by_number.into_iter().map(|entry| (entry.key, entry.count)).collect();
        assert_eq!(numbers, [("2", 1), ("5", 1), ("6", 1), ("7", 1)].map(|(key, count)| (key.to_owned(), count)));

        let here = wire::GetSurveyScoreRequest { branch_id: HERE.to_string(), ..request.clone() };
        assert_eq!((score(here.clone()).await.value, score(here).await.count), (Some(5.0), 3));
        let local = place.local(&[THERE]).get_survey_score(request.clone()).await.unwrap().into_inner().score.unwrap();
        assert_eq!((local.value, local.low, local.high, local.count), (Some(5.0), Some(1.0), Some(7.0), 1));

        // The first answer came one delay after the beginning, the second one two delays after it.
        let second = proto::timestamp_from_us(NOW_US + 2 * crate::bench::DELAY_US);
        let before = wire::GetSurveyScoreRequest { end_time: Some(second), ..request.clone() };
        let from = wire::GetSurveyScoreRequest { start_time: Some(second), ..request };
        assert_eq!((score(before).await.value, score(from).await.count), (Some(7.0), 3));
    }
}
