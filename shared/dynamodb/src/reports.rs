//! Reports. A report is an item of the user who made it, so that a user's reports are found with the user. An entry in a
//! list of the week names it, so that all reports can be read newest first, week by week.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::TransactWriteItem;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::batch::Reads;
use super::item::{self, Item, moment, number, text};
use super::keys::{self, Key};
use super::write::put_new;
use super::{Table, Transacted, change_by, failed, found, living, not_signed_in, once};
use domain::account::{Caller, UserId};
use domain::clock::Timestamp;
use domain::once::Once;
use domain::reports::{KEPT, Report, ReportId, ReportStore, Stored, Subject};
use domain::{Fault, Result};

#[async_trait]
impl ReportStore for Table {
    async fn is_there(&self, caller: Caller, subject: &Subject, now: Timestamp) -> Result<bool> {
        let own = keys::account(caller.user);
        let about = match subject {
            Subject::User(user) => keys::account(*user),
            Subject::Group(group) => keys::group(*group),
            Subject::Media(_) => return Ok(true),
        };
        // A batch may not name a key twice.
        let keys = if own == about { vec![own.clone()] } else { vec![own.clone(), about.clone()] };
        let items = self.get_all(keys, &[], Reads::Consistently).await?;
        let at = |key: &Key| {
            let is_at = |item: &&Item| {
                (item::get_text(item, "pk").as_ref(), item::get_text(item, "sk").as_ref())
                    == (Some(&key.pk), Some(&key.sk))
            };
            items.iter().find(is_at)
        };
        living(at(&own), caller, now)?;
        Ok(at(&about).is_some_and(|found| !item::is_deleted(found)))
    }

    async fn store(&self, caller: Caller, report: &Report, once: Option<&Once>) -> Result<Stored> {
        const ACCOUNT: usize = 0;
        const COUNT: usize = 1;
        const KEY: usize = 2;
        let now = report.made;
        let counter = self.reports_made(caller.user, now);
        let mut writes = vec![
            change_by(caller, "", now).in_transaction(&self.name)?,
            counter.change(now).in_transaction(&self.name)?,
        ];
        if let Some(once) = once {
            writes.push(self.remember(caller.user, once, &written(report.id), now)?);
        }
        writes.extend(self.put_report(caller.user, report)?);
        let reasons = match self.transact("storing a report", writes).await? {
            Transacted::Done => return Ok(Stored::Done),
            Transacted::Refused(reasons) => reasons,
        };
        if failed(&reasons, ACCOUNT) {
            return Err(not_signed_in(found(&reasons, ACCOUNT), caller));
        }
        // Before the count: a request that is repeated does not count twice.
        if let Some(once) = once.filter(|_| failed(&reasons, KEY)) {
            let made = once::made_before(found(&reasons, KEY), once)?;
            return Ok(Stored::Before(read(&made)?));
        }
        if failed(&reasons, COUNT) {
            return Err(counter.refusal(now));
        }
        Err(Fault::new("storing a report", "its random id was taken").into())
    }
}

impl Table {
    /// The report, and its entry in the list of the week.
    fn put_report(&self, by: UserId, report: &Report) -> Result<[TransactWriteItem; 2]> {
        let id = written(report.id);
        let ttl = number(report.made.plus(KEPT).seconds());
        let entry = Item::from([("user".to_owned(), number(by)), ("ttl".to_owned(), ttl.clone())]);
        let mut item = Item::from([
            ("reason".to_owned(), text(report.reason.name())),
            ("made".to_owned(), moment(report.made)),
            ("ttl".to_owned(), ttl),
        ]);
        item.insert(
            "about".to_owned(),
            text(&match &report.subject {
                Subject::User(user) => format!("user#{user}"),
                Subject::Group(group) => format!("group#{group}"),
                Subject::Media(name) => format!("media#{}", name.as_str()),
            }),
        );
        if !report.note.as_str().is_empty() {
            item.insert("note".to_owned(), text(report.note.as_str()));
        }
        let of_user = keys::report(by, report.made, &id);
        Ok([put_new(&self.name, &of_user, item)?, put_new(&self.name, &keys::report_entry(report.made, &id), entry)?])
    }
}

/// An id as it is stored.
fn written(id: ReportId) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(id.as_bytes())
}

fn read(text: &str) -> Result<ReportId> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|error| Fault::new("reading a report's id", error))?;
    let bytes = bytes.try_into().map_err(|_| Fault::new("reading a report's id", "it has another length"))?;
    Ok(ReportId::from_bytes(bytes))
}
