//! The composition root: every service is put together here, once, and nowhere else.
//!
//! A function asks for the services that it uses. Nothing else is built, and no setting is read that none of them needs:
//! a function has only the environment and the permissions of its own services. The linker drops the SDKs of the others,
//! which `infra/check-linked` checks.

use std::any::Any;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws::event_publisher::SnsEventPublisher;
use aws::kms::KmsVault;
use aws::objects::S3Objects;
use aws::push::SnsPushSender;
use aws::queue::SqsQueue;
use aws::sms::SnsSmsSender;
use aws_config::SdkConfig;
use domain::captcha::Captchas;
use domain::chat::{ChatTokens, OwnChatTokens};
use domain::clock::{Clock, SystemClock};
use domain::codes::{CodeSender, CodeText, TextTooLong};
use domain::crypto::SystemRandom;
use domain::deletion::{Deletions, Purge};
use domain::device_id::DeviceIds;
use domain::devices::Devices;
use domain::identity::Identity;
use domain::lookup::Lookup;
use domain::media::{DirectUploads, Library, Uploads};
use domain::person::People;
use domain::policy::Policy;
use domain::random::Random;
use domain::real_name::RealNames;
use domain::reports::Reports;
use domain::rooms::{Numbers, Rooms};
use domain::social::{DeltaSync, Friends, GroupJobs, Groups, sync};
use domain::tokens::Keys;
use dynamodb::Table;
use handset_http::caller::PublicUrl;
use handset_http::cross_site::CrossSiteGuard;
use handset_http::verifier::TokenVerifier;
use providers::{BaseUrl, IdTokenSettings, IdTokenVerifier, ProviderSettings, Providers, RongCloud};
use telemetry::invocation::Observer;

use crate::environment::{ConfigError, Env};
use crate::{Http, policy};

/// A service, or the setting that it lacks.
pub type Wired<T> = Result<Arc<T>, ConfigError>;

/// The services of one process.
pub struct Services {
    /// The settings.
    pub env: Env,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of random bytes.
    pub random: Arc<dyn Random>,
    sdk: SdkConfig,
    policy: OnceLock<Arc<Policy>>,
    keys: OnceLock<Arc<Keys>>,
    table: Erased,
    objects: Erased,
}

/// A cell for a service with an SDK's client. It does not name the service's type: otherwise the code that drops
/// [`Services`], which every function has, would contain the SDK of every service.
type Erased = OnceLock<Arc<dyn Any + Send + Sync>>;

/// The value of a cell, which is built at the first use.
fn once<T>(cell: &OnceLock<Arc<T>>, build: impl FnOnce() -> Result<T, ConfigError>) -> Wired<T> {
    if let Some(built) = cell.get() {
        return Ok(built.clone());
    }
    let built = Arc::new(build()?);
    Ok(cell.get_or_init(|| built).clone())
}

/// The same for a cell that does not name the type.
fn once_erased<T: Any + Send + Sync>(cell: &Erased, build: impl FnOnce() -> Result<T, ConfigError>) -> Wired<T> {
    let built = if let Some(built) = cell.get() {
        built.clone()
    } else {
        let built = Arc::new(build()?);
        cell.get_or_init(|| built).clone()
    };
    Ok(built.downcast().expect("a cell holds the type of the one method that fills it"))
}

impl Services {
    /// The services with this environment, configuration for calls to AWS, clock and source of random bytes.
    #[must_use]
    pub fn new(env: Env, sdk: SdkConfig, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        let (policy, keys, table, objects) = (OnceLock::new(), OnceLock::new(), OnceLock::new(), OnceLock::new());
        Self { env, clock, random, sdk, policy, keys, table, objects }
    }

    /// The services of this process, with the machine's clock and the system's random numbers.
    pub(crate) async fn of_process(env: Env) -> Result<Self, ConfigError> {
        let invalid = |_| ConfigError::unreadable("AWS_CA_BUNDLE", "the path of a file with PEM certificates");
        let sdk = aws::load(|name| env.optional(name)).await.map_err(invalid)?;
        Ok(Self::new(env, sdk, Arc::new(SystemClock), Arc::new(SystemRandom)))
    }

