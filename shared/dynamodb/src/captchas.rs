//! Captchas. Each is a separate small item.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::ReturnValue;

use super::item::{self, Item, blob, moment, number};
use super::write::key_attributes;
use super::{Table, keys};
use domain::captcha::{CaptchaId, CaptchaStore, KeptCaptcha};
use domain::{Fault, Result};

/// How long an expired captcha may remain in the table, in seconds.
const LINGERS: i64 = 3_600;

#[async_trait]
impl CaptchaStore for Table {
    async fn keep(&self, api: &str, id: &CaptchaId, captcha: &KeptCaptcha) -> Result<()> {
        let mut item = Item::from([
            ("digest".to_owned(), blob(&captcha.digest)),
            ("expires".to_owned(), moment(captcha.expires)),
            ("ttl".to_owned(), number(captcha.expires.seconds() + LINGERS)),
        ]);
        item.extend(key_attributes(&keys::captcha(api, id)));
        let put = self.client.put_item().table_name(&*self.name).set_item(Some(item)).send().await;
        put.map_err(|error| Fault::new("keeping a captcha", error.into_service_error()))?;
        Ok(())
    }

    async fn take(&self, api: &str, id: &CaptchaId) -> Result<Option<KeptCaptcha>> {
        let delete = self.client.delete_item().table_name(&*self.name);
        let delete = delete.set_key(Some(key_attributes(&keys::captcha(api, id)))).return_values(ReturnValue::AllOld);
        let deleted = delete.send().await;
        let deleted = deleted.map_err(|error| Fault::new("spending a captcha", error.into_service_error()))?;
        Ok(deleted.attributes.and_then(|old| {
            Some(KeptCaptcha { digest: item::get_blob(&old, "digest")?, expires: item::get_moment(&old, "expires")? })
        }))
    }
}
