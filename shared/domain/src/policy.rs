//! All limits and lifetimes, in one place. Each is a parameter of `template.yaml` and reaches the functions as an
//! environment variable with the same name in capitals (`CodeTtlSeconds` is `CODE_TTL_SECONDS`).

use std::time::Duration;

use super::phone::{Country, Phone};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// The time-out of a request. After this time the caller gets an error in the format of their API, four seconds before
/// Lambda would stop the function and five before the gateway would respond itself. Three calls to AWS that use all of
/// their time (`shared/aws/src/lib.rs`) fit into it.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(25);

/// The current values. A limit that is `None` is off (0 in the environment).
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct Policy {
    /// Number of digits of a code. NIST SP 800-63B requires at least 20 bits. Six digits just miss this, and the limit
    /// of five tries for each code makes up for it; all comparable services use six.
    pub code_digits: u32,
    /// How long a code is valid. NIST SP 800-63B: at most ten minutes.
    pub code_ttl: Duration,
    /// How many wrong tries a code allows. Comparable services: none to ten.
    pub code_guesses: u32,
    /// How long a captcha is valid. Three minutes, as in the web API.
    pub captcha_ttl: Duration,
    /// Minimum time between two codes to one number, for all APIs together. Supabase and `SealTalk`: 60 s.
    pub resend_after: Duration,
    /// Codes to one number in any hour.
    pub codes_per_phone_hour: u32,
    /// Codes to one number in any day.
    pub codes_per_phone_day: u32,
    /// How many of the codes to one number in any hour are reserved for addresses that its account knows. A stranger
    /// cannot use them up.
    pub codes_per_phone_hour_reserved: u32,
    /// The same for the codes in any day.
    pub codes_per_phone_day_reserved: u32,
    /// Codes requested from one IPv4 address or IPv6 /64 in a clock hour. It is more than a household needs, because
    /// mobile carriers put thousands of phones behind one address; Firebase allows 500.
    pub codes_per_ip_hour: Option<u32>,
    /// Codes to one calling code in a clock hour, for the whole deployment. It limits the highest possible cost, as AWS
    /// recommends in its guidance on artificially inflated traffic.
    pub codes_per_country_hour: Option<u32>,
    /// Codes to one calling code in a day (UTC), for the whole deployment.
    pub codes_per_country_day: Option<u32>,
    /// Percentage of both country limits that is reserved for numbers with an account.
    pub codes_per_country_reserved_percent: u32,
    /// Percentage of an address's hourly limit above which
    /// [`CaptchaRule::Adaptive`](super::codes::CaptchaRule::Adaptive) requires a captcha.
    pub captcha_threshold_percent: u32,
    /// Countries to which codes are sent, as calling codes or regions; `None` for all countries.
    pub countries: Option<Vec<Country>>,
    /// How many codes must be sent into a block of numbers in a clock hour before the conversion guard checks the
    /// block.
    pub conversion_minimum_sends: u32,
    /// Percentage of the codes sent into a block that must be used once the guard checks it. Twilio Fraud Guard and
    /// authgear work in the same way.
    pub conversion_minimum_percent: u32,
    /// How many unused codes one address can add to a block in a clock hour. Its further codes to the block are sent
    /// but not counted there, so a single address cannot close a block to everyone else.
    pub conversion_per_address: u32,
    /// How many addresses must have requested codes before the guard closes a block. They are counted in 64 groups, so
    /// a few more may be needed.
    pub conversion_addresses: u32,
    /// Numbers in one contact look-up.
    pub lookup_numbers_per_call: usize,
    /// Numbers that an account may look up in a day (UTC). Based on the research papers about scraping through contact
    /// discovery.
    pub lookup_numbers_per_day: u32,
    /// Maximum size of a picture in bytes.
    pub image_max_bytes: u64,
    /// Maximum number of pixels of a picture, checked before it is decoded. imgproxy: 50 megapixels.
    pub image_max_pixels: u64,
    /// Maximum size of a voice note in bytes.
    pub audio_max_bytes: u64,
    /// Total bytes of pictures and voice notes that one account may upload: enough for some thousand photographs.
    /// Without a limit, one account could fill the bucket at the operator's cost.
    pub media_bytes_per_account: u64,
    /// Lifetime of an access token.
    pub access_token_ttl: Duration,
    /// A session that is not refreshed for this long ends.
    pub refresh_sliding: Duration,
    /// A session ends this long after its sign-in in any case.
    pub refresh_absolute: Duration,
    /// How long a replaced refresh token still returns the same new one, for a lost response or two browser tabs.
    /// Cognito: 0–60 s.
    pub refresh_grace: Duration,
    /// Lifetime of one of our own chat tokens. A chat service checks the signature and the time, but cannot check
    /// whether the session is still active. So this is how long a token stays valid after a password change, and it
    /// equals the lifetime of an access token.
    pub chat_token_ttl: Duration,
    /// Lifetime of a session of the web and `SealTalk` APIs.
    pub cookie_session: Duration,
    /// Lifetime of a session of the device API.
    pub device_session: Duration,
    /// Lifetime of a session of the rooms API; its documentation says 24 h.
    pub rooms_session: Duration,
    /// Failed sign-ins to one account in a window, counted before the password is compared. NIST SP 800-63B allows 100;
    /// Nakama uses 5.
    pub failures_per_account: u32,
    /// Failed sign-ins from one address in a window.
    pub failures_per_ip: Option<u32>,
    /// How long an account knows an address after a sign-in from it. The address of an active session is known as well.
    pub known_address_for: Duration,
    /// How many addresses one account remembers: those of its sessions and those of its latest sign-ins. At least two
    /// more than the number of its sessions are remembered.
    pub known_addresses: usize,
    /// Accounts created from one address in a clock hour that cost no text message: with a username, or through a
    /// sign-in provider. As many people behind one address may want an account within an hour; a script wants
    /// thousands.
    pub accounts_per_ip_hour: Option<u32>,
    /// Requests from one address in a day (UTC) whose responses show whether a number or a name has an account. A
    /// mobile carrier puts thousands of phones behind one address, and each of them sends one such request, when its
    /// owner registers.
    pub checks_per_ip_day: Option<u32>,
    /// The length of the window in which failures are counted.
    pub failure_window: Duration,
    /// How long a `SealTalk` verification token is valid.
    pub verification_ttl: Duration,
    /// Maximum number of sessions of one account; another sign-in ends the oldest.
    pub sessions_per_account: usize,
    /// Maximum number of rooms that one account owns. It is more than any meeting app lists; a script wants thousands.
    pub rooms_per_owner: usize,
    /// Groups that one account creates in a day (UTC). Each of them can name 500 users.
    pub groups_per_day: u32,
    /// Groups to which others added a user, above which strangers cannot add the user to another group. The groups
    /// that a user created or joined are counted separately.
    pub groups_added_by_strangers: usize,
    /// The same limit for friends. It bounds an item that other users can make grow.
    pub groups_added: usize,
    /// Friend requests of one account in a day (UTC). Each leaves a relation with the receiver, whose syncs read it from
    /// then on.
    pub invitations_per_day: u32,
    /// Reports of one account in a day (UTC). Operators read every report.
    pub reports_per_day: u32,
    /// Users on the blacklist of one account. It bounds what the account's sync reads.
    pub blocked_per_account: u32,
    /// The shortest time between two changes of a nickname or picture that are spread to the owner's groups. Spreading
    /// writes every group of the owner.
    pub spread_after: Duration,
    /// How often a day (UTC) a nickname or picture is spread.
    pub spreads_per_day: u32,
    /// Friend requests in an hour that are pushed to the devices of one user, and the same number of additions to groups
    /// by strangers. The next sync contains the request in any case.
    pub stranger_pushes_per_hour: u32,
    /// Changes of groups by one user in an hour that are pushed to the devices of members.
    pub group_pushes_per_hour: u32,
    /// Whether new accounts may be created.
    pub sign_ups: bool,
    /// Whether the Supabase API creates anonymous accounts.
    pub anonymous_accounts: bool,
    /// Anonymous accounts created from one address in a clock hour.
    pub anonymous_accounts_per_ip_hour: Option<u32>,
    /// How long after the end of its session an anonymous account is deleted. Nobody can sign in to it any more.
    pub anonymous_accounts_for: Duration,
    /// A session of the Supabase API that is older than this needs a further proof for a new password.
    pub reauthenticate_after: Duration,
    /// Whether the Supabase API tells that a number has no account when a client wants a code only for an existing one.
    pub tell_unknown_numbers: bool,
    /// Whether rooms may be created without a credential, as in the documentation of the rooms API.
    pub anonymous_rooms: bool,
    /// How long after its last renewal a room without an owner disappears. After this value is changed, the list shows
    /// rooms created before the change incorrectly until they have disappeared.
    pub anonymous_room_ttl: Duration,
    /// Rooms without an owner created from one address in a clock hour. Many people share the address of a mobile
    /// carrier.
    pub anonymous_rooms_per_ip_hour: Option<u32>,
}

