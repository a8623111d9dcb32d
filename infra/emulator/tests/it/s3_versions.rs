//! S3: versions of objects and delete markers.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
use aws_sdk_s3::primitives::ByteStream;
use serde_json::json;

use crate::persistence::Folder;
use crate::support::{BUCKET, TestStack};

async fn versioned() -> (TestStack, Client) {
    let stack = TestStack::start().await;
    stack.endpoints.create_bucket(BUCKET, true).expect("the bucket");
    let client = stack.s3("admin");
    (stack, client)
}

/// Writes an object and returns its version id.
async fn put(client: &Client, key: &str, body: &str) -> Option<String> {
    let body = ByteStream::from(body.as_bytes().to_vec());
    client.put_object().bucket(BUCKET).key(key).body(body).send().await.expect("stored").version_id
}

async fn get(client: &Client, key: &str, version: Option<&str>) -> Result<String, String> {
    let get = client.get_object().bucket(BUCKET).key(key).set_version_id(version.map(str::to_owned)).send().await;
    let output = get.map_err(|error| error.code().unwrap_or_default().to_owned())?;
    assert!(version.is_none() || output.version_id() == version.filter(|version| *version != "null"));
    let bytes = output.body.collect().await.expect("bytes").to_vec();
    Ok(String::from_utf8(bytes).expect("text"))
}

async fn list(client: &Client, prefix: &str) -> ListObjectVersionsOutput {
    client.list_object_versions().bucket(BUCKET).prefix(prefix).send().await.expect("a list")
}

/// The version ids in a list with whether each is the newest, and then those of its delete markers.
fn ids(list: &ListObjectVersionsOutput) -> [Vec<(String, bool)>; 2] {
    let versions = list.versions().iter().map(|one| (one.version_id(), one.is_latest()));
    let markers = list.delete_markers().iter().map(|one| (one.version_id(), one.is_latest()));
    let told = |(id, newest): (Option<&str>, Option<bool>)| (id.expect("an id").to_owned(), newest.expect("a flag"));
    [versions.map(told).collect(), markers.map(told).collect()]
}

#[tokio::test]
async fn a_bucket_with_versioning_keeps_what_is_replaced() {
    let (_stack, client) = versioned().await;
    let old = put(&client, "k", "old").await.expect("a version");
    let new = put(&client, "k", "new").await.expect("a version");
    put(&client, "k2", "other").await;
    assert_eq!(get(&client, "k", None).await, Ok("new".to_owned()));
    assert_eq!(get(&client, "k", Some(&old)).await, Ok("old".to_owned()));
    assert_eq!(get(&client, "k", Some("0")).await, Err("NoSuchVersion".to_owned()));
    let [versions, markers] = ids(&list(&client, "k").await);
    assert_eq!((versions[..2].to_vec(), versions.len()), (vec![(new.clone(), true), (old, false)], 3));
    assert_eq!(markers, []);
    let head = client.head_object().bucket(BUCKET).key("k").send().await.expect("an object");
    assert_eq!(head.version_id(), Some(&*new));
}

#[tokio::test]
async fn deleting_leaves_a_marker_and_deleting_the_marker_brings_the_object_back() {
    let (_stack, client) = versioned().await;
    let version = put(&client, "k", "kept").await.expect("a version");
    let deleted = client.delete_object().bucket(BUCKET).key("k").send().await.expect("deleted");
    assert_eq!(deleted.delete_marker(), Some(true));
    let marker = deleted.version_id().expect("an id").to_owned();
    assert_eq!(get(&client, "k", None).await, Err("NoSuchKey".to_owned()));
    assert_eq!(get(&client, "k", Some(&version)).await, Ok("kept".to_owned()));
    assert_eq!(get(&client, "k", Some(&marker)).await, Err("MethodNotAllowed".to_owned()));
    assert_eq!(client.list_objects_v2().bucket(BUCKET).send().await.expect("a list").key_count(), Some(0));
    assert_eq!(ids(&list(&client, "").await), [vec![(version.clone(), false)], vec![(marker.clone(), true)]]);
    // An object that was deleted counts as missing for a conditional write.
    let body = ByteStream::from_static(b"again");
    client.put_object().bucket(BUCKET).key("k").if_none_match("*").body(body).send().await.expect("new again");
    let newest = ids(&list(&client, "k").await)[0][0].0.clone();
    let erase = |id: &str| client.delete_object().bucket(BUCKET).key("k").version_id(id).send();
    assert_eq!(erase(&newest).await.expect("deleted").delete_marker(), None);
    assert_eq!(get(&client, "k", None).await, Err("NoSuchKey".to_owned()));
    assert_eq!(erase(&marker).await.expect("deleted").delete_marker(), Some(true));
    assert_eq!(get(&client, "k", None).await, Ok("kept".to_owned()));
    for _ in 0..2 {
        erase(&version).await.expect("a missing version is not an error");
        assert_eq!(ids(&list(&client, "").await), [vec![], vec![]]);
    }
}

