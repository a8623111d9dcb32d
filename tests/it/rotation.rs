//! A rotation of the signing secret as in `docs/deploying.md`: no user is signed out, even while a deployment moves
//! from one phase to the next and both versions answer.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use domain::crypto::SystemRandom;
use domain::random;
use local::Options;
use serde_json::{Value, json};

use crate::support::accounts::{Cookie, device_lives, device_register, device_sign_in, sealtalk_lives};
use crate::support::accounts::{sealtalk_register, sealtalk_sign_in, web_register, web_user};
use crate::support::backend::answer;
use crate::support::{Backend, Person, fresh_phone, run};

/// The ids of the two versions, as Secrets Manager generates them.
const OLD: &str = "6e7a3f0c-5d0e-4d5a-9f62-0a1d0e2c7b11";
const NEW: &str = "c2b1d9e4-90aa-4b7e-8d35-3f5c7a1e6d22";

/// One deployment: the version with the label `AWSCURRENT` at that time, and the two parameters.
#[derive(Clone, Copy)]
struct Phase {
    current: &'static str,
    signs: &'static str,
    accepted: &'static str,
}

const BEFORE: Phase = Phase { current: OLD, signs: "", accepted: "" };
const INTRODUCED: Phase = Phase { current: OLD, signs: OLD, accepted: NEW };
const SIGNING: Phase = Phase { current: OLD, signs: NEW, accepted: OLD };
const AFTER: Phase = Phase { current: NEW, signs: NEW, accepted: "" };

/// A folder that is deleted after the test.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Starts the deployment in a phase, on the data in the folder.
async fn deploy(folder: &Folder, phase: &Phase) -> Backend {
    let name = "handset-SigningSecret";
    let secret = |version: &str| json!({ "secret": version.repeat(2) }).to_string();
    let current = (name.to_owned(), secret(phase.current));
    let versions = [OLD, NEW].map(|version| (format!("{name}:{version}"), secret(version)));
    let kept: BTreeMap<String, String> = versions.into_iter().chain([current]).collect();
    let file = folder.0.join("secrets.json");
    let names =
        |path: &Path| -> Option<BTreeMap<String, String>> { serde_json::from_slice(&fs::read(path).ok()?).ok() };
    if let Some(before) = names(&file) {
        assert!(before.contains_key(name), "the secret has another name: {:?}", before.keys());
    }
    fs::create_dir_all(&folder.0).expect("a folder");
    fs::write(&file, json!(kept).to_string()).expect("secrets");
    let parameters = [("SigningSecretVersion", phase.signs), ("OtherSigningSecretVersion", phase.accepted)];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let options = Options { port: 0, data: Some(folder.0.clone()), parameters, ..Options::default() };
    Backend::with(options, |handset| handset).await.expect("the backend starts")
}

/// The credentials of a signed-in user, one for each way to identify a caller.
struct SignedIn {
    messenger: Person,
    web: Cookie,
    sealtalk: Cookie,
    device: (u64, String),
}

impl SignedIn {
    async fn on(backend: &Backend) -> Self {
        let (talker, owner) = (fresh_phone(), fresh_phone());
        sealtalk_register(backend, &talker, "secret-1").await;
        device_register(backend, &owner, "secret-1").await;
        Self {
            messenger: backend.person().await,
            web: web_register(backend, &fresh_phone(), "secret-1").await.1,
            sealtalk: sealtalk_sign_in(backend, &talker, "secret-1").await.expect("a session").1,
            device: device_sign_in(backend, &owner, "secret-1").await.expect("a session"),
        }
    }

    /// Which of them the deployment accepts.
    async fn lives(&self, backend: &Backend) -> [bool; 4] {
        let (device, token) = &self.device;
        [
            answer(backend.nickname(&self.messenger.access_token, "Tom")).await.0 == 200,
            web_user(backend, &self.web).await["errno"] == "0",
            sealtalk_lives(backend, &self.sealtalk).await,
            device_lives(backend, *device, token).await,
        ]
    }
}

async fn published(backend: &Backend) -> Vec<Value> {
    let (_, keys) = answer(backend.get("/.well-known/jwks.json")).await;
    let keys = keys["keys"].as_array().expect("keys").iter();
    keys.filter(|key| key["kty"] == "OKP").map(|key| key["kid"].clone()).collect()
}

#[test]
fn a_rotation_in_three_deployments_signs_nobody_out() {
    run(async {
        let id = u128::from_be_bytes(random::bytes(&SystemRandom));
        let folder = Folder(std::env::temp_dir().join(format!("handset-rotation-{id:032x}")));

        let before = deploy(&folder, &BEFORE).await;
        let early = SignedIn::on(&before).await;
        assert_eq!(early.lives(&before).await, [true; 4]);
        let old = published(&before).await;
        before.running.stop().await;

        // The new key is known but signs nothing yet: functions with the old settings accept every token.
        let introduced = deploy(&folder, &INTRODUCED).await;
        assert_eq!(early.lives(&introduced).await, [true; 4]);
        let middle = SignedIn::on(&introduced).await;
        let both = published(&introduced).await;
        assert_eq!((both.len(), &both[..1]), (2, &old[..]));
        introduced.running.stop().await;

        // Now it signs, and tokens signed with the old key are accepted and refreshed.
        let signing = deploy(&folder, &SIGNING).await;
        assert_eq!((early.lives(&signing).await, middle.lives(&signing).await), ([true; 4], [true; 4]));
        let late = SignedIn::on(&signing).await;
        let (status, tokens) = answer(signing.refresh(&early.messenger.refresh_token)).await;
        assert_eq!(status, 200, "{tokens}");
        let refreshed = Person::of(&tokens);
        assert_eq!(published(&signing).await, [both[1].clone(), both[0].clone()]);
        signing.running.stop().await;

        // During that deployment, functions of the previous phase accepted tokens from the new ones. They also do after
        // a rollback, and after the label has moved: the parameters name versions, not labels.
        let introduced = deploy(&folder, &Phase { current: NEW, ..INTRODUCED }).await;
        assert_eq!(late.lives(&introduced).await, [true; 4]);
        assert_eq!(answer(introduced.nickname(&refreshed.access_token, "Tom")).await.0, 200);
        introduced.running.stop().await;

        // Sessions that were never refreshed end with the old key; all others continue.
        let after = deploy(&folder, &AFTER).await;
        assert_eq!(late.lives(&after).await, [true; 4]);
        assert_eq!(early.lives(&after).await, [false; 4]);
        assert_eq!(answer(after.refresh(&refreshed.refresh_token)).await.0, 200);
        assert_eq!(answer(after.refresh(&middle.messenger.refresh_token)).await.0, 400);
        assert_eq!(published(&after).await, [both[1].clone()]);
        after.running.stop().await;
    });
}
