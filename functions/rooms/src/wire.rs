//! The common parts of the rooms API's responses, and the user object.

use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use domain::account::{Account, UserId};
use domain::clock::Timestamp;
use domain::person::{self, Detail, Details};
use domain::phone::Phone;
use domain::{Error, Result as DomainResult};
use handset_http::api::{Refusal, Rooms, refuse_by_path, rooms};
use handset_http::caller::Origin;
use handset_http::fields::{Mobile, Text};
use handset_http::lenient;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::AppState;

/// A success.
#[derive(Serialize, ToSchema)]
#[schema(as = rooms::Success)]
pub(super) struct Success<T> {
    #[schema(schema_with = rooms::success)]
    status: &'static str,
    /// A success message for developers.
    msg: &'static str,
    /// The HTTP status, as a string.
    #[schema(pattern = "^2[0-9]{2}$")]
    code: String,
    #[serde(flatten)]
    body: T,
}

/// A success without a result.
#[derive(Serialize)]
pub(super) struct Nothing {}

/// A success in the API's envelope.
pub(super) fn success(status: StatusCode, msg: &'static str, body: impl Serialize) -> Response {
    let body = Success { status: "SUCCESS", msg, code: status.as_str().to_owned(), body };
    (status, axum::Json(body)).into_response()
}

/// The `{pk}` of a room's path, unchecked.
pub(super) struct Pk(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Pk {
    type Rejection = Refusal<Rooms>;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal<Rooms>> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        Ok(Self(path.map_err(|_| Error::NoRoute)?.0))
    }
}

/// The `{pk}` of a user's path. A path without a numeric id belongs to another API (`/users/me`, `/users/register`), so
/// it gets that API's error.
pub(super) struct UserPk(pub(super) UserId);

impl<S: Send + Sync> FromRequestParts<S> for UserPk {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let id = path.ok().and_then(|Path(pk)| pk.parse().ok());
        id.map(Self).ok_or_else(|| refuse_by_path(parts.uri.path(), &Error::NoRoute))
    }
}

/// Details of an account, all optional. Empty values are ignored.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = rooms::GivenDetails)]
pub(super) struct GivenDetails {
    /// 0 = male, 1 = female, 2 = unknown.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    #[schema(value_type = Option<Text>)]
    sex: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_text")]
    #[schema(value_type = Option<Text>)]
    age: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_text")]
    #[schema(value_type = Option<Text>)]
    email: Option<String>,
    /// Contact data only; it cannot be used to sign in.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    #[schema(value_type = Option<Mobile>)]
    phone: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_text")]
    #[schema(value_type = Option<Text>)]
    country: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_text")]
    #[schema(value_type = Option<Text>)]
    province: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_text")]
    #[schema(value_type = Option<Text>)]
    city: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_text")]
    #[schema(value_type = Option<Text>)]
    career: Option<String>,
}

impl GivenDetails {
    fn each(&self) -> [(Detail, Option<&str>); 8] {
        [
            (Detail::Sex, self.sex.as_deref()),
            (Detail::Age, self.age.as_deref()),
            (Detail::Email, self.email.as_deref()),
            (Detail::Phone, self.phone.as_deref()),
            (Detail::Country, self.country.as_deref()),
            (Detail::Province, self.province.as_deref()),
            (Detail::City, self.city.as_deref()),
            (Detail::Career, self.career.as_deref()),
        ]
    }

    /// The details of a new account, and `more` details that are not from the request.
    pub(super) fn parse(&self, more: &[(Detail, &str)]) -> DomainResult<Details> {
        let more = more.iter().map(|(detail, text)| (*detail, Some(*text)));
        person::parse(self.each().into_iter().chain(more))
    }

    /// The details of a new account as a sign-in provider sent them. Those that break their rule are left out, because the
    /// user cannot change them here.
    pub(super) fn parse_kept(&self, more: &[(Detail, &str)]) -> Details {
        let more = more.iter().map(|(detail, text)| (*detail, Some(*text)));
        let each = self.each().into_iter().chain(more);
        each.filter_map(|detail| person::parse([detail]).ok()).flatten().collect()
    }

    /// The details of a change.
    pub(super) fn parse_change(&self) -> DomainResult<Details> {
        person::parse_change(self.each())
    }
}

