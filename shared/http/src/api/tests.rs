//! Every error of the domain in every API, to the byte.

use std::collections::BTreeSet;

use http_body_util::BodyExt;

use super::*;
use domain::{Cap, Fault, GroupRule, NotSignedIn, Quota};

/// An error of each kind. A new kind must be in `Error::KINDS`, and a test compares the kinds of these errors with it.
fn every_error() -> Vec<Error> {
    vec![
        Error::Malformed("detail".into()),
        Error::Invalid { field: "nickname", rule: "is too long" },
        Error::TooLarge { limit: 10 },
        Error::TooMany { most: 10, what: "numbers per call" },
        Error::UnsupportedMedia("not a picture"),
        Error::EncodedBody,
        Error::NoRoute,
        Error::WrongMethod { allowed: "POST", instead: "POST /user/login" },
        Error::CrossSite,
        Error::NotFound("picture"),
        Error::Unauthenticated(NotSignedIn::Missing),
        Error::Unauthenticated(NotSignedIn::Invalid),
        Error::Unauthenticated(NotSignedIn::Expired),
        Error::Unauthenticated(NotSignedIn::Ended),
        Error::CodeNotAsked,
        Error::CodeExpired,
        Error::CodeWrong,
        Error::CodeGuessesSpent,
        Error::CodeTooSoon { retry_after: 7 },
        Error::Limited { cap: Cap::CodesToNumber, retry_after: 7 },
        Error::Limited { cap: Cap::UnusedCodes, retry_after: 7 },
        Error::Limited { cap: Cap::CodesFromAddress, retry_after: 7 },
        Error::Limited { cap: Cap::CodesToCountry, retry_after: 7 },
        Error::Limited { cap: Cap::Lookups, retry_after: 7 },
        Error::Limited { cap: Cap::SignInFailures, retry_after: 7 },
        Error::Limited { cap: Cap::AnonymousRooms, retry_after: 7 },
        Error::Limited { cap: Cap::AtOnce, retry_after: 7 },
        Error::Limited { cap: Cap::AccountsFromAddress, retry_after: 7 },
        Error::Limited { cap: Cap::ChecksFromAddress, retry_after: 7 },
        Error::Limited { cap: Cap::AnonymousAccounts, retry_after: 7 },
        Error::Limited { cap: Cap::GroupsMade, retry_after: 7 },
        Error::Limited { cap: Cap::Invitations, retry_after: 7 },
        Error::Limited { cap: Cap::Reports, retry_after: 7 },
        Error::Full(Quota::Rooms),
        Error::Full(Quota::Media),
        Error::Full(Quota::Blacklist),
        Error::Taken("number"),
        Error::PasswordWrong,
        Error::Locked { retry_after: 7 },
        Error::CaptchaWrong,
        Error::CaptchaExpired,
        Error::CaptchaNeeded,
        Error::VerificationUnknown,
        Error::SamePassword,
        Error::ReauthenticationNeeded,
        Error::LastIdentity,
        Error::SignUpsClosed,
        Error::NotForAnonymous,
        Error::NotYours,
        Error::AlreadyWritten,
        Error::ConditionFailed,
        Error::IdempotencyKeyReused,
        Error::ProviderRefused,
        Error::ProviderUnreachable,
        Error::CountryNotServed,
        Error::NotMobile,
        Error::TextNotSent,
        Error::RefreshInvalid,
        Error::RefreshReused,
        Error::AlreadyFriends,
        Error::NotFriends,
        Error::Group(GroupRule::MembersOnly),
        Error::Group(GroupRule::ManagersOnly),
        Error::Group(GroupRule::OwnerOnly),
        Error::Group(GroupRule::OwnerAppoints),
        Error::Group(GroupRule::NotInGroup),
        Error::Group(GroupRule::OwnerStays),
        Error::Group(GroupRule::Full),
        Error::Group(GroupRule::TooManyGroups),
        Error::Group(GroupRule::NoBulletin),
        Error::Fault(Fault::new("reading the table", "a secret detail")),
    ]
}

async fn line<A: Api>(error: &Error) -> String {
    let response = refuse::<A>(error);
    let header = |name| response.headers().get(name).map_or("-", |value| value.to_str().unwrap()).to_owned();
    let (kind, retry) = (header(CONTENT_TYPE), header(RETRY_AFTER));
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    format!("  {:<9} {status} {kind} {retry} {}\n", A::NAME, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn every_error_is_refused_exactly_as_the_committed_table_says() {
    let mut table = String::new();
    for error in every_error() {
        let name = format!("{error:?}");
        table += name.split("(Fault {").next().unwrap();
        table.push('\n');
        table += &line::<Messenger>(&error).await;
        table += &line::<Web>(&error).await;
        table += &line::<SealTalk>(&error).await;
        table += &line::<Rooms>(&error).await;
        table += &line::<Device>(&error).await;
        table += &line::<Supabase>(&error).await;
        table += &line::<V1>(&error).await;
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/api/errors.txt");
    #[expect(clippy::disallowed_methods, reason = "this writes the committed table anew, as for the OpenAPI documents")]
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &table).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(
        table == committed,
        "errors.txt is out of date: run `UPDATE_DOCS=1 cargo test -p handset-http every_error`"
    );
}

#[test]
fn the_kinds_that_clients_branch_on_are_those_of_all_errors() {
    let kinds: BTreeSet<_> = every_error().iter().map(Error::kind).collect();
    assert_eq!(kinds, Error::KINDS.iter().copied().collect());
    assert!(Error::KINDS.is_sorted(), "as the API description lists them");
}

#[test]
fn a_bearer_api_challenges_who_is_not_signed_in() {
    let challenge = |response: Response| {
        let challenge = response.headers().get(WWW_AUTHENTICATE)?;
        Some(challenge.to_str().unwrap().to_owned())
    };
    let expired = Error::Unauthenticated(NotSignedIn::Expired);
    let words = "Bearer error=\"invalid_token\", error_description=\"the access token has expired;";
    for response in [refuse::<Messenger>(&expired), refuse::<Device>(&expired), refuse::<V1>(&expired)] {
        assert!(challenge(response).unwrap().starts_with(words));
    }
    let missing = Error::Unauthenticated(NotSignedIn::Missing);
    assert_eq!(challenge(refuse::<Messenger>(&missing)).as_deref(), Some("Bearer"));
    for response in [refuse::<Web>(&expired), refuse::<SealTalk>(&expired), refuse::<Rooms>(&expired)] {
        assert_eq!(challenge(response), None);
    }
    assert_eq!(challenge(refuse::<Messenger>(&Error::NotYours)), None);
}

#[test]
fn what_no_route_answers_is_refused_in_its_own_apis_envelope() {
    let kind = |path: &str| {
        let error = Error::Unauthenticated(NotSignedIn::Missing);
        let response = refuse_by_path(path, &error);
        (response.status().as_u16(), response.headers()[CONTENT_TYPE].to_str().unwrap().to_owned())
    };
    let json = |status| (status, "application/json".to_owned());
    for path in ["/", "/nothing", "/users", "/users/me/nothing", "/images/x/y", "//", "/usersx"] {
        assert_eq!(kind(path), json(401), "{path}");
    }
    assert_eq!(kind("/api/v1.0/nothing"), json(200));
    assert_eq!(kind("/user/nothing"), json(403));
    assert_eq!(kind("/v1/nothing"), (401, "application/problem+json".to_owned()));
}

#[test]
fn the_ids_of_the_device_api_are_given_out_where_it_signs_up() {
    assert_eq!(domain::device_id::API, Device::NAME);
}
