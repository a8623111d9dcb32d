//! Every price, with its source and date. This is the one place to change when AWS changes a price.

/// An item on AWS's bill. Quantities are in the unit that [`What::price`] names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is described by its price")]
pub enum What {
    HttpApi,
    LambdaCalls,
    LambdaGbSeconds,
    Writes,
    Reads,
    TableGb,
    BackupGb,
    S3Puts,
    S3Gets,
    S3Gb,
    EdgeRequests,
    EdgeGb,
    EdgeFunction,
    EgressGb,
    LogGb,
    LogKeptGb,
    Metrics,
    Alarms,
    Dashboards,
    Traces,
    TopicMessages,
    Pushes,
    QueueCalls,
    WebAcl,
    WebAclRules,
    WebAclRequests,
    Keys,
    KeyCalls,
    Secrets,
    Zones,
    CognitoEssentials,
    CognitoLite,
}

/// A price in us-east-1, in US dollars.
#[derive(Clone, Copy, Debug)]
pub struct Price {
    /// The AWS service.
    pub service: &'static str,
    /// The unit.
    pub unit: &'static str,
    /// Steps: the upper end of each step in units a month, and the price of a unit in it. AWS's permanent free
    /// allowance is a step with price 0; the allowance of new accounts in their first year is left out.
    pub steps: &'static [(f64, f64)],
    /// The date of the price.
    pub seen: &'static str,
    /// The source of the price.
    pub source: &'static str,
}

const ALL: f64 = f64::INFINITY;
const M: f64 = 1e6;
/// From memory of the public list; not looked up since.
const KNOWN: &str = "2025-01, to be checked";

const fn price(service: &'static str, unit: &'static str, steps: &'static [(f64, f64)], source: &'static str) -> Price {
    Price { service, unit, steps, seen: KNOWN, source }
}

const fn seen(at: &'static str, price: Price) -> Price {
    Price { seen: at, ..price }
}

impl What {
    /// All items, in the order of the table.
    pub const ALL: [Self; 32] = [
        Self::HttpApi,
        Self::LambdaCalls,
        Self::LambdaGbSeconds,
        Self::Writes,
        Self::Reads,
        Self::TableGb,
        Self::BackupGb,
        Self::S3Puts,
        Self::S3Gets,
        Self::S3Gb,
        Self::EdgeRequests,
        Self::EdgeGb,
        Self::EdgeFunction,
        Self::EgressGb,
        Self::LogGb,
        Self::LogKeptGb,
        Self::Metrics,
        Self::Alarms,
        Self::Dashboards,
        Self::Traces,
        Self::TopicMessages,
        Self::Pushes,
        Self::QueueCalls,
        Self::WebAcl,
        Self::WebAclRules,
        Self::WebAclRequests,
        Self::Keys,
        Self::KeyCalls,
        Self::Secrets,
        Self::Zones,
        Self::CognitoEssentials,
        Self::CognitoLite,
    ];

