//! The data that survive a restart, and the lock on a data folder.

use std::path::PathBuf;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::primitives::ByteStream;
use emulator::{EndpointOptions, Endpoints, Error};

use crate::support::{BUCKET, TABLE, TestStack, table};

/// A folder that is removed when the test ends.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("handset-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Self(path)
    }

    pub fn path(&self) -> PathBuf {
        self.0.clone()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

#[tokio::test]
async fn a_restart_keeps_items_objects_and_texts() {
    let folder = Folder::new("restart");
    let stack = TestStack::start_in(Some(folder.0.clone())).await;
    let put = stack.dynamo("admin").put_item().table_name(TABLE).item("pk", text("a")).item("sk", text("b"));
    put.send().await.expect("an item");
    let s3 = stack.s3("admin");
    for (key, body) in [("k", "old"), ("k", "new"), ("gone", "x")] {
        let body = ByteStream::from(body.as_bytes().to_vec());
        let put = s3.put_object().bucket(BUCKET).key(key).content_type("image/png").body(body);
        put.send().await.expect("an object");
    }
    s3.delete_object().bucket(BUCKET).key("gone").send().await.expect("deleted");
    let publish = stack.sns("admin").publish().phone_number("+8613800138000").message("hi");
    publish.send().await.expect("a text");
    stack.endpoints.shutdown().await;
    drop(stack);

    let bucket = folder.0.join("s3").join(BUCKET);
    let files = || std::fs::read_dir(&bucket).expect("the bucket").count();
    assert_eq!(files(), 2, "replaced and deleted bytes are gone");
    std::fs::write(bucket.join("left-over.body"), "x").expect("a file of a crash");

    let stack = TestStack::start_in(Some(folder.0.clone())).await;
    assert_eq!(files(), 2, "left-over bytes are removed");
    let get = stack.dynamo("admin").get_item().table_name(TABLE).key("pk", text("a")).key("sk", text("b"));
    assert!(get.send().await.expect("an answer").item().is_some());
    let s3 = stack.s3("admin");
    let stored = s3.get_object().bucket(BUCKET).key("k").send().await.expect("stored");
    assert_eq!(stored.content_type(), Some("image/png"));
    assert_eq!(stored.body.collect().await.expect("bytes").to_vec(), b"new");
    s3.get_object().bucket(BUCKET).key("gone").send().await.expect_err("deleted");
    let texts = stack.endpoints.texts(None);
    assert_eq!(texts.iter().map(|text| text.body.as_str()).collect::<Vec<_>>(), ["hi"]);

    let mut changed = table();
    changed["StreamSpecification"]["StreamViewType"] = "KEYS_ONLY".into();
    let error = stack.endpoints.create_table(&changed).expect_err("another schema");
    assert!(error.to_string().contains(&folder.0.display().to_string()), "{error}");
    stack.endpoints.shutdown().await;
}

#[tokio::test]
async fn a_data_folder_belongs_to_one_run() {
    let folder = Folder::new("lock");
    let options = EndpointOptions { data: Some(folder.0.clone()), ..EndpointOptions::default() };
    let first = Endpoints::start(options.clone()).await.expect("the first");
    let second = Endpoints::start(options.clone()).await;
    assert!(matches!(second.err(), Some(Error::InUse(_))));
    first.shutdown().await;
    drop(first);
    Endpoints::start(options).await.expect("after the first").shutdown().await;
}

#[tokio::test]
async fn a_shutdown_frees_the_port() {
    let stack = TestStack::start().await;
    stack.dynamo("admin").scan().table_name(TABLE).send().await.expect("an answer");
    let port = stack.endpoints.url().rsplit(':').next().expect("a port").parse().expect("a number");
    stack.endpoints.shutdown().await;
    Endpoints::start(EndpointOptions { port, ..EndpointOptions::default() })
        .await
        .expect("the port is free")
        .shutdown()
        .await;
}
