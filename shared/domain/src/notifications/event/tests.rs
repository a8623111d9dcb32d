//! Which changes lead to notifications.

use super::*;
use crate::social::group::{Operation, Stage};

fn user(id: u64) -> UserId {
    UserId::new(id).unwrap()
}

fn time(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn side(status: Option<Status>, asked: i64) -> Relation {
    let (asked, message) = (Some(time(asked)), "let me in".to_owned());
    Relation { status, asked, message, updated: time(9), turn: 1, ..Relation::stranger(user(2)) }
}

fn relation(before: Option<Relation>, after: Relation) -> Option<NotificationEvent> {
    Change::Relation { of: user(1), before, after }.news()
}

/// Every status, and no status.
fn every_status() -> impl Iterator<Item = Option<Status>> {
    Status::ALL.into_iter().map(Some).chain([None])
}

#[test]
fn of_all_pairs_of_statuses_only_requests_and_acceptances_are_news() {
    let message = "let me in".to_owned();
    let request = NotificationEvent::Request { from: user(2), to: user(1), message, first_today: false, at: time(9) };
    let acceptance = NotificationEvent::Acceptance { from: user(2), to: user(1), at: time(9) };
    for before in every_status() {
        for after in every_status() {
            let expected = match (before, after) {
                (Some(Status::WasAsked), Some(Status::WasAsked)) => None,
                (_, Some(Status::WasAsked)) => Some(request.clone()),
                (Some(Status::Asked), Some(Status::Friends)) => Some(acceptance.clone()),
                _ => None,
            };
            let news = relation(Some(side(before, 5)), side(after, 5));
            assert_eq!(news, expected, "{before:?} → {after:?}");
        }
    }
}

#[test]
fn an_item_that_appears_is_news_only_to_who_is_asked() {
    for after in every_status() {
        let news = relation(None, side(after, 5));
        assert_eq!(news.is_some(), after == Some(Status::WasAsked), "{after:?}");
    }
}

#[test]
fn who_asks_again_is_heard_again() {
    let asked = |at| side(Some(Status::WasAsked), at);
    assert!(relation(Some(asked(5)), asked(5)).is_none());
    assert!(relation(Some(asked(5)), asked(6)).is_some());
}

#[test]
fn only_the_first_request_of_a_pair_and_a_day_is_for_devices() {
    const DAY: i64 = 86_400_000;
    let asked = |at| side(Some(Status::WasAsked), at);
    let first_today = |before, after| match relation(before, after) {
        Some(NotificationEvent::Request { first_today, .. }) => first_today,
        other => panic!("{other:?}"),
    };
    assert!(first_today(None, asked(5)));
    assert!(!first_today(Some(asked(5)), asked(DAY - 1)));
    assert!(first_today(Some(asked(DAY - 1)), asked(DAY)));
    // The fate of the earlier request makes no difference.
    for before in every_status().filter(|status| *status != Some(Status::WasAsked)) {
        assert!(!first_today(Some(side(before, 5)), asked(6)), "{before:?}");
    }
}

#[test]
fn who_asks_does_not_hear_of_it() {
    let asking = |at| side(Some(Status::Asked), at);
    assert_eq!(relation(None, asking(5)), None);
    assert_eq!(relation(Some(asking(5)), asking(6)), None);
}

fn event(seq: u64) -> GroupEvent {
    GroupEvent { seq, operation: Operation::Add, operator: user(1), targets: vec![user(3), user(2)], heir: None }
}

fn group(last_event: Option<GroupEvent>) -> Group {
    let name = "徒步".to_owned();
    Group {
        id: GroupId::new(7).unwrap(),
        name,
        portrait: String::new(),
        owner: user(1),
        members: 3,
        seq: 5,
        stage: Stage::Alive,
        created: time(1),
        updated: time(9),
        last_event,
    }
}

fn news_of(before: Option<u64>, told: Option<u64>) -> Option<NotificationEvent> {
    let (before, after) = (Some(group(before.map(event))), group(told.map(event)));
    Change::Group { before, after }.news()
}

#[test]
fn a_group_event_is_news_once() {
    assert_eq!(news_of(None, None), None);
    assert_eq!(news_of(Some(4), None), None);
    assert_eq!(news_of(Some(4), Some(4)), None);
    let news =
        NotificationEvent::Group { group: group(None).id, name: "徒步".to_owned(), event: event(4), at: time(9) };
    for before in [None, Some(3), Some(5)] {
        assert_eq!(news_of(before, Some(4)), Some(news.clone()), "{before:?}");
    }
    assert_eq!(Change::Group { before: None, after: group(Some(event(4))) }.news(), Some(news));
    assert_eq!(Change::Group { before: None, after: group(None) }.news(), None);
}

#[test]
fn news_names_its_author_and_whom_it_befell() {
    let news = news_of(None, Some(4)).unwrap();
    assert_eq!((news.author(), news.named()), (user(1), BTreeSet::from([user(1), user(2), user(3)])));
    let news = relation(None, side(Some(Status::WasAsked), 5)).unwrap();
    assert_eq!((news.author(), news.named()), (user(2), BTreeSet::from([user(1), user(2)])));
}
