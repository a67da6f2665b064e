//! Scores: what a number means, and the value of many with its interval. Pure arithmetic on counts; whoever has no
//! answers gets no value, never 0.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The quantile of the normal distribution for 95 % between both ends: the inverse of its distribution at 0.975.
const Z_95: f64 = 1.959_963_984_540_054;
/// Confidence of every interval.
pub const CONFIDENCE: f64 = 0.95;
/// With fewer answers than this a value says little.
const MIN_COUNT: i64 = 30;
/// Answers added by the adjusted Wald interval, a quarter of them good and a quarter bad (Rocks 2016).
const ADDED: f64 = 3.0;
const ADDED_EACH: f64 = 0.75;
const PERCENT: f64 = 100.0;

/// What a survey measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SurveyKind {
    /// Net promoter score, 0 to 10.
    Nps,
    /// Satisfaction, 1 to 5.
    Csat,
    /// Effort, 1 to 7, where 7 agrees that we made it easy.
    Ces,
    /// Something else.
    Custom,
}

impl SurveyKind {
    /// The only scale of this kind, if it has one.
    pub const fn scale(self) -> Option<(i32, i32)> {
        match self {
            Self::Nps => Some((0, 10)),
            Self::Csat => Some((1, 5)),
            Self::Ces => Some((1, 7)),
            Self::Custom => None,
        }
    }
}

/// How numbers become one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregation {
    /// Share of good answers in percent, with a Wilson interval.
    TopBox,
    /// Share of good less share of bad answers in percent points, with an adjusted Wald interval.
    Net,
    /// Mean on the scale, with a normal interval.
    Mean,
}

/// How a score is computed. It is stored with the survey and stands beside every value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// What is measured.
    pub kind: SurveyKind,
    /// Least number.
    pub scale_min: i32,
    /// Greatest number.
    pub scale_max: i32,
    /// Numbers from here on are good.
    pub positive_from: i32,
    /// Numbers up to here are bad.
    pub negative_to: i32,
    /// How numbers become one value.
    pub aggregation: Aggregation,
    /// With fewer answers the value is marked.
    pub min_count: i64,
}

/// Whether a number is good or bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreClass {
    /// A promoter, a satisfied customer, little effort.
    Positive,
    /// Neither.
    Neutral,
    /// Bad.
    Negative,
}

impl Definition {
    /// The definition of a kind on the scale `min..=max`. CSAT counts the two best of five; CES counts 5 to 7 as
    /// agreement; a scale of one's own counts the two best, or the best one alone below four points.
    pub const fn of(kind: SurveyKind, scale_min: i32, scale_max: i32) -> Self {
        let edge = if scale_max - scale_min >= 3 { 1 } else { 0 };
        let (positive_from, negative_to, aggregation) = match kind {
            SurveyKind::Nps => (9, 6, Aggregation::Net),
            SurveyKind::Csat => (4, 2, Aggregation::TopBox),
            SurveyKind::Ces => (5, 3, Aggregation::Mean),
            SurveyKind::Custom => (scale_max - edge, scale_min + edge, Aggregation::Mean),
        };
        Self { kind, scale_min, scale_max, positive_from, negative_to, aggregation, min_count: MIN_COUNT }
    }

    /// The class of a number on the scale.
    pub const fn class(&self, number: i32) -> ScoreClass {
        if number >= self.positive_from {
            ScoreClass::Positive
        } else if number <= self.negative_to {
            ScoreClass::Negative
        } else {
            ScoreClass::Neutral
        }
    }

    /// The score of answers counted by number. Skipped answers are not among them.
    pub fn score(&self, by_number: &BTreeMap<i32, i64>) -> Score {
        let mut classes = Classes::default();
        for (number, count) in by_number {
            let place = match self.class(*number) {
                ScoreClass::Positive => &mut classes.positive,
                ScoreClass::Neutral => &mut classes.neutral,
                ScoreClass::Negative => &mut classes.negative,
            };
            *place += count;
        }
        let share = share(classes.positive, classes.count());
        let estimate = match self.aggregation {
            Aggregation::TopBox => share,
            Aggregation::Net => net(&classes),
            Aggregation::Mean => mean(by_number, self.scale_min, self.scale_max),
        };
        Score { estimate, positive_share: share, few_answers: classes.count() < self.min_count, classes }
    }
}

