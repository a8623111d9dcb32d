//! The tables of `docs/cost.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::actions::ACTIONS;
use crate::bill::{self, Carrier};
use crate::load::{Knob, Load};
use crate::places::{EDGES, EDGES_SEEN, TEXTS, TEXTS_SEEN};
use crate::prices::What;

/// The numbers of users a day in the document.
pub const PEOPLE: [f64; 3] = [1e3, 1e5, 1e7];

/// Every table, with the name in the document's markers.
#[must_use]
pub fn tables(load: &Load, memory: &BTreeMap<String, f64>, people: &[f64]) -> Vec<(&'static str, String)> {
    let bills = people.iter().fold(String::new(), |all, people| all + &bills(load, memory, *people));
    vec![
        ("totals", totals(load, memory, people)),
        ("bills", bills.trim_end().to_owned() + "\n"),
        ("texts", texts(load, people)),
        ("edges", edges(load, memory, people)),
        ("actions", actions(load, memory)),
        ("assumptions", assumptions(load)),
        ("prices", prices()),
    ]
}

/// A number with separators: no cents from a hundred on, cents below.
fn usd(value: f64) -> String {
    if value < 99.5 { format!("{value:.2}") } else { grouped(value) }
}

/// A whole number with separators.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number in its shortest form.
fn short(value: f64) -> String {
    if value >= 1000.0 { grouped(value) } else { format!("{value}") }
}

