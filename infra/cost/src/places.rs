//! Prices that depend on where the users are: text messages and CloudFront.

use crate::bill::Usage;
use crate::prices::{What, stepped};

/// The price of a text message, kept apart because it is far larger than every other cost. It is rounded and without
/// the registration of senders. The list changes every month, so the price is an argument wherever a decision depends
/// on it.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    /// The country of the phone.
    pub to: &'static str,
    /// The price that AWS charges for a text of one part, in US dollars.
    pub price: f64,
    /// The carrier's fee, which AWS passes on as a separate line of the bill. In other countries the price includes it.
    pub carrier: f64,
}

const fn text(to: &'static str, price: f64, carrier: f64) -> Text {
    Text { to, price, carrier }
}

/// The countries that the document shows.
pub const TEXTS: [Text; 6] = [
    text("United States", 0.0058, 0.0045),
    text("China", 0.02, 0.0),
    text("India, by the local route", 0.0028, 0.0),
    text("Brazil", 0.02, 0.0),
    text("United Kingdom", 0.04, 0.0),
    text("Germany", 0.09, 0.0),
];

/// The date and source of these prices.
pub const TEXTS_SEEN: &str = "Prices of 2025-01 and rounded, to be checked at aws.amazon.com/sns/sms-pricing. The carriers' fee is \
the highest of a list of 2026-05: AT&T takes 0.0035, Verizon, T-Mobile and US Cellular 0.0045 for each part of a text";

impl Text {
    /// The price of a text of one part.
    #[must_use]
    pub fn each(&self) -> f64 {
        self.price + self.carrier
    }
}

/// The upper ends of CloudFront's price steps, in GB. The first step is free everywhere.
const UP_TO: [f64; 8] = [1_024.0, 11_264.0, 52_224.0, 154_624.0, 513_024.0, 1_049_600.0, 5_243_904.0, f64::INFINITY];
/// HTTPS requests that are free everywhere.
const FREE_REQUESTS: f64 = 10e6;

/// CloudFront's prices at a place.
#[derive(Clone, Copy, Debug)]
pub struct Edge {
    /// The name of the place.
    pub place: &'static str,
    /// US dollars per GB, for the steps after the free one.
    pub gb: [f64; 7],
    /// US dollars per million HTTPS requests.
    pub requests: f64,
}

/// The places in the document. The bills use the first.
pub const EDGES: [Edge; 4] = [
    Edge { place: "North America and Europe", gb: [0.085, 0.08, 0.06, 0.04, 0.03, 0.025, 0.02], requests: 1.0 },
    Edge {
        place: "Hong Kong, Indonesia, Malaysia, Philippines, Singapore, South Korea, Taiwan, Thailand, Vietnam",
        gb: [0.12, 0.1, 0.095, 0.09, 0.08, 0.07, 0.06],
        requests: 1.2,
    },
    Edge { place: "Japan", gb: [0.114, 0.089, 0.086, 0.084, 0.08, 0.07, 0.06], requests: 1.2 },
    Edge { place: "India", gb: [0.109, 0.085, 0.082, 0.08, 0.078, 0.075, 0.072], requests: 1.2 },
];

/// The date and source of these prices.
pub const EDGES_SEEN: &str = "aws.amazon.com/cloudfront/pricing; the GB as that page had them in 2026, the requests of 2025-01, to be \
checked";

impl Edge {
    /// The cost of the same month of CloudFront if all users are there.
    #[must_use]
    pub fn cost(&self, usage: &Usage) -> f64 {
        let steps: Vec<_> = UP_TO.into_iter().zip([0.0].into_iter().chain(self.gb)).collect();
        let requests = [(FREE_REQUESTS, 0.0), (f64::INFINITY, self.requests / 1e6)];
        stepped(&steps, usage.of(What::EdgeGb)) + stepped(&requests, usage.of(What::EdgeRequests))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::bill::{Carrier, month};
    use crate::load::Load;

    #[test]
    fn the_first_place_is_that_of_the_bills() {
        for people in [1e3, 1e5, 1e7] {
            let usage = month(&Load::default(), &BTreeMap::new(), people, Carrier::Handset);
            let billed = [What::EdgeGb, What::EdgeRequests].map(|what| what.price().of(usage.of(what)));
            let [first, rest @ ..] = EDGES;
            assert!((first.cost(&usage) - billed.iter().sum::<f64>()).abs() < 1e-6);
            // The first place is also the cheapest.
            assert!(rest.iter().all(|place| place.cost(&usage) >= first.cost(&usage)));
        }
    }

    #[test]
    fn steps_descend() {
        for place in EDGES {
            assert!(place.gb.windows(2).all(|pair| pair[0] > pair[1]), "{}", place.place);
        }
    }

    #[test]
    fn a_carrier_that_takes_a_fee_takes_it_of_every_text() {
        let [first, ..] = TEXTS;
        assert!((first.each() - 0.0103).abs() < 1e-9);
    }
}
