//! The list of open rooms during simultaneous changes.

use std::collections::HashSet;

use futures::future::join_all;
use reqwest::Method;
use serde_json::json;

use super::{call, list, make_room, pks, register, text};
use crate::support::{Backend, run};

async fn delete_room(backend: &Backend, pk: &str, token: &str) -> u16 {
    let delete = backend.request(Method::DELETE, &format!("/rooms/{pk}/")).json(&json!({ "token": token }));
    delete.send().await.expect("an answer").status().as_u16()
}

/// Follows pages by number, or by `next`, and returns the rooms of each page.
async fn walk(backend: &Backend, size: usize, by_cursor: bool) -> Vec<Vec<String>> {
    let (mut pages, mut query) = (Vec::new(), format!("pageSize={size}"));
    loop {
        let page = list(backend, &query).await;
        assert_eq!(page["pageSize"], size.to_string());
        pages.push(pks(&page));
        if page["next"] == "" {
            return pages;
        }
        query = if by_cursor {
            format!("pageSize={size}&after={}", text(&page, "next"))
        } else {
            format!("pageSize={size}&page={}", pages.len() + 1)
        };
    }
}

#[test]
fn pages_and_totals_are_right_under_concurrent_changes() {
    run(async {
        let backend = Backend::start(&[]).await;
        assert_eq!(
            list(&backend, "").await,
            json!({
                "status": "SUCCESS", "msg": "查询成功", "code": "200", "pageSize": "30", "currentPage": "1",
                "totalPage": "0", "total": "0", "next": "", "results": [],
            })
        );
        let owner = register(&backend).await;
        let make = async |number: usize| {
            let mut body = json!({ "room_alias": format!("room {number}"), "active": !number.is_multiple_of(5) });
            if number.is_multiple_of(3) {
                body["token"] = json!(owner.token);
            }
            (number, text(&make_room(&backend, body).await, "pk"))
        };
        let rooms = join_all((0..60).map(make)).await;
        // Delete, close, open and renew, each several times in parallel.
        let change = async |(number, pk): &(usize, String)| {
            let path = format!("/rooms/{pk}/");
            let put = |active: bool| call(&backend, "PUT", &path, json!({ "active": active, "token": owner.token }));
            match number % 6 {
                0 => {
                    let mut ends = join_all((0..3).map(|_| delete_room(&backend, pk, &owner.token))).await;
                    ends.sort_unstable();
                    assert_eq!(ends, [204, 404, 404]);
                }
                1 => drop(join_all((0..4).map(|_| put(false))).await),
                2 => drop(join_all((0..4).map(|_| put(true))).await),
                3 => {
                    let toggles = join_all((0..12).map(|turn| put(turn % 2 == 0))).await;
                    assert!(toggles.iter().all(|(status, _)| *status == 200), "{toggles:?}");
                    put(true).await;
                }
                _ => {}
            }
        };
        join_all(rooms.iter().map(change)).await;

        let open = |number: usize| match number % 6 {
            0 | 1 => false,
            2 | 3 => true,
            _ => !number.is_multiple_of(5),
        };
        let expected: HashSet<_> = rooms.iter().filter(|(number, _)| open(*number)).map(|(_, pk)| pk.clone()).collect();
        let all = list(&backend, "pageSize=100").await;
        assert_eq!(all["total"], expected.len().to_string());
        let order = pks(&all);
        assert_eq!(order.iter().cloned().collect::<HashSet<_>>(), expected);
        for by_cursor in [false, true] {
            for size in [1, 7, 30] {
                let pages = walk(&backend, size, by_cursor).await;
                assert_eq!(pages.len(), expected.len().div_ceil(size), "{size} {by_cursor}");
                assert!(pages[..pages.len() - 1].iter().all(|page| page.len() == size));
                assert_eq!(pages.concat(), order, "{size} {by_cursor}");
            }
        }
        let beyond = list(&backend, "page=900&pageSize=30").await;
        assert_eq!((pks(&beyond).len(), &beyond["total"]), (0, &all["total"]));
        assert_eq!(beyond["totalPage"], expected.len().div_ceil(30).to_string());
        assert_eq!(list(&backend, "pageSize=5000").await["pageSize"], "100");
        // A newer room does not affect a client that follows the cursor.
        let first = list(&backend, "pageSize=5").await;
        make_room(&backend, json!({ "room_alias": "the newest" })).await;
        let second = list(&backend, &format!("pageSize=5&after={}", text(&first, "next"))).await;
        assert_eq!(pks(&second), order[5..10]);
    });
}
