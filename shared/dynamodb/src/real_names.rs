//! Encrypted identity documents.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem};

use super::item::{self, Item, blob, moment};
use super::write::key_attributes;
use super::{Table, Transacted, change_by, failed, found, keys, not_signed_in};
use domain::account::Caller;
use domain::clock::Timestamp;
use domain::real_name::{DocumentStore, Written};
use domain::{Error, Fault, Result};

/// Positions in the transaction below.
const ACCOUNT: usize = 0;
const DOCUMENT: usize = 1;

#[async_trait]
impl DocumentStore for Table {
    async fn write(&self, caller: Caller, sealed: &[u8], now: Timestamp) -> Result<Written> {
        let mut item = Item::from([("sealed".to_owned(), blob(sealed)), ("written".to_owned(), moment(now))]);
        item.extend(key_attributes(&keys::identity(caller.user)));
        let put = Put::builder()
            .table_name(&*self.name)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .build()
            .map_err(|error| Fault::new("building a put", error))?;
        let writes =
            vec![change_by(caller, "", now).in_transaction(&self.name)?, TransactWriteItem::builder().put(put).build()];
        match self.transact("keeping an identity document", writes).await? {
            Transacted::Done => Ok(Written::Now),
            Transacted::Refused(reasons) if failed(&reasons, ACCOUNT) => {
                Err(not_signed_in(found(&reasons, ACCOUNT), caller))
            }
            Transacted::Refused(reasons) => Ok(Written::Before(sealed_in(found(&reasons, DOCUMENT))?)),
        }
    }

    async fn read(&self, caller: Caller, now: Timestamp) -> Result<Option<Vec<u8>>> {
        let (account, document) = (keys::account(caller.user), keys::identity(caller.user));
        let (account, document) = telemetry::round_trips::both(
            self.get("reading an account", &account),
            self.get("reading an identity document", &document),
        )
        .await?;
        let account = item::read_living(account.as_ref())?.ok_or(Error::NotFound("user"))?;
        account.check_session(caller.session, now)?;
        document.map(|document| sealed_in(Some(&document))).transpose()
    }
}

fn sealed_in(document: Option<&Item>) -> Result<Vec<u8>> {
    let sealed = document.and_then(|document| item::get_blob(document, "sealed"));
    Ok(sealed.ok_or_else(|| Fault::new("reading an identity document", "the item lacks it"))?)
}