    /// The price of this item.
    #[must_use]
    pub const fn price(self) -> Price {
        match self {
            Self::HttpApi => seen(
                "2025-12",
                price(
                    "API Gateway",
                    "request to an HTTP API",
                    &[(300.0 * M, 1.0 / M), (ALL, 0.9 / M)],
                    "aws.amazon.com/api-gateway/pricing, first step as a tutorial of 2025-12 gives it",
                ),
            ),
            Self::LambdaCalls => seen(
                "2026-05",
                price(
                    "Lambda",
                    "invocation",
                    &[(M, 0.0), (ALL, 0.2 / M)],
                    "aws.amazon.com/lambda/pricing, as notes of 2026-05 give it",
                ),
            ),
            Self::LambdaGbSeconds => seen(
                "2026-05",
                price(
                    "Lambda",
                    "GB-second on arm64",
                    &[(4e5, 0.0), (7.5e9, 0.000_013_333_4), (18.75e9, 0.000_012_000_1), (ALL, 0.000_010_666_7)],
                    "aws.amazon.com/lambda/pricing, first step as notes of 2026-05 give it",
                ),
            ),
            Self::Writes => seen(
                "2025-07",
                price(
                    "DynamoDB",
                    "write request unit, on demand",
                    &[(ALL, 0.625 / M)],
                    "aws.amazon.com/dynamodb/pricing/on-demand, as an article of 2025-07 gives it",
                ),
            ),
            Self::Reads => seen(
                "2025-07",
                price(
                    "DynamoDB",
                    "read request unit, on demand",
                    &[(ALL, 0.125 / M)],
                    "aws.amazon.com/dynamodb/pricing/on-demand, as an article of 2025-07 gives it",
                ),
            ),
            Self::TableGb => price(
                "DynamoDB",
                "GB-month of the table",
                &[(25.0, 0.0), (ALL, 0.25)],
                "aws.amazon.com/dynamodb/pricing/on-demand",
            ),
            Self::BackupGb => price(
                "DynamoDB",
                "GB-month of point-in-time recovery",
                &[(ALL, 0.2)],
                "aws.amazon.com/dynamodb/pricing/on-demand",
            ),
            Self::S3Puts => price("S3", "PUT, POST or LIST", &[(ALL, 5.0 / M)], "aws.amazon.com/s3/pricing"),
            Self::S3Gets => price("S3", "GET or HEAD", &[(ALL, 0.4 / M)], "aws.amazon.com/s3/pricing"),
            Self::S3Gb => price(
                "S3",
                "GB-month, Standard",
                &[(51_200.0, 0.023), (512_000.0, 0.022), (ALL, 0.021)],
                "aws.amazon.com/s3/pricing",
            ),
            _ => self.price_around(),
        }
    }