    /// The limits and lifetimes.
    pub fn policy(&self) -> Wired<Policy> {
        once(&self.policy, || policy::policy(&self.env))
    }

    /// The keys that sign and verify tokens.
    pub fn keys(&self) -> Wired<Keys> {
        once(&self.keys, || {
            let weak = |name| move |_| ConfigError::unreadable(name, "at least 32 characters");
            let (secret, previous) = (self.env.text("SIGNING_SECRET")?, self.env.optional("SIGNING_SECRET_PREVIOUS"));
            let (issuer, audience) = (self.env.text("TOKEN_ISSUER")?, self.env.text("TOKEN_AUDIENCE")?);
            Keys::new(secret, previous, issuer, audience).map_err(weak("SIGNING_SECRET"))
        })
    }

    /// The table, which implements the stores of the domain.
    pub fn table(&self) -> Wired<Table> {
        let table = || Ok(Table::new(&self.sdk, self.env.text("TABLE")?, self.policy()?, self.random.clone()));
        once_erased(&self.table, table)
    }

    /// The bucket with the media files.
    pub fn objects(&self) -> Wired<S3Objects> {
        once_erased(&self.objects, || Ok(S3Objects::new(&self.sdk, self.env.text("BUCKET")?)))
    }

    /// Verifies access tokens.
    pub fn token_verifier(&self) -> Result<TokenVerifier, ConfigError> {
        Ok(TokenVerifier { keys: self.keys()?, clock: self.clock.clone() })
    }

    /// Sign-in and sessions.
    pub fn identity(&self) -> Wired<Identity> {
        let (codes, store) = (self.table()?, self.table()?);
        let (policy, keys, clock, random) = (self.policy()?, self.keys()?, self.clock.clone(), self.random.clone());
        Ok(Arc::new(Identity { policy, clock, random, keys, codes, store, app_users: self.table()? }))
    }

    /// Captchas.
    pub fn captchas(&self) -> Wired<Captchas> {
        Ok(Arc::new(Captchas {
            lifetime: self.policy()?.captcha_ttl,
            clock: self.clock.clone(),
            random: self.random.clone(),
            keys: self.keys()?,
            store: self.table()?,
        }))
    }

    /// Sends codes by text message.
    pub fn codes(&self) -> Wired<CodeSender> {
        let policy = self.policy()?;
        Ok(Arc::new(CodeSender {
            clock: self.clock.clone(),
            random: self.random.clone(),
            keys: self.keys()?,
            store: self.table()?,
            accounts: self.table()?,
            captcha_rule: self.env.parsed("CAPTCHA_REQUIRED", "true, adaptive or false")?,
            captchas: self.captchas()?,
            sms: Arc::new(SnsSmsSender::new(&self.sdk, self.env.optional("SMS_SENDER_ID"))),
            text: code_text(&self.env, policy.code_digits, policy.code_ttl)?,
            policy,
        }))
    }

    /// Whether responses contain the code: only for deployments without real users.
    pub fn exposes_codes(&self) -> Result<bool, ConfigError> {
        self.env.flag("EXPOSE_CODES")
    }

    /// The chat service's tokens if one is configured, otherwise our own.
    pub fn chat_tokens(&self) -> Result<Arc<dyn ChatTokens>, ConfigError> {
        let (clock, random) = (self.clock.clone(), self.random.clone());
        let Some(key) = self.env.optional("RONGCLOUD_APP_KEY") else {
            let ttl = self.policy()?.chat_token_ttl;
            return Ok(Arc::new(OwnChatTokens { keys: self.keys()?, clock, ttl }));
        };
        let base = self.base_url("RONGCLOUD_BASE_URL")?.ok_or(ConfigError::Missing("RONGCLOUD_BASE_URL"))?;
        let service = RongCloud::new(base, key, self.env.text("RONGCLOUD_APP_SECRET")?, clock, random);
        let unreadable = ConfigError::unreadable("RONGCLOUD_APP_KEY", "an app key of RongCloud's console");
        Ok(Arc::new(service.ok_or(unreadable)?))
    }