impl Policy {
    /// Whether codes are sent to the country of this number.
    #[must_use]
    pub fn serves(&self, phone: &Phone) -> bool {
        self.countries.as_ref().is_none_or(|served| served.iter().any(|country| country.has(phone)))
    }

    /// The limits on codes to one number, each as a span of time and a number, the shortest span first. A caller whose
    /// address the number's account knows may use all of them; other callers cannot use the reserved ones.
    #[must_use]
    pub fn phone_caps(&self, known: bool) -> [(Duration, u32); 3] {
        let open = |cap: u32, reserved: u32| if known { cap } else { cap.saturating_sub(reserved).max(1) };
        [
            (self.resend_after, 1),
            (HOUR, open(self.codes_per_phone_hour, self.codes_per_phone_hour_reserved)),
            (DAY, open(self.codes_per_phone_day, self.codes_per_phone_day_reserved)),
        ]
    }

    /// How many networks of past sign-ins an account remembers in addition to those of its sessions.
    #[must_use]
    pub fn sign_in_networks(&self) -> usize {
        self.known_addresses.saturating_sub(self.sessions_per_account).max(2)
    }
}

#[cfg(test)]
impl Policy {
    /// The defaults of `template.yaml`, for tests that need a policy and change only the values they test.
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
            groups_per_day: 50,
            groups_added_by_strangers: 500,
            groups_added: 1_000,
            invitations_per_day: 50,
            reports_per_day: 20,
            blocked_per_account: 5_000,
            spread_after: Duration::from_mins(1),
            spreads_per_day: 20,
            stranger_pushes_per_hour: 20,
            group_pushes_per_hour: 20,
            sign_ups: true,
            anonymous_accounts: true,
            anonymous_accounts_per_ip_hour: Some(30),
            anonymous_accounts_for: DAY * 30,
            reauthenticate_after: DAY,
            tell_unknown_numbers: false,
            anonymous_rooms: true,
            anonymous_room_ttl: DAY,
            anonymous_rooms_per_ip_hour: Some(60),
        }
    }
}
