//! Reads the table and the bucket as an administrator.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::clock::SystemClock;
use domain::crypto::SystemRandom;
use domain::tokens::Keys;
use emulator::Principal;
use runtime::Services;

use super::backend::Runs;
use super::{Backend, Phone};

pub type Item = HashMap<String, AttributeValue>;

impl Backend {
    /// SDK configuration of an administrator of this backend's endpoints.
    pub fn administrator(&self) -> &SdkConfig {
        self.administrator.get_or_init(|| {
            let (id, secret) = ("TESTADMINISTRATOR000", "test/administrator");
            let url = match &self.running {
                Runs::Here(running) => {
                    let principal = Principal {
                        name: "test".into(),
                        access_key_id: id.into(),
                        secret_access_key: secret.into(),
                        statements: None,
                    };
                    running.endpoints().register(principal).expect("an administrator");
                    running.endpoints().url()
                }
                Runs::Elsewhere(elsewhere) => &elsewhere.aws,
            };
            let credentials = Credentials::new(id, secret, None, None, "test");
            SdkConfig::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new(emulator::REGION))
                .endpoint_url(url)
                .credentials_provider(SharedCredentialsProvider::new(credentials))
                .build()
        })
    }

    /// The table's name.
    pub fn table_name(&self) -> &str {
        match &self.running {
            Runs::Here(running) => &running.stack().tables[0].name,
            Runs::Elsewhere(elsewhere) => &elsewhere.table,
        }
    }

    /// The bucket's name.
    pub fn bucket_name(&self) -> &str {
        match &self.running {
            Runs::Here(running) => &running.stack().buckets[0].name,
            Runs::Elsewhere(elsewhere) => &elsewhere.bucket,
        }
    }

    /// The keys of the functions, with some of their settings changed.
    pub fn keys(&self, changes: &[(&str, &str)]) -> Arc<Keys> {
        let mut environment = self.environment("auth");
        environment.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let sdk = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).build();
        let services =
            Services::new(environment.into_iter().collect(), sdk, Arc::new(SystemClock), Arc::new(SystemRandom));
        services.keys().expect("keys")
    }

    /// The services of a function, with an administrator's permissions and this backend's clock.
    pub fn services(&self, binary: &str) -> Services {
        let environment = self.environment(binary).into_iter().collect();
        Services::new(environment, self.administrator().clone(), self.clock.clone(), Arc::new(SystemRandom))
    }

    /// The environment of a function.
    pub fn environment(&self, binary: &str) -> BTreeMap<String, String> {
        match &self.running {
            Runs::Here(running) => running.environments()[binary].clone(),
            Runs::Elsewhere(elsewhere) => elsewhere.environments[binary].clone(),
        }
    }

    fn table(&self) -> &aws_sdk_dynamodb::Client {
        self.table.get_or_init(|| aws_sdk_dynamodb::Client::new(self.administrator()))
    }

    /// Every item with the partition key `pk`.
    pub async fn items(&self, pk: &str) -> Vec<Item> {
        let query = self.table().query().table_name(self.table_name()).consistent_read(true);
        let pk = AttributeValue::S(pk.into());
        let query = query.key_condition_expression("pk = :pk").expression_attribute_values(":pk", pk);
        query.send().await.expect("a query").items.unwrap_or_default()
    }

    /// The item with this key.
    pub async fn item(&self, pk: &str, sk: &str) -> Option<Item> {
        let wanted = AttributeValue::S(sk.to_owned());
        self.items(pk).await.into_iter().find(|item| item.get("sk") == Some(&wanted))
    }

    /// Every item whose partition key begins with `start`. Only tests scan.
    pub async fn items_below(&self, start: &str) -> Vec<Item> {
        let scan = self.table().scan().table_name(self.table_name()).consistent_read(true);
        let scan = scan.filter_expression("begins_with(pk, :start)");
        let scan = scan.expression_attribute_values(":start", AttributeValue::S(start.into()));
        scan.send().await.expect("a scan").items.unwrap_or_default()
    }

    /// Puts an item unchanged.
    pub async fn put_item(&self, item: Item) {
        let put = self.table().put_item().table_name(self.table_name()).set_item(Some(item));
        put.send().await.expect("a put");
    }

    /// Deletes the item with this key.
    pub async fn delete_item(&self, pk: &str, sk: &str) {
        let delete = self.table().delete_item().table_name(self.table_name());
        let delete = delete.key("pk", AttributeValue::S(pk.into())).key("sk", AttributeValue::S(sk.into()));
        delete.send().await.expect("a deletion");
    }

    /// The number of items in the whole table. Only tests scan.
    pub async fn count_items(&self) -> i32 {
        self.table().scan().table_name(self.table_name()).send().await.expect("a scan").count
    }

    /// The stored code of a phone, with the times when codes were sent to it.
    pub async fn code_item(&self, phone: &Phone) -> Option<Item> {
        self.item(&format!("phone#{}", phone.e164()), "code").await
    }

    /// The user of an id of the device API, by its claim.
    pub async fn device_user(&self, id: u64) -> u64 {
        let claim = self.item(&format!("device#{id}"), "claim").await.expect("a claim");
        u64::try_from(number(&claim, "user").expect("a user")).expect("an id")
    }

    /// Removes an attribute of an account, as if the account were older than the attribute.
    pub async fn forget(&self, uid: u64, attribute: &str) {
        let mut item = self.account(uid).await;
        assert!(item.remove(attribute).is_some(), "{attribute}");
        self.put_item(item).await;
    }

    /// An account's item.
    pub async fn account(&self, uid: u64) -> Item {
        self.item(&format!("user#{uid}"), "account").await.expect("an account")
    }

    /// The sessions of an account, by their ids.
    pub async fn sessions(&self, uid: u64) -> HashMap<String, Item> {
        let account = self.account(uid).await;
        let sessions = account["sessions"].as_m().expect("a map").iter();
        sessions.map(|(id, session)| (id.clone(), session.as_m().expect("a map").clone())).collect()
    }

    /// The keys of all objects in the bucket.
    pub async fn objects(&self) -> Vec<String> {
        let client = aws_sdk_s3::Client::new(self.administrator());
        let listed = client.list_objects_v2().bucket(self.bucket_name()).send().await;
        let objects = listed.expect("a list").contents.unwrap_or_default();
        objects.into_iter().filter_map(|object| object.key).collect()
    }
}

/// A number in an item; `None` if it is missing.
pub fn number(item: &Item, name: &str) -> Option<i64> {
    item.get(name).map(|value| value.as_n().expect("a number").parse().expect("a whole number"))
}

/// A text in an item; `None` if it is missing.
pub fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name).map(|value| value.as_s().expect("a text").as_str())
}
