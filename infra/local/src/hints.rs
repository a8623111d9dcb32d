//! Names the limit behind an error, for the terminal of the local run. Deployed functions do not print this.

/// The parameters of `template.yaml` that cause a kind of error.
const LIMITS: [(&str, &[&str]); 23] = [
    ("accounts_from_address", &["AccountsPerIpHour"]),
    ("anonymous_accounts", &["AnonymousAccountsPerIpHour"]),
    ("anonymous_rooms", &["AnonymousRoomsPerIpHour"]),
    ("captcha_needed", &["CaptchaRequired"]),
    ("checks_from_address", &["ChecksPerIpDay"]),
    ("code_expired", &["CodeTtlSeconds"]),
    ("code_guesses_spent", &["CodeGuesses"]),
    ("code_too_soon", &["ResendSeconds"]),
    ("codes_from_address", &["CodesPerIpHour"]),
    ("codes_to_country", &["CodesPerCountryHour", "CodesPerCountryDay"]),
    ("codes_to_number", &["CodesPerPhoneHour", "CodesPerPhoneDay"]),
    ("country_not_served", &["AllowedCountries"]),
    ("full", &["RoomsPerOwner", "MediaBytesPerAccount", "BlockedPerAccount"]),
    ("groups_made", &["GroupsPerDay"]),
    ("invitations", &["InvitationsPerDay"]),
    ("lookups", &["LookupNumbersPerDay"]),
    ("locked", &["FailuresPerAccount"]),
    ("reports", &["ReportsPerDay"]),
    ("sign_ups_closed", &["SignUps"]),
    ("sign_in_failures", &["FailuresPerAccount", "FailuresPerIp"]),
    ("too_large", &["ImageMaxBytes", "AudioMaxBytes"]),
    ("too_many", &["LookupNumbersPerCall"]),
    ("unused_codes", &["ConversionMinimumSends", "ConversionMinimumPercent"]),
];

/// How to run with another limit, for a kind of error that a limit causes.
pub fn hint(kind: &str) -> Option<String> {
    let (_, parameters) = LIMITS.iter().find(|(limited, _)| *limited == kind)?;
    let options: Vec<_> = parameters.iter().map(|name| format!("--policy {name}=…")).collect();
    Some(format!("(to change this limit: cargo run -- {})", options.join(" ")))
}

#[cfg(test)]
mod tests {
    use domain::Error;

    use super::*;

    /// Kinds of error that no limit causes.
    const OTHERS: &[&str] = &[
        "already_friends",
        "already_written",
        "captcha_expired",
        "captcha_wrong",
        "code_not_asked",
        "code_wrong",
        "condition_failed",
        "last_identity",
        "not_for_anonymous",
        "reauthentication_needed",
        "same_password",
        "credential_expired",
        "credential_malformed",
        "credential_missing",
        "cross_site",
        "encoded_body",
        "fault",
        "group_rule",
        "idempotency_key_reused",
        "invalid",
        "malformed",
        "no_route",
        "not_found",
        "not_friends",
        "not_mobile",
        "not_yours",
        "password_wrong",
        "provider_refused",
        "provider_unreachable",
        "refresh_invalid",
        "refresh_reused",
        "requests_at_once",
        "session_ended",
        "taken",
        "text_not_sent",
        "unsupported_media",
        "verification_unknown",
        "wrong_method",
    ];

    #[test]
    fn every_limit_has_a_hint_and_nothing_else_has() {
        for kind in Error::KINDS {
            assert_ne!(hint(kind).is_some(), OTHERS.contains(kind), "{kind} belongs into one of the lists");
        }
        assert!(LIMITS.iter().all(|(kind, _)| Error::KINDS.contains(kind)));
        let (parameters, _) = include_str!("../../../template.yaml").split_once("\nResources:").unwrap();
        for name in LIMITS.iter().flat_map(|(_, parameters)| *parameters) {
            assert!(parameters.contains(&format!("\n  {name}:\n    ")), "{name} is a parameter");
        }
        let words = "(to change this limit: cargo run -- --policy ResendSeconds=…)";
        assert_eq!(hint("code_too_soon").as_deref(), Some(words));
    }
}
