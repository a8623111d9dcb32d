//! Every limit and lifetime, in one place. Each is a parameter of `template.yaml` and reaches the functions as an
//! environment variable of the same name in capitals (`CodeTtlSeconds` is `CODE_TTL_SECONDS`).

use std::time::Duration;

use super::phone::{Country, Phone};
use crate::config::{ConfigError, Env};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// The numbers in force. A cap of `None` is lifted (0 in the environment).
#[derive(Clone, Debug)]
pub struct Policy {
    /// Digits of a code. NIST SP 800-63B asks for at least 20 bits, which six digits just miss and five guesses a
    /// code make up for; every peer sends six.
    pub code_digits: u32,
    /// How long a code works. NIST SP 800-63B: at most ten minutes.
    pub code_ttl: Duration,
    /// Wrong guesses a code survives. Peers: none to ten.
    pub code_guesses: u32,
    /// How long a captcha works. Three minutes, as the web API has it.
    pub captcha_ttl: Duration,
    /// Time between two codes to one number, over all APIs. Supabase and `SealTalk`: 60 s.
    pub resend_after: Duration,
    /// Codes to one number in any hour.
    pub codes_per_phone_hour: u32,
    /// Codes to one number in any day.
    pub codes_per_phone_day: u32,
    /// The last of the codes to one number in any hour, kept for addresses that its account knows: a stranger cannot use
    /// them up.
    pub codes_per_phone_hour_reserved: u32,
    /// The same of the codes in any day.
    pub codes_per_phone_day_reserved: u32,
    /// Codes asked for from one IPv4 address or IPv6 /64 in a clock hour. Carriers put thousands of phones behind one
    /// address, hence more than a household needs; Firebase allows 500.
    pub codes_per_ip_hour: Option<u32>,
    /// Codes to one calling code in a clock hour, for the whole stage. AWS's guidance on artificially inflated
    /// traffic: a known worst price.
    pub codes_per_country_hour: Option<u32>,
    /// Codes to one calling code in a day (UTC), for the whole stage.
    pub codes_per_country_day: Option<u32>,
    /// Percentage of both country caps that is kept for numbers with an account.
    pub codes_per_country_reserved_percent: u32,
    /// Percentage of an address's hourly cap above which [`CaptchaRule::Adaptive`] asks for a captcha.
    pub captcha_threshold_percent: u32,
    /// Countries that codes are sent to, as calling codes or regions; `None` is all of them.
    pub countries: Option<Vec<Country>>,
    /// Codes sent into a block of numbers in a clock hour before the conversion guard looks at it.
    pub conversion_minimum_sends: u32,
    /// Percentage of codes sent into a block that have to be used once the guard looks. Twilio Fraud Guard and
    /// authgear work alike.
    pub conversion_minimum_percent: u32,
    /// Unused codes that one address can add to a block in a clock hour; its further codes to the block are sent and
    /// not counted there. So a single address cannot close a block to everybody else.
    pub conversion_per_address: u32,
    /// Addresses that must have taken part before the guard closes a block. They are counted in 64 groups, so a few more
    /// may be needed.
    pub conversion_addresses: u32,
    /// Numbers in one address-book look-up.
    pub lookup_numbers_per_call: usize,
    /// Numbers an account may look up in a day (UTC). From the papers on contact-discovery scraping.
    pub lookup_numbers_per_day: u32,
    /// Bytes of a picture.
    pub image_max_bytes: u64,
    /// Pixels of a picture, checked before it is decoded. imgproxy: 50 megapixels.
    pub image_max_pixels: u64,
    /// Bytes of a voice note.
    pub audio_max_bytes: u64,
    /// Bytes of pictures and voice notes that one account may upload in all: some thousand photographs. Without a bound
    /// one account could fill the bucket at its owner's cost.
    pub media_bytes_per_account: u64,
    /// Lifetime of an access token.
    pub access_token_ttl: Duration,
    /// A session that is not refreshed for this long ends.
    pub refresh_sliding: Duration,
    /// A session ends this long after its sign-in whatever happens.
    pub refresh_absolute: Duration,
    /// How long the replaced refresh token is answered with the same new one: a lost reply, two tabs. Cognito: 0–60 s.
    pub refresh_grace: Duration,
    /// Lifetime of a chat token of our own. A chat service checks the signature and the time, and cannot ask whether the
    /// session still lives, so this is how long a token outlives a new password: as long as an access token may.
    pub chat_token_ttl: Duration,
    /// A sign-in of the web and `SealTalk` APIs lasts this long.
    pub cookie_session: Duration,
    /// A sign-in of the device API lasts this long.
    pub device_session: Duration,
    /// A sign-in of the rooms API lasts this long; its document says 24 h.
    pub rooms_session: Duration,
    /// Failed sign-ins to one account in a window, counted before the password is compared. NIST SP 800-63B allows
    /// 100; Nakama has 5.
    pub failures_per_account: u32,
    /// Failed sign-ins from one address in a window.
    pub failures_per_ip: Option<u32>,
    /// How long an account knows an address after a sign-in from it. A session that is still active makes its address
    /// known as well.
    pub known_address_for: Duration,
    /// Addresses that one account remembers: those of its sessions, and those of its latest sign-ins. At least two more
    /// than its sessions are remembered.
    pub known_addresses: usize,
    /// Accounts made from one address in a clock hour that cost no text message: with a username, or by a sign-in
    /// provider. As many people as may sit behind one address and want one within an hour; a script wants thousands.
    pub accounts_per_ip_hour: Option<u32>,
    /// Requests from one address in a day (UTC) whose answers show whether a number or a name has an account. A carrier
    /// puts thousands of phones behind one address, and each of them asks once, when its owner registers.
    pub checks_per_ip_day: Option<u32>,
    /// The window that failures are counted in.
    pub failure_window: Duration,
    /// How long a `SealTalk` verification token works.
    pub verification_ttl: Duration,
    /// Sessions of one account; a further sign-in ends the oldest.
    pub sessions_per_account: usize,
    /// Rooms that one account owns. More than any meeting app shows on a list; a script wants thousands.
    pub rooms_per_owner: usize,
    /// Whether rooms may be made without a credential, as the rooms API's document shows.
    pub anonymous_rooms: bool,
    /// A room without an owner is gone this long after it was last renewed. What the list knows of rooms made under
    /// another number is off until those are gone.
    pub anonymous_room_ttl: Duration,
    /// Rooms without an owner made from one address in a clock hour. Behind a carrier's address are many people.
    pub anonymous_rooms_per_ip_hour: Option<u32>,
}