/// How many answers are of each class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Classes {
    /// Good ones.
    pub positive: i64,
    /// Those between.
    pub neutral: i64,
    /// Bad ones.
    pub negative: i64,
}

impl Classes {
    /// All of them.
    pub const fn count(&self) -> i64 {
        self.positive + self.neutral + self.negative
    }
}

/// A value and the ends of its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// Lower and upper end.
    pub interval: (f64, f64),
}

/// A score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// The value as the definition wants it; `None` without answers.
    pub estimate: Option<Estimate>,
    /// Share of good answers in percent, with its Wilson interval; `None` without answers.
    pub positive_share: Option<Estimate>,
    /// The classes that it was computed from.
    pub classes: Classes,
    /// There are so few answers that the value says little.
    pub few_answers: bool,
}

/// Share of `good` among `count` in percent.
fn share(good: i64, count: i64) -> Option<Estimate> {
    let (low, high) = wilson(good, count, Z_95)?;
    let value = PERCENT * good as f64 / count as f64;
    Some(Estimate { value, interval: (PERCENT * low, PERCENT * high) })
}

/// The Wilson score interval of `good` in `count`, as shares from 0 to 1 (Wilson 1927): centre
/// `(p + z²/2n) / (1 + z²/n)`, half width `z·sqrt(p(1−p)/n + z²/4n²) / (1 + z²/n)`. Exactly 0 and 1 at the ends when
/// none or all are good; `None` without answers.
fn wilson(good: i64, count: i64, z: f64) -> Option<(f64, f64)> {
    if count <= 0 {
        return None;
    }
    let (n, p) = (count as f64, good as f64 / count as f64);
    let scale = 1.0 + z * z / n;
    let centre = (p + z * z / (2.0 * n)) / scale;
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt() / scale;
    let low = if good == 0 { 0.0 } else { centre - half };
    let high = if good == count { 1.0 } else { centre + half };
    Some((low, high))
}

/// Good less bad in percent points, with the adjusted Wald interval (Rocks 2016): three answers are added, ¾ of them
/// good, ¾ bad; the interval is cut at ±100. `Var = p + d − (p − d)²`.
fn net(classes: &Classes) -> Option<Estimate> {
    let count = classes.count();
    if count <= 0 {
        return None;
    }
    let value = PERCENT * (classes.positive - classes.negative) as f64 / count as f64;
    let n = count as f64 + ADDED;
    let (p, d) = ((classes.positive as f64 + ADDED_EACH) / n, (classes.negative as f64 + ADDED_EACH) / n);
    let centre = PERCENT * (p - d);
    let half = PERCENT * Z_95 * net_error(p, d, n);
    Some(Estimate { value, interval: ((centre - half).max(-PERCENT), (centre + half).min(PERCENT)) })
}

/// The standard error of a difference of shares `p − d` among `n`.
fn net_error(p: f64, d: f64, n: f64) -> f64 {
    ((p + d - (p - d) * (p - d)) / n).sqrt()
}

/// The mean with the normal interval `z·s/sqrt(n)`, where `s` is the sample deviation (n − 1); cut at the scale. One
/// answer alone says nothing of the spread, so its interval is the whole scale.
fn mean(by_number: &BTreeMap<i32, i64>, min: i32, max: i32) -> Option<Estimate> {
    let count: i64 = by_number.values().sum();
    if count <= 0 {
        return None;
    }
    let n = count as f64;
    let sum: i64 = by_number.iter().map(|(number, count)| i64::from(*number) * count).sum();
    let value = sum as f64 / n;
    let (min, max) = (f64::from(min), f64::from(max));
    if count == 1 {
        return Some(Estimate { value, interval: (min, max) });
    }
    let half = Z_95 * deviation(by_number, value, n) / n.sqrt();
    Some(Estimate { value, interval: ((value - half).max(min), (value + half).min(max)) })
}