fn line(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

fn head(titles: &[&str]) -> String {
    let rule: Vec<String> = titles.iter().map(|_| "---".to_owned()).collect();
    let titles: Vec<String> = titles.iter().map(|title| (*title).to_owned()).collect();
    line(&titles) + &line(&rule).replace(' ', "")
}

fn totals(load: &Load, memory: &BTreeMap<String, f64>, people: &[f64]) -> String {
    let mut text =
        head(&["people a day", "Handset", "Cognito Essentials and Node", "Cognito Lite and Node", "besides"]);
    for people in people {
        let mut cells = vec![grouped(*people)];
        for carrier in Carrier::ALL {
            cells.push(usd(bill::month(load, memory, *people, carrier).total()));
        }
        cells.push(format!("{} texts", grouped(bill::texts(load, *people))));
        text += &line(&cells);
    }
    text
}

fn bills(load: &Load, memory: &BTreeMap<String, f64>, people: f64) -> String {
    let of: Vec<_> =
        Carrier::ALL.into_iter().map(|carrier| bill::month(load, memory, people, carrier).by_service()).collect();
    let services: BTreeSet<&str> = of.iter().flat_map(BTreeMap::keys).copied().collect();
    let mut text = format!("### {} people a day\n", grouped(people));
    let names: Vec<&str> = Carrier::ALL.into_iter().map(Carrier::name).collect();
    text += &head(&[&["USD a month"], names.as_slice()].concat());
    for service in services {
        let paid = of.iter().map(|bill| usd(bill.get(service).copied().unwrap_or_default()));
        text += &line(&std::iter::once(service.to_owned()).chain(paid).collect::<Vec<_>>());
    }
    let sums = of.iter().map(|bill| format!("**{}**", usd(bill.values().sum())));
    text += &line(&std::iter::once("**all but texts**".to_owned()).chain(sums).collect::<Vec<_>>());
    text + "\n"
}

/// A column for each number of users.
fn columns(people: &[f64]) -> Vec<String> {
    people.iter().map(|people| format!("{} people a day", grouped(*people))).collect()
}

fn texts(load: &Load, people: &[f64]) -> String {
    let columns = columns(people);
    let mut titles = vec!["to", "USD a text", "and to the carrier"];
    titles.extend(columns.iter().map(String::as_str));
    let mut text = head(&titles);
    for country in TEXTS {
        let mut cells = vec![country.to.to_owned(), short(country.price), short(country.carrier)];
        cells.extend(people.iter().map(|people| usd(bill::texts(load, *people) * country.each())));
        text += &line(&cells);
    }
    let _ = write!(text, "\n{TEXTS_SEEN}.\n");
    text
}

fn edges(load: &Load, memory: &BTreeMap<String, f64>, people: &[f64]) -> String {
    let columns = columns(people);
    let mut titles = vec!["if all of them are in", "USD a GB, less and less", "USD a million requests"];
    titles.extend(columns.iter().map(String::as_str));
    let mut text = head(&titles);
    let months: Vec<_> = people.iter().map(|people| bill::month(load, memory, *people, Carrier::Handset)).collect();
    for place in EDGES {
        let [first, .., last] = place.gb;
        let mut cells = vec![place.place.to_owned(), format!("{first} to {last}"), short(place.requests)];
        cells.extend(months.iter().map(|usage| usd(place.cost(usage))));
        text += &line(&cells);
    }
    let _ = write!(text, "\n{EDGES_SEEN}.\n");
    text
}

fn actions(load: &Load, memory: &BTreeMap<String, f64>) -> String {
    let titles =
        ["argument", "times a day", "function", "MB", "rounds", "write units", "read units", "ms of processor"];
    let mut text = head(&titles);
    let (account, friends, groups) = (load.of(Knob::AccountKb), load.of(Knob::Friends), load.of(Knob::Groups));
    for action in &ACTIONS {
        let round = |value: f64| format!("{}", (value * 10.0).round() / 10.0);
        text += &line(&[
            format!("`{}`", action.name),
            short(load.per_day(action.name)),
            action.function.to_owned(),
            short(memory.get(action.function).copied().unwrap_or_default()),
            short(action.rounds),
            round(action.writes.of(account, friends, groups)),
            round(action.reads.of(account, friends, groups)),
            short(action.cpu_ms),
        ]);
    }
    text
}

fn assumptions(load: &Load) -> String {
    let mut text = head(&["argument", "is", "means"]);
    for knob in Knob::ALL {
        let (name, _, meaning) = knob.said();
        text += &line(&[format!("`{name}`"), short(load.of(knob)), meaning.to_owned()]);
    }
    text
}

fn prices() -> String {
    let mut text = head(&["service", "unit", "USD", "seen", "source"]);
    for what in What::ALL {
        let price = what.price();
        let mut below = 0.0;
        let mut steps = Vec::new();
        for (up_to, each) in price.steps {
            // Small prices are shown per million, as AWS shows them.
            let each = match *each {
                0.0 => "free".to_owned(),
                each if each < 1e-6 || (each * 1e6).fract().abs() < 1e-9 && each < 1e-3 => {
                    format!("{} a million", (each * 1e9).round() / 1e3)
                }
                each => format!("{each}"),
            };
            let from = if below > 0.0 { format!(" from {}", grouped(below)) } else { String::new() };
            steps.push(each + &from);
            below = *up_to;
        }
        let cells = [price.service, price.unit, &steps.join("; "), price.seen, price.source];
        text += &line(&cells.map(str::to_owned));
    }
    text
}

/// The document with new tables between its markers. Fails when a table has no markers.
pub fn renew(document: &str, tables: &[(&str, String)]) -> Result<String, String> {
    let mut text = document.to_owned();
    for (name, table) in tables {
        let (begin, end) = (format!("<!-- {name}: made by handset-cost -->\n"), format!("<!-- /{name} -->"));
        let missing = || format!("no markers of {name}");
        let (before, rest) = text.split_once(&begin).ok_or_else(missing)?;
        let (_, after) = rest.split_once(&end).ok_or_else(missing)?;
        text = format!("{before}{begin}{table}{end}{after}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_as_people_tell_them() {
        assert_eq!((usd(3.456), usd(1_234.5), usd(99.4)), ("3.46".into(), "1,234".into(), "99.40".into()));
        assert_eq!((grouped(999.0), grouped(1e7)), ("999".into(), "10,000,000".into()));
    }

    #[test]
    fn only_what_lies_between_the_markers_is_made_anew() {
        let document = "a\n<!-- x: made by handset-cost -->\nold\n<!-- /x -->\nb\n";
        let renewed = renew(document, &[("x", "new\n".into())]).unwrap();
        assert_eq!(renewed, document.replace("old", "new"));
        assert!(renew(document, &[("y", String::new())]).is_err());
    }
}