    /// The sign-in providers that have settings.
    pub fn providers(&self) -> Wired<Providers> {
        let app = |name| self.env.optional(name).map(str::to_owned);
        let settings = ProviderSettings {
            wechat: self.base_url("WECHAT_BASE_URL")?,
            qq: self.base_url("QQ_BASE_URL")?.zip(app("QQ_APP_ID")),
            weibo: self.base_url("WEIBO_BASE_URL")?.zip(app("WEIBO_APP_KEY")),
        };
        Ok(Arc::new(Providers::new(settings, self.random.clone())))
    }

    /// Verifies the identity tokens of the providers that have settings.
    pub fn id_tokens(&self) -> Wired<IdTokenVerifier> {
        let settings = IdTokenSettings {
            apple: self.base_url("APPLE_BASE_URL")?.map(|base| (base, self.env.list("APPLE_CLIENT_IDS"))),
            google: self.base_url("GOOGLE_BASE_URL")?.map(|base| (base, self.env.list("GOOGLE_CLIENT_IDS"))),
        };
        Ok(Arc::new(IdTokenVerifier::new(settings, self.random.clone())))
    }

    /// The URL in a variable. `None` if it is empty or not set: the service is not used.
    fn base_url(&self, name: &'static str) -> Result<Option<BaseUrl>, ConfigError> {
        const EXPECTED: &str = "an https URL without a query, or an http one on this machine";
        let parse = |text| BaseUrl::parse(text).ok_or(ConfigError::unreadable(name, EXPECTED));
        self.env.optional(name).map(parse).transpose()
    }

    /// Devices that get push notifications.
    pub fn devices(&self) -> Wired<Devices> {
        Ok(Arc::new(Devices { clock: self.clock.clone(), store: self.table()? }))
    }

    /// The numbers of devices.
    pub fn device_ids(&self) -> Wired<DeviceIds> {
        Ok(Arc::new(DeviceIds { clock: self.clock.clone(), random: self.random.clone(), store: self.table()? }))
    }

    /// Users as others see them.
    pub fn people(&self) -> Wired<People> {
        Ok(Arc::new(People { clock: self.clock.clone(), identity: self.identity()?, store: self.table()? }))
    }

    /// Address-book look-up.
    pub fn lookup(&self) -> Wired<Lookup> {
        Ok(Arc::new(Lookup { policy: self.policy()?, clock: self.clock.clone(), store: self.table()? }))
    }

    /// Real names, which are encrypted with a KMS key.
    pub fn real_names(&self) -> Wired<RealNames> {
        let vault = KmsVault::new(&self.sdk, self.env.text("IDENTITY_KEY")?, self.random.clone());
        Ok(Arc::new(RealNames { clock: self.clock.clone(), vault: Arc::new(vault), store: self.table()? }))
    }

    /// Uploads that a function receives.
    pub fn uploads(&self) -> Wired<Uploads> {
        Ok(Arc::new(Uploads {
            accounts: self.table()?,
            objects: self.objects()?,
            clock: self.clock.clone(),
            random: self.random.clone(),
            policy: self.policy()?,
        }))
    }

    /// Uploads that go to the bucket directly.
    pub fn direct_uploads(&self) -> Wired<DirectUploads> {
        Ok(Arc::new(DirectUploads {
            accounts: self.table()?,
            objects: self.objects()?,
            signer: self.objects()?,
            clock: self.clock.clone(),
            random: self.random.clone(),
            policy: self.policy()?,
        }))
    }

    /// The media that users own.
    pub fn library(&self) -> Wired<Library> {
        let (uploads, direct) = (self.uploads()?, self.direct_uploads()?);
        Ok(Arc::new(Library { uploads, direct, store: self.table()? }))
    }

