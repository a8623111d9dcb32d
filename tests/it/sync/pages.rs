//! A sync with more than a megabyte: it comes in pages, and nothing is lost between them.

use serde_json::json;

use super::replica::{Replica, Rows};
use super::{Somebody, crowd, settled};
use crate::support::{Backend, run};

/// Enough groups of five hundred for more than a megabyte.
const GROUPS: usize = 11;

#[test]
fn megabytes_of_changes_come_in_pages_of_four_rounds_each_and_lose_nothing() {
    run(async {
        let backend = Backend::start(&[]).await;
        let tom = Somebody::new(&backend, "Tom").await;
        let people = crowd(&backend, 499).await;
        let people: Vec<_> = people.iter().map(String::as_str).collect();
        for number in 0..GROUPS {
            tom.group(&backend, &format!("Team {number}"), &people).await;
        }
        settled(&backend).await;
        let mut replica = Replica::default();
        let mut pages = Vec::new();
        loop {
            let page = tom.sync_whole(&backend, replica.version).await;
            assert!(page.rounds() <= 4, "{} rounds", page.rounds());
            let told = &page.body["result"];
            pages.push(told.to_string().len());
            replica.take_in(told);
            if told["more"] == false {
                break;
            }
            // While the device reads its pages, rows that it has already received change again.
            let renamed =
                json!({ "groupId": replica.rows.groups.keys().next(), "name": format!("page {}", pages.len()) });
            tom.post(&backend, "/group/rename", &renamed).await;
        }
        assert!(pages.len() > 1 && pages.iter().all(|bytes| *bytes < 2_000_000), "{pages:?}");
        assert!(pages[..pages.len() - 1].iter().all(|bytes| *bytes > 700_000), "{pages:?}");
        assert_eq!(replica.rows.members.len(), GROUPS * 500);
        replica.catch_up(&backend, &tom).await;
        assert_eq!(replica.rows, Rows::truth(&backend, &tom).await);
    });
}