    /// The prices of the services in front of the API and around it.
    const fn price_around(self) -> Price {
        const EDGE: &str = "aws.amazon.com/cloudfront/pricing, North America and Europe";
        const WATCH: &str = "aws.amazon.com/cloudwatch/pricing";
        const WAF: &str = "aws.amazon.com/waf/pricing";
        const COGNITO: &str = "aws.amazon.com/cognito/pricing";
        match self {
            Self::EdgeRequests => price("CloudFront", "HTTPS request", &[(10.0 * M, 0.0), (ALL, 1.0 / M)], EDGE),
            Self::EdgeGb => price(
                "CloudFront",
                "GB to viewers",
                &[
                    (1_024.0, 0.0),
                    (11_264.0, 0.085),
                    (52_224.0, 0.08),
                    (154_624.0, 0.06),
                    (513_024.0, 0.04),
                    (1_049_600.0, 0.03),
                    (5_243_904.0, 0.025),
                    (ALL, 0.02),
                ],
                EDGE,
            ),
            Self::EdgeFunction => price("CloudFront", "call of a function", &[(2.0 * M, 0.0), (ALL, 0.1 / M)], EDGE),
            Self::EgressGb => price(
                "data transfer",
                "GB out of the region to the internet",
                &[(100.0, 0.0), (10_340.0, 0.09), (51_300.0, 0.085), (153_700.0, 0.07), (ALL, 0.05)],
                "aws.amazon.com/ec2/pricing/on-demand",
            ),
            Self::LogGb => price(
                "CloudWatch",
                "GB of logs taken in from Lambda and API Gateway",
                &[(5.0, 0.0), (10_240.0, 0.5), (30_720.0, 0.25), (51_200.0, 0.1), (ALL, 0.05)],
                WATCH,
            ),
            Self::LogKeptGb => price("CloudWatch", "GB-month of logs kept", &[(5.0, 0.0), (ALL, 0.03)], WATCH),
            Self::Metrics => price("CloudWatch", "metric a month", &[(10.0, 0.0), (10_010.0, 0.3), (ALL, 0.1)], WATCH),
            Self::Alarms => price("CloudWatch", "alarm on one metric a month", &[(10.0, 0.0), (ALL, 0.1)], WATCH),
            // Up to three dashboards are free, but only with at most 50 metrics; this dashboard has twice as many.
            Self::Dashboards => price("CloudWatch", "dashboard of more than 50 metrics a month", &[(ALL, 3.0)], WATCH),
            Self::Traces => {
                price("X-Ray", "trace recorded", &[(1e5, 0.0), (ALL, 5.0 / M)], "aws.amazon.com/xray/pricing")
            }
            Self::TopicMessages => {
                price("SNS", "message published", &[(M, 0.0), (ALL, 0.5 / M)], "aws.amazon.com/sns/pricing")
            }
            Self::Pushes => price("SNS", "push to a device", &[(M, 0.0), (ALL, 0.5 / M)], "aws.amazon.com/sns/pricing"),
            Self::QueueCalls => price("SQS", "request", &[(M, 0.0), (ALL, 0.4 / M)], "aws.amazon.com/sqs/pricing"),
            Self::WebAcl => price("WAF", "web ACL a month", &[(ALL, 5.0)], WAF),
            Self::WebAclRules => price("WAF", "rule or managed group a month", &[(ALL, 1.0)], WAF),
            Self::WebAclRequests => price("WAF", "request looked at", &[(ALL, 0.6 / M)], WAF),
            Self::Keys => seen(
                "2026-03",
                price(
                    "KMS",
                    "key a month, and each of its first two rotations",
                    &[(ALL, 1.0)],
                    "aws.amazon.com/kms/pricing, as an article of 2026-03 gives it",
                ),
            ),
            Self::KeyCalls => price("KMS", "request", &[(20_000.0, 0.0), (ALL, 3.0 / M)], "aws.amazon.com/kms/pricing"),
            Self::Secrets => {
                price("Secrets Manager", "secret a month", &[(ALL, 0.4)], "aws.amazon.com/secrets-manager/pricing")
            }
            Self::Zones => price("Route 53", "hosted zone a month", &[(ALL, 0.5)], "aws.amazon.com/route53/pricing"),
            Self::CognitoEssentials => {
                price("Cognito", "person a month, Essentials", &[(1e4, 0.0), (ALL, 0.015)], COGNITO)
            }
            _ => price(
                "Cognito",
                "person a month, Lite",
                &[(1e4, 0.0), (1e5, 0.0055), (M, 0.0046), (10.0 * M, 0.003_25), (ALL, 0.0025)],
                COGNITO,
            ),
        }
    }
}

impl Price {
    /// The cost of this many units in a month, in US dollars.
    #[must_use]
    pub fn of(&self, quantity: f64) -> f64 {
        stepped(self.steps, quantity)
    }
}

/// The cost of `quantity` units; each step covers the units up to its upper end.
pub(crate) fn stepped(steps: &[(f64, f64)], quantity: f64) -> f64 {
    let mut below = 0.0;
    let mut cost = 0.0;
    for (up_to, each) in steps {
        cost += (quantity.min(*up_to) - below).max(0.0) * each;
        below = *up_to;
    }
    cost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_in_steps_is_added_up_step_by_step() {
        let price = What::HttpApi.price();
        assert!((price.of(1e6) - 1.0).abs() < 1e-9);
        assert!((price.of(400e6) - 390.0).abs() < 1e-6);
        let lite = What::CognitoLite.price();
        assert!(lite.of(10_000.0).abs() < 1e-9);
        assert!((lite.of(1e6) - (90_000.0 * 0.0055 + 900_000.0 * 0.0046)).abs() < 1e-6);
    }

    #[test]
    fn steps_ascend_and_end_nowhere_and_every_price_says_where_it_is_from() {
        for what in What::ALL {
            let price = what.price();
            assert!(price.steps.windows(2).all(|pair| pair[0].0 < pair[1].0), "{what:?}");
            assert!(price.steps.last().is_some_and(|(up_to, each)| up_to.is_infinite() && *each > 0.0), "{what:?}");
            assert!(price.source.starts_with("aws.amazon.com/") && price.seen.starts_with("202"), "{what:?}");
        }
    }
}