fn deviation(by_number: &BTreeMap<i32, i64>, mean: f64, n: f64) -> f64 {
    let squares: f64 =
        by_number.iter().map(|(number, count)| *count as f64 * (f64::from(*number) - mean).powi(2)).sum();
    (squares / (n - 1.0)).sqrt()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[track_caller]
    fn near(actual: f64, expected: f64, tolerance: f64) {
        assert!((actual - expected).abs() <= tolerance, "{actual} is not {expected}");
    }

    /// (good, count, low, high). Published: 6/52 R bug report 2794; 81/263 and 1/29 Newcombe 1998.
    const WILSON: &[(i64, i64, f64, f64)] = &[
        (6, 52, 0.053_969_69, 0.229_716_64),
        (30, 50, 0.461_814_38, 0.723_916_10),
        (15, 25, 0.407_394_57, 0.765_966_98),
        (60, 100, 0.502_002_59, 0.690_598_71),
        (81, 263, 0.255_288_52, 0.366_209_58),
        (72, 100, 0.625_119_71, 0.798_603_15),
        (1, 29, 0.006_113_21, 0.171_755_22),
        (0, 1, 0.0, 0.793_450_69),
    ];

    #[test]
    fn wilson_intervals_are_those_of_the_literature() {
        for (good, count, low, high) in WILSON {
            let found = wilson(*good, *count, Z_95).unwrap();
            near(found.0, *low, 5e-9);
            near(found.1, *high, 5e-9);
        }
        let (low, high) = wilson(319, 1100, 2.575_829_303_548_901).unwrap();
        near(low, 0.256_101_26, 5e-9);
        near(high, 0.326_416_87, 5e-9);
    }

    #[test]
    fn wilson_is_exact_at_the_ends_and_silent_without_answers() {
        for count in [1, 2, 10, 1_000_000] {
            assert_eq!(wilson(0, count, Z_95).unwrap().0, 0.0);
            assert_eq!(wilson(count, count, Z_95).unwrap().1, 1.0);
        }
        assert_eq!(wilson(0, 0, Z_95), None);
    }

    fn counted(pairs: &[(i32, i64)]) -> BTreeMap<i32, i64> {
        pairs.iter().copied().collect()
    }

    #[test]
    fn csat_is_the_share_of_the_two_best_of_five() {
        let definition = Definition::of(SurveyKind::Csat, 1, 5);
        let score = definition.score(&counted(&[(5, 10), (4, 20), (3, 10), (2, 5), (1, 5)]));
        let Estimate { value, interval } = score.estimate.unwrap();
        near(value, 60.0, 1e-12);
        let (low, high) = interval;
        near(low, 46.18, 5e-3);
        near(high, 72.39, 5e-3);
        assert_eq!(score.classes, Classes { positive: 30, neutral: 10, negative: 10 });
        assert!(!score.few_answers);
    }

    /// (promoters, passives, detractors, score, standard error, Wald ±, adjusted centre, adjusted ±, low, high).
    type NetRow = (i64, i64, i64, f64, f64, f64, f64, f64, f64, f64);
    const NET: &[NetRow] = &[
        (162, 108, 54, 33.3333, 4.1409, 8.1159, 33.0275, 8.0823, 24.9453, 41.1098),
        (50, 30, 20, 30.0, 7.8102, 15.3078, 29.1262, 15.0751, 14.0511, 44.2013),
        (7, 2, 1, 60.0, 20.9762, 41.1126, 46.1538, 39.1144, 7.0394, 85.2683),
        (10, 0, 0, 100.0, 0.0, 0.0, 76.9231, 29.4195, 47.5036, 100.0),
        (1, 0, 0, 100.0, 0.0, 0.0, 25.0, 73.4986, -48.4986, 98.4986),
    ];

    #[test]
    fn net_scores_have_adjusted_wald_intervals() {
        for (positive, neutral, negative, value, error, wald, centre, half, low, high) in NET.iter().copied() {
            let classes = Classes { positive, neutral, negative };
            let found = net(&classes).unwrap();
            near(found.value, value, 5e-5);
            let n = classes.count() as f64;
            let plain = PERCENT * net_error(positive as f64 / n, negative as f64 / n, n);
            near(plain, error, 5e-5);
            near(Z_95 * plain, wald, 5e-5);
            let (found_low, found_high) = found.interval;
            near(found_low, low, 5e-5);
            near(found_high, high, 5e-5);
            if high < PERCENT {
                near(f64::midpoint(found_low, found_high), centre, 5e-5);
                near((found_high - found_low) / 2.0, half, 5e-5);
            }
        }
        assert_eq!(net(&Classes::default()), None);
    }

    /// An exact law: shares ½ and 1/6 give the score ⅓ and the variance 5/9.
    #[test]
    fn the_variance_of_a_net_score_is_exact() {
        let n = 600.0;
        near(net_error(0.5, 1.0 / 6.0, n).powi(2) * n, 5.0 / 9.0, 1e-12);
    }

    #[test]
    fn nps_counts_promoters_less_detractors_and_leaves_skips_out() {
        let definition = Definition::of(SurveyKind::Nps, 0, 10);
        for (number, class) in [
            (0, ScoreClass::Negative),
            (6, ScoreClass::Negative),
            (7, ScoreClass::Neutral),
            (8, ScoreClass::Neutral),
            (9, ScoreClass::Positive),
            (10, ScoreClass::Positive),
        ] {
            assert_eq!(definition.class(number), class, "{number}");
        }
        // 5 promoters, 3 passives, 2 detractors; the 10 that skipped are not among the counts.
        let score = definition.score(&counted(&[(9, 3), (10, 2), (7, 3), (3, 2)]));
        near(score.estimate.unwrap().value, 30.0, 1e-12);
        assert!(score.few_answers);
    }

    #[test]
    fn ces_is_a_mean_with_the_share_that_agrees() {
        let answers = counted(&[(7, 30), (6, 27), (5, 15), (4, 10), (3, 8), (2, 6), (1, 4)]);
        let score = Definition::of(SurveyKind::Ces, 1, 7).score(&answers);
        let Estimate { value, interval } = score.estimate.unwrap();
        near(value, 5.27, 1e-12);
        near(deviation(&answers, value, 100.0), 1.7399, 5e-5);
        let (low, high) = interval;
        near((high - low) / 2.0, 0.3410, 5e-5);
        let agree = score.positive_share.unwrap();
        near(agree.value, 72.0, 1e-12);
        let (low, high) = agree.interval;
        near(low, 62.51, 5e-3);
        near(high, 79.86, 5e-3);
        // The index of 6 to 7 less 1 to 3 of the same answers.
        near(net(&Classes { positive: 57, neutral: 25, negative: 18 }).unwrap().value, 39.0, 1e-12);
    }

    #[test]
    fn without_answers_there_is_no_value_and_one_answer_leaves_the_whole_scale() {
        for (kind, min, max) in
            [(SurveyKind::Nps, 0, 10), (SurveyKind::Csat, 1, 5), (SurveyKind::Ces, 1, 7), (SurveyKind::Custom, 1, 3)]
        {
            let score = Definition::of(kind, min, max).score(&BTreeMap::new());
            assert_eq!((score.estimate, score.positive_share, score.few_answers), (None, None, true));
        }
        let one = Definition::of(SurveyKind::Ces, 1, 7).score(&counted(&[(6, 1)])).estimate.unwrap();
        assert_eq!((one.value, one.interval), (6.0, (1.0, 7.0)));
        let bounds = Definition::of(SurveyKind::Ces, 1, 7).score(&counted(&[(6, 1), (7, 1)])).estimate.unwrap();
        assert_eq!(bounds.interval.1, 7.0, "an interval ends where the scale ends");
    }

    #[test]
    fn scales_of_ones_own_have_classes_that_do_not_meet() {
        for (min, max) in [(0, 1), (1, 3), (1, 4), (0, 100)] {
            let definition = Definition::of(SurveyKind::Custom, min, max);
            assert!(definition.negative_to < definition.positive_from, "{min}..{max}");
        }
    }
}
