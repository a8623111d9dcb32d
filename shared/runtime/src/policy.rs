//! The limits and lifetimes of a deployment, which the template gives each function in its environment.

use std::time::Duration;

use domain::phone::Country;
use domain::policy::Policy;

use crate::environment::{ConfigError, Env};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// Reads the environment. The error names a variable that is missing or cannot be parsed.
pub(super) fn policy(env: &Env) -> Result<Policy, ConfigError> {
    Ok(Policy {
        code_digits: env.number("CODE_DIGITS")?,
        code_ttl: env.seconds("CODE_TTL_SECONDS")?,
        code_guesses: env.number("CODE_GUESSES")?,
        captcha_ttl: env.seconds("CAPTCHA_SECONDS")?,
        resend_after: env.seconds("RESEND_SECONDS")?,
        codes_per_phone_hour: env.number("CODES_PER_PHONE_HOUR")?,
        codes_per_phone_day: env.number("CODES_PER_PHONE_DAY")?,
        codes_per_phone_hour_reserved: env.number("CODES_PER_PHONE_HOUR_RESERVED")?,
        codes_per_phone_day_reserved: env.number("CODES_PER_PHONE_DAY_RESERVED")?,
        codes_per_ip_hour: env.cap("CODES_PER_IP_HOUR")?,
        codes_per_country_hour: env.cap("CODES_PER_COUNTRY_HOUR")?,
        codes_per_country_day: env.cap("CODES_PER_COUNTRY_DAY")?,
        codes_per_country_reserved_percent: env.number("CODES_PER_COUNTRY_RESERVED_PERCENT")?,
        captcha_threshold_percent: env.number("CAPTCHA_THRESHOLD_PERCENT")?,
        countries: countries(env)?,
        conversion_minimum_sends: env.number("CONVERSION_MINIMUM_SENDS")?,
        conversion_minimum_percent: env.number("CONVERSION_MINIMUM_PERCENT")?,
        conversion_per_address: env.number("CONVERSION_PER_ADDRESS")?,
        conversion_addresses: env.number("CONVERSION_ADDRESSES")?,
        lookup_numbers_per_call: env.number("LOOKUP_NUMBERS_PER_CALL")?,
        lookup_numbers_per_day: env.number("LOOKUP_NUMBERS_PER_DAY")?,
        image_max_bytes: env.number("IMAGE_MAX_BYTES")?,
        image_max_pixels: env.number("IMAGE_MAX_PIXELS")?,
        audio_max_bytes: env.number("AUDIO_MAX_BYTES")?,
        media_bytes_per_account: env.number("MEDIA_BYTES_PER_ACCOUNT")?,
        access_token_ttl: env.seconds("ACCESS_TOKEN_SECONDS")?,
        refresh_sliding: DAY * env.number("REFRESH_SLIDING_DAYS")?,
        refresh_absolute: DAY * env.number("REFRESH_ABSOLUTE_DAYS")?,
        refresh_grace: env.seconds("REFRESH_GRACE_SECONDS")?,
        chat_token_ttl: env.seconds("CHAT_TOKEN_SECONDS")?,
        cookie_session: DAY * env.number("COOKIE_SESSION_DAYS")?,
        device_session: DAY * env.number("DEVICE_SESSION_DAYS")?,
        rooms_session: HOUR * env.number("ROOMS_SESSION_HOURS")?,
        failures_per_account: env.number("FAILURES_PER_ACCOUNT")?,
        failures_per_ip: env.cap("FAILURES_PER_IP")?,
        known_address_for: DAY * env.number("KNOWN_ADDRESS_DAYS")?,
        known_addresses: env.number("KNOWN_ADDRESSES")?,
        accounts_per_ip_hour: env.cap("ACCOUNTS_PER_IP_HOUR")?,
        checks_per_ip_day: env.cap("CHECKS_PER_IP_DAY")?,
        failure_window: env.seconds("FAILURE_WINDOW_SECONDS")?,
        verification_ttl: env.seconds("VERIFICATION_SECONDS")?,
        sessions_per_account: env.number("SESSIONS_PER_ACCOUNT")?,
        rooms_per_owner: env.number("ROOMS_PER_OWNER")?,
        groups_per_day: env.number("GROUPS_PER_DAY")?,
        groups_added_by_strangers: env.number("GROUPS_ADDED_BY_STRANGERS")?,
        groups_added: env.number("GROUPS_ADDED")?,
        invitations_per_day: env.number("INVITATIONS_PER_DAY")?,
        reports_per_day: env.number("REPORTS_PER_DAY")?,
        blocked_per_account: env.number("BLOCKED_PER_ACCOUNT")?,
        spread_after: env.seconds("SPREAD_SECONDS")?,
        spreads_per_day: env.number("SPREADS_PER_DAY")?,
        stranger_pushes_per_hour: env.number("STRANGER_PUSHES_PER_HOUR")?,
        group_pushes_per_hour: env.number("GROUP_PUSHES_PER_HOUR")?,
        sign_ups: env.flag("SIGN_UPS")?,
        anonymous_accounts: env.flag("ANONYMOUS_ACCOUNTS")?,
        anonymous_accounts_per_ip_hour: env.cap("ANONYMOUS_ACCOUNTS_PER_IP_HOUR")?,
        anonymous_accounts_for: DAY * env.number("ANONYMOUS_ACCOUNT_DAYS")?,
        reauthenticate_after: HOUR * env.number("REAUTHENTICATE_AFTER_HOURS")?,
        tell_unknown_numbers: env.flag("TELL_UNKNOWN_NUMBERS")?,
        anonymous_rooms: env.flag("ANONYMOUS_ROOMS")?,
        anonymous_room_ttl: HOUR * env.number("ANONYMOUS_ROOM_HOURS")?,
        anonymous_rooms_per_ip_hour: env.cap("ANONYMOUS_ROOMS_PER_IP_HOUR")?,
    })
}

fn countries(env: &Env) -> Result<Option<Vec<Country>>, ConfigError> {
    let text = env.text("ALLOWED_COUNTRIES")?;
    if text.trim() == "*" {
        return Ok(None);
    }
    let countries = text.split(',').map(|country| Country::parse(country.trim().trim_start_matches('+')));
    let expected = "calling codes and regions of ISO 3166 separated by commas (86,US,CA), or *";
    countries.collect::<Option<_>>().map(Some).ok_or_else(|| ConfigError::unreadable("ALLOWED_COUNTRIES", expected))
}