/// A user in a success with this status and message, for the API description.
pub(super) fn example(code: &str, msg: &str) -> Value {
    json!({
        "status": "SUCCESS", "msg": msg, "code": code, "pk": "4503599627370497", "username": "12345",
        "password": "", "nickname": "never", "sex": "0", "age": "0", "email": "never@gmail.com", "phone": "18752000500",
        "country": "", "province": "", "city": "", "career": "", "login_type": "0",
        "img": "https://example.com/tests1.jpg", "date_joined": "2016-10-28T02:27:15.211000Z",
        "join_date": "2016-10-28 02:27:15", "roomid": "8696", "roompk": "1263456789",
        "token": "AAEAAAAAAAEDBQcJCwACBAYICgABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fIA",
    })
}

/// The current user's account.
#[derive(Serialize, ToSchema)]
#[schema(as = rooms::User)]
pub(super) struct User {
    /// The user's id.
    pk: String,
    username: String,
    /// Always empty. The original documentation shows the stored hash here.
    password: &'static str,
    nickname: String,
    /// 0 = male, 1 = female, 2 = unknown.
    sex: String,
    age: String,
    email: String,
    /// The contact number; if there is none, the number that signs in.
    phone: String,
    country: String,
    province: String,
    city: String,
    career: String,
    /// How the account was created: 0 = here or by another API, 1 = `WeChat`, 2 = QQ, 3 = Weibo.
    login_type: String,
    /// An absolute URL, or empty.
    img: String,
    date_joined: String,
    /// `date_joined` to the second, in the format that existing apps read.
    join_date: String,
    /// The number of the room that belongs to the account.
    roomid: String,
    /// The id of the room that belongs to the account: 1 to 2,147,483,647. `PUT /rooms/{roompk}/` opens and closes it.
    roompk: String,
    /// The token of this session. It is valid for 24 hours.
    token: String,
}

impl User {
    /// The user with this token. The first call creates the account's room.
    pub(super) async fn of(state: &AppState, origin: &Origin, account: &Account, token: String) -> DomainResult<Self> {
        let or = |detail: Detail, unset: &str| match detail.of(account) {
            "" => unset.to_owned(),
            set => set.to_owned(),
        };
        let text = |detail| or(detail, "");
        let (roomid, roompk) = state.rooms.own(account).await?;
        let img = Some(&account.avatar).filter(|avatar| !avatar.is_empty());
        Ok(Self {
            pk: account.id.to_string(),
            username: account.username.clone().unwrap_or_else(|| text(Detail::DisplayName)),
            password: "",
            nickname: account.name.clone(),
            sex: or(Detail::Sex, "2"),
            age: or(Detail::Age, "0"),
            email: text(Detail::Email),
            phone: or(Detail::Phone, &own_phone(account)),
            country: text(Detail::Country),
            province: text(Detail::Province),
            city: text(Detail::City),
            career: text(Detail::Career),
            login_type: or(Detail::LoginType, "0"),
            img: img.map(|avatar| state.url.absolute(origin, avatar)).unwrap_or_default(),
            date_joined: date_joined(account.created),
            join_date: join_date(account.created),
            roomid,
            roompk: roompk.to_string(),
            token,
        })
    }
}

/// The number that signs in, in the format of the clients: without the calling code that they assume.
fn own_phone(account: &Account) -> String {
    let phone = account.phone.as_ref().and_then(|phone| phone.parse::<Phone>().ok());
    phone.map_or_else(String::new, |phone| match phone.zone() {
        86 => phone.national().to_owned(),
        _ => phone.e164().to_owned(),
    })
}

/// ISO 8601 with microseconds, as in the original documentation.
fn date_joined(moment: Timestamp) -> String {
    let (day, milli) = (moment.millis().div_euclid(86_400_000), moment.millis().rem_euclid(86_400_000));
    let (year, month, day) = civil(day);
    let (second, milli) = (milli / 1_000, milli % 1_000);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}000Z")
}

/// The same time to the second, as in the example for the apps.
fn join_date(moment: Timestamp) -> String {
    date_joined(moment)[..19].replace('T', " ")
}

/// The Gregorian date of a day since 1970-01-01, in eras of 400 years that begin in March, so that the leap day is the
/// last of its year.
fn civil(day: i64) -> (i64, i64, i64) {
    let since_march_0 = day + 719_468;
    let (era, day) = (since_march_0.div_euclid(146_097), since_march_0.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_has_microseconds_and_a_z() {
        for (millis, date) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (1_477_621_635_211, "2016-10-28T02:27:15.211000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000000Z"),
        ] {
            assert_eq!(date_joined(Timestamp::from_millis(millis)), date);
            let shorter = join_date(Timestamp::from_millis(millis));
            assert_eq!(
                (shorter.len(), &shorter[..10], &shorter[10..]),
                (19, &date[..10], &*format!(" {}", &date[11..19]))
            );
        }
    }
}