    /// Rooms.
    pub fn rooms(&self) -> Wired<Rooms> {
        Ok(Arc::new(Rooms {
            policy: self.policy()?,
            keys: self.keys()?,
            clock: self.clock.clone(),
            random: self.random.clone(),
            store: self.table()?,
            numbers: Numbers::default(),
        }))
    }

    /// Friends, friend requests and the blacklist.
    pub fn friends(&self) -> Wired<Friends> {
        Ok(Arc::new(Friends { clock: self.clock.clone(), store: self.table()? }))
    }

    /// Groups.
    pub fn groups(&self) -> Wired<Groups> {
        Ok(Arc::new(Groups {
            clock: self.clock.clone(),
            random: self.random.clone(),
            store: self.table()?,
            friends: self.table()?,
            jobs: self.group_jobs()?,
        }))
    }

    /// The queue of background work.
    pub fn job_queue(&self) -> Wired<SqsQueue> {
        Ok(Arc::new(SqsQueue::new(&self.sdk, self.env.text("JOBS_QUEUE_URL")?)))
    }

    /// The queue of pushes to devices.
    pub fn push_queue(&self) -> Wired<SqsQueue> {
        Ok(Arc::new(SqsQueue::new(&self.sdk, self.env.text("PUSHES_QUEUE_URL")?)))
    }

    /// The background work of large groups and of changed nicknames.
    pub fn group_jobs(&self) -> Wired<GroupJobs> {
        Ok(Arc::new(GroupJobs { clock: self.clock.clone(), store: self.table()? }))
    }

    /// Incremental sync.
    pub fn sync(&self) -> Wired<DeltaSync> {
        Ok(Arc::new(DeltaSync { clock: self.clock.clone(), store: self.table()?, page: sync::PAGE }))
    }

    /// Deletes accounts.
    pub fn deletions(&self) -> Wired<Deletions> {
        const DAY: Duration = Duration::from_hours(24);
        let days: u32 = self.env.parsed("DELETION_GRACE_DAYS", "a number of days")?;
        Ok(Arc::new(Deletions { identity: self.identity()?, store: self.table()?, grace: DAY * days }))
    }

    /// Removes what belonged to deleted users.
    pub fn purge(&self) -> Wired<Purge> {
        Ok(Arc::new(Purge {
            clock: self.clock.clone(),
            store: self.table()?,
            groups: self.table()?,
            jobs: self.group_jobs()?,
            rooms: self.table()?,
            objects: self.objects()?,
            endpoints: self.push_sender()?,
        }))
    }

    /// Reports about users, groups and media.
    pub fn reports(&self) -> Wired<Reports> {
        Ok(Arc::new(Reports { clock: self.clock.clone(), random: self.random.clone(), store: self.table()? }))
    }

    /// The topic for notifications.
    pub fn event_publisher(&self) -> Wired<SnsEventPublisher> {
        Ok(Arc::new(SnsEventPublisher::new(&self.sdk, self.env.text("NOTIFICATION_TOPIC")?)))
    }

    /// Push notifications.
    pub fn push_sender(&self) -> Wired<SnsPushSender> {
        let application = |name| self.env.optional(name);
        let (apple, google) = (application("APNS_APPLICATION_ARN"), application("FCM_APPLICATION_ARN"));
        Ok(Arc::new(SnsPushSender::new(&self.sdk, apple, google)))
    }

    /// Builds absolute URLs.
    #[must_use]
    pub fn public_url(&self) -> PublicUrl {
        PublicUrl::new(self.env.optional("PUBLIC_URL"))
    }

    /// The observer for the invocations of `function`.
    #[must_use]
    pub fn observer(&self, function: &'static str) -> Observer {
        let (namespace, clock) = (self.env.optional("METRICS_NAMESPACE"), self.clock.clone());
        Observer::new(function, namespace.map(str::to_owned), Arc::new(move || clock.now().millis()))
    }

    /// The function of a router, with the layers that every API has around it.
    #[must_use]
    pub fn http(&self, router: axum::Router, observer: &Observer) -> Http {
        let guard = CrossSiteGuard::new(self.env.optional("CORS_ORIGIN"));
        Http(handset_http::observe::finish(router, observer, &guard))
    }
}