impl Policy {
    /// From the environment; a missing or unreadable variable is named.
    pub fn from_env(env: &Env) -> std::result::Result<Self, ConfigError> {
        Ok(Self {
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
            anonymous_rooms: env.flag("ANONYMOUS_ROOMS")?,
            anonymous_room_ttl: HOUR * env.number("ANONYMOUS_ROOM_HOURS")?,
            anonymous_rooms_per_ip_hour: env.cap("ANONYMOUS_ROOMS_PER_IP_HOUR")?,
        })
    }

    /// Whether codes are sent to the country of this number.
    #[must_use]
    pub fn serves(&self, phone: &Phone) -> bool {
        self.countries.as_ref().is_none_or(|served| served.iter().any(|country| country.has(phone)))
    }

    /// The spans over which codes to one number are capped, with their caps: the shortest first. A caller whose address
    /// the number's account knows may use all of them, others leave the reserved ones.
    #[must_use]
    pub fn phone_caps(&self, known: bool) -> [(Duration, u32); 3] {
        let open = |cap: u32, reserved: u32| if known { cap } else { cap.saturating_sub(reserved).max(1) };
        [
            (self.resend_after, 1),
            (HOUR, open(self.codes_per_phone_hour, self.codes_per_phone_hour_reserved)),
            (DAY, open(self.codes_per_phone_day, self.codes_per_phone_day_reserved)),
        ]
    }

    /// How many networks of past sign-ins an account remembers beside those of its sessions.
    #[must_use]
    pub fn sign_in_networks(&self) -> usize {
        self.known_addresses.saturating_sub(self.sessions_per_account).max(2)
    }
}

fn countries(env: &Env) -> std::result::Result<Option<Vec<Country>>, ConfigError> {
    let text = env.text("ALLOWED_COUNTRIES")?;
    if text.trim() == "*" {
        return Ok(None);
    }
    let countries = text.split(',').map(|country| Country::parse(country.trim().trim_start_matches('+')));
    let expected = "calling codes and regions of ISO 3166 separated by commas (86,US,CA), or *";
    countries.collect::<Option<_>>().map(Some).ok_or_else(|| ConfigError::unreadable("ALLOWED_COUNTRIES", expected))
}

#[cfg(test)]
impl Policy {
    /// The numbers of `template.yaml`, for tests that need a policy and change what they are about.
    pub(crate) fn for_tests() -> Self {
        Self {
            code_digits: 6,
            code_ttl: Duration::from_mins(5),
            code_guesses: 5,
            captcha_ttl: Duration::from_mins(3),
            resend_after: Duration::from_mins(1),
            codes_per_phone_hour: 5,
            codes_per_phone_day: 10,
            codes_per_phone_hour_reserved: 2,
            codes_per_phone_day_reserved: 4,
            codes_per_ip_hour: Some(60),
            codes_per_country_hour: Some(2_000),
            codes_per_country_day: Some(20_000),
            codes_per_country_reserved_percent: 25,
            captcha_threshold_percent: 50,
            countries: Some(vec![Country::Zone(86)]),
            conversion_minimum_sends: 50,
            conversion_minimum_percent: 20,
            conversion_per_address: 5,
            conversion_addresses: 8,
            lookup_numbers_per_call: 5_000,
            lookup_numbers_per_day: 20_000,
            image_max_bytes: 20_971_520,
            image_max_pixels: 50_000_000,
            audio_max_bytes: 20_971_520,
            media_bytes_per_account: 2_147_483_648,
            access_token_ttl: HOUR,
            refresh_sliding: DAY * 30,
            refresh_absolute: DAY * 180,
            refresh_grace: Duration::from_mins(1),
            chat_token_ttl: HOUR,
            cookie_session: DAY * 30,
            device_session: DAY * 180,
            rooms_session: DAY,
            failures_per_account: 10,
            failures_per_ip: Some(50),
            known_address_for: DAY * 90,
            known_addresses: 20,
            accounts_per_ip_hour: Some(30),
            checks_per_ip_day: Some(1_000),
            failure_window: Duration::from_mins(10),
            verification_ttl: Duration::from_mins(10),
            sessions_per_account: 10,
            rooms_per_owner: 100,
            anonymous_rooms: true,
            anonymous_room_ttl: DAY,
            anonymous_rooms_per_ip_hour: Some(60),
        }
    }
}