#[tokio::test]
async fn a_bucket_without_versioning_has_one_version_called_null() {
    let stack = TestStack::start().await;
    let client = stack.s3("admin");
    assert_eq!((put(&client, "k", "1").await, put(&client, "k", "2").await), (None, None));
    assert_eq!(ids(&list(&client, "").await), [vec![("null".to_owned(), true)], vec![]]);
    assert_eq!(get(&client, "k", Some("null")).await, Ok("2".to_owned()));
    // Versioning keeps it, and stopping versioning keeps the versions.
    stack.endpoints.create_bucket(BUCKET, true).expect("the bucket");
    let version = put(&client, "k", "3").await.expect("a version");
    stack.endpoints.create_bucket(BUCKET, false).expect("the bucket");
    assert_eq!(ids(&list(&client, "").await)[0], [(version.clone(), true), ("null".to_owned(), false)]);
    assert_eq!(put(&client, "k", "4").await, None);
    assert_eq!(ids(&list(&client, "").await)[0], [("null".to_owned(), true), (version.clone(), false)]);
    client.delete_object().bucket(BUCKET).key("k").send().await.expect("deleted");
    assert_eq!(ids(&list(&client, "").await), [vec![(version, false)], vec![("null".to_owned(), true)]]);
    let gone = client.delete_object().bucket(BUCKET).key("k").version_id("null").send().await.expect("deleted");
    assert_eq!(gone.delete_marker(), Some(true));
    assert_eq!(get(&client, "k", None).await, Ok("3".to_owned()));
}

#[tokio::test]
async fn versions_are_listed_in_pages() {
    let (_stack, client) = versioned().await;
    for key in ["a", "b", "b", "b", "c", "other"] {
        put(&client, key, "x").await;
    }
    let (mut keys, mut after) = (Vec::new(), Some((None, None)));
    // The SDK has no paginator for this call.
    while let Some((key, version)) = after {
        let list = client.list_object_versions().bucket(BUCKET).max_keys(2);
        let page = list.set_key_marker(key).set_version_id_marker(version).send().await.expect("a page");
        assert!(page.versions().len() <= 2);
        keys.extend(page.versions().iter().map(|version| version.key().expect("a key").to_owned()));
        let is_truncated = page.is_truncated() == Some(true);
        after = is_truncated.then(|| (page.next_key_marker.clone(), page.next_version_id_marker.clone()));
    }
    assert_eq!(keys, ["a", "b", "b", "b", "c", "other"]);
}

#[tokio::test]
async fn versions_need_permissions_of_their_own() {
    let (stack, admin) = versioned().await;
    let version = put(&admin, "k", "x").await.expect("a version");
    let statement = |action: &str, resource: &str| json!({"Effect": "Allow", "Action": action, "Resource": format!("arn:aws:s3:::{BUCKET}{resource}")});
    let plain = [statement("s3:GetObject", "/*"), statement("s3:DeleteObject", "/*"), statement("s3:ListBucket", "")];
    stack.register("plain", Some(json!(plain)));
    let client = stack.s3("plain");
    assert_eq!(get(&client, "k", Some(&version)).await, Err("AccessDenied".to_owned()));
    let erased = client.delete_object().bucket(BUCKET).key("k").version_id(&version).send().await;
    assert_eq!(erased.expect_err("denied").code(), Some("AccessDenied"));
    let listed = client.list_object_versions().bucket(BUCKET).send().await;
    assert_eq!(listed.expect_err("denied").code(), Some("AccessDenied"));
    let actions: Vec<_> = stack.endpoints.denied().into_iter().map(|denial| denial.action).collect();
    assert_eq!(actions, ["s3:GetObjectVersion", "s3:DeleteObjectVersion", "s3:ListBucketVersions"]);
    let eraser = [statement("s3:DeleteObjectVersion", "/*"), statement("s3:ListBucketVersions", "")];
    stack.register("eraser", Some(json!(eraser)));
    let client = stack.s3("eraser");
    assert_eq!(list(&client, "k").await.versions().len(), 1);
    client.delete_object().bucket(BUCKET).key("k").version_id(&version).send().await.expect("allowed");
}

#[tokio::test]
async fn a_restart_keeps_versions_and_markers() {
    let folder = Folder::new("versions");
    let stack = TestStack::start_in(Some(folder.path())).await;
    stack.endpoints.create_bucket(BUCKET, true).expect("the bucket");
    let client = stack.s3("admin");
    for (key, body) in [("k", "old"), ("k", "new"), ("gone", "x")] {
        put(&client, key, body).await;
    }
    client.delete_object().bucket(BUCKET).key("gone").send().await.expect("deleted");
    let before = ids(&list(&client, "").await);
    stack.endpoints.shutdown().await;
    drop(stack);
    let stack = TestStack::start_in(Some(folder.path())).await;
    stack.endpoints.create_bucket(BUCKET, true).expect("the bucket");
    let client = stack.s3("admin");
    assert_eq!(ids(&list(&client, "").await), before);
    assert_eq!(get(&client, "k", None).await, Ok("new".to_owned()));
    assert_eq!(get(&client, "k", Some(&before[0][2].0)).await, Ok("old".to_owned()));
    stack.endpoints.shutdown().await;
}