/// The text with a code. A function whose texts could become too long does not start.
fn code_text(env: &Env, digits: u32, ttl: Duration) -> Result<CodeText, ConfigError> {
    let hashes = env.optional("SMS_APP_HASHES").unwrap_or_default();
    let apps: Result<Vec<_>, _> = hashes.split_terminator(',').map(str::parse).collect();
    let apps = apps.map_err(|_| ConfigError::unreadable("SMS_APP_HASHES", "hashes of 11 characters, with commas"))?;
    let text = CodeText::new(env.text("SMS_TEXT")?, env.optional("SMS_AUTOFILL_HOST"), apps);
    let too_long = |limit: TextTooLong| ConfigError::unreadable("SMS_TEXT", limit.expected());
    text.check_length(digits, ttl).map_err(too_long)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use aws_config::BehaviorVersion;
    use domain::id_token::IdTokenCheck;
    use domain::provider::Provider;

    use super::*;

    fn services(env: &[(&str, &str)]) -> Services {
        let sdk = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).build();
        Services::new(env.iter().copied().collect(), sdk, Arc::new(SystemClock), Arc::new(SystemRandom))
    }

    fn words<T: ?Sized>(wired: Result<Arc<T>, ConfigError>) -> String {
        wired.err().expect("a setting that is refused").to_string()
    }

    #[test]
    fn a_wrong_setting_is_refused_by_its_name() {
        let weak = services(&[("SIGNING_SECRET", "short"), ("TOKEN_ISSUER", "a"), ("TOKEN_AUDIENCE", "a")]);
        assert!(words(weak.keys()).contains("SIGNING_SECRET"));
        assert!(words(services(&[("QQ_BASE_URL", "http://graph.qq.com")]).providers()).contains("QQ_BASE_URL"));
        assert!(words(services(&[("APPLE_BASE_URL", "http://a.example")]).id_tokens()).contains("APPLE_BASE_URL"));
        let half = [("RONGCLOUD_BASE_URL", "https://api.rong-api.com"), ("RONGCLOUD_APP_KEY", "key")];
        assert!(words(services(&half).chat_tokens()).contains("RONGCLOUD_APP_SECRET"));
    }

    #[test]
    fn a_text_that_could_become_too_long_is_refused_by_its_name() {
        let refused = |env: &[(&str, &str)]| {
            let text = code_text(&env.iter().copied().collect(), 6, Duration::from_mins(5));
            text.err().map(|error| error.to_string()).unwrap_or_default()
        };
        let (short, long) = (("SMS_TEXT", "{code}"), "{code}".to_owned() + &"x".repeat(125));
        let long = ("SMS_TEXT", long.as_str());
        let (host, hashes) = (("SMS_AUTOFILL_HOST", "app.example.com"), ("SMS_APP_HASHES", "FA+9qCX9VSu,EvsSSj4C6vl"));
        for fits in [&[long][..], &[long, host], &[short, host, hashes]] {
            assert_eq!(refused(fits), "", "{fits:?}");
        }
        for too_long in [&[long, hashes][..], &[long, host, hashes]] {
            let words = refused(too_long);
            assert!(words.contains("SMS_TEXT") && words.contains("140 bytes"), "{words}");
        }
        assert!(refused(&[short, ("SMS_APP_HASHES", "FA+9qCX9VSu,short")]).contains("SMS_APP_HASHES"));
    }

    #[test]
    fn identity_tokens_are_off_without_a_client_id() {
        let (base, ids) = (("APPLE_BASE_URL", "https://appleid.apple.com"), ("APPLE_CLIENT_IDS", "app.example"));
        for (env, on) in [(vec![], false), (vec![base], false), (vec![ids], false), (vec![base, ids], true)] {
            let verifier = services(&env).id_tokens().unwrap();
            assert_eq!((verifier.knows(Provider::Apple), verifier.knows(Provider::Google)), (on, false), "{env:?}");
        }
    }
}
