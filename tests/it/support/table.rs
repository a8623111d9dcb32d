//! Looking into the table and the bucket, as an administrator.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::types::AttributeValue;
use local_aws::Principal;

use super::Backend;

type Item = std::collections::HashMap<String, AttributeValue>;

impl Backend {
    /// SDK configuration of an administrator of this backend's endpoints.
    pub fn administrator(&self) -> SdkConfig {
        let (id, secret) = ("TESTADMINISTRATOR000", "test/administrator");
        let endpoints = self.running.endpoints();
        let principal = Principal {
            name: "test".into(),
            access_key_id: id.into(),
            secret_access_key: secret.into(),
            statements: None,
        };
        endpoints.register(principal).expect("an administrator");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(local_aws::REGION))
            .endpoint_url(endpoints.url())
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(id, secret, None, None, "test")))
            .build()
    }

    /// Every item whose partition key is `pk`.
    pub async fn items(&self, pk: &str) -> Vec<Item> {
        let client = aws_sdk_dynamodb::Client::new(&self.administrator());
        let query = client.query().table_name(&self.running.stack().tables[0].name).consistent_read(true);
        let query = query.key_condition_expression("pk = :pk").expression_attribute_values(":pk", AttributeValue::S(pk.into()));
        query.send().await.expect("a query").items.unwrap_or_default()
    }

    /// The item at a key.
    pub async fn item(&self, pk: &str, sk: &str) -> Option<Item> {
        let wanted = AttributeValue::S(sk.to_owned());
        self.items(pk).await.into_iter().find(|item| item.get("sk") == Some(&wanted))
    }

    /// How many items the whole table holds. Only tests scan.
    pub async fn count_items(&self) -> i32 {
        let client = aws_sdk_dynamodb::Client::new(&self.administrator());
        client.scan().table_name(&self.running.stack().tables[0].name).send().await.expect("a scan").count
    }

    /// The keys of all objects in the bucket.
    pub async fn objects(&self) -> Vec<String> {
        let client = aws_sdk_s3::Client::new(&self.administrator());
        let listed = client.list_objects_v2().bucket(&self.running.stack().buckets[0].name).send().await;
        let objects = listed.expect("a list").contents.unwrap_or_default();
        objects.into_iter().filter_map(|object| object.key).collect()
    }
}
