//! The HTTPS client that all AWS clients of a process share, and the certificate authorities that it trusts.
//!
//! Reading every root certificate of the machine took a fifth of a function's start and more. So AWS clients trust only
//! Amazon's own roots, which are part of the program. This has two exceptions:
//!
//! - `AWS_CA_BUNDLE` names a PEM file whose certificates are trusted **instead**, as in AWS's other SDKs. It is for
//!   traffic that passes a proxy that inspects TLS, and for private endpoints with another authority.
//! - In the regions in China (`cn-*`) the machine's roots are trusted, because we know of no source that
//!   says that Amazon's own authority signs there.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Connector, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// Amazon's roots.
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon_roots.pem");

/// `AWS_CA_BUNDLE` does not name a file with certificates.
#[derive(Debug, thiserror::Error)]
#[error("no file with PEM certificates")]
pub struct InvalidBundle(#[source] Box<dyn std::error::Error + Send + Sync>);

/// The certificate authorities that a client trusts.
#[derive(Clone, Debug)]
pub struct Trusted(TrustStore);

impl Trusted {
    /// Amazon's own authorities.
    #[must_use]
    pub fn amazon() -> Self {
        Self(TrustStore::empty().with_pem_certificate(AMAZON_ROOTS))
    }

    /// Those of the file at `bundle`, if there is one, and otherwise those that sign for AWS in `region`.
    pub(crate) fn in_environment(bundle: Option<&str>, region: Option<&str>) -> Result<Self, InvalidBundle> {
        match bundle {
            Some(path) => Self::bundle(std::fs::read(path).map_err(|error| InvalidBundle(error.into()))?),
            None if region.is_some_and(|region| region.starts_with("cn-")) => Ok(Self(TrustStore::default())),
            None => Ok(Self::amazon()),
        }
    }

    /// The certificates of a PEM file. They are parsed here because the SDK panics on one that it cannot parse.
    fn bundle(pem: Vec<u8>) -> Result<Self, InvalidBundle> {
        let parsed = parse(&pem)?;
        if parsed.is_empty() {
            return Err(InvalidBundle("it has none".into()));
        }
        Ok(Self(TrustStore::empty().with_pem_certificate(pem)))
    }
}

/// The root certificates in a PEM file.
fn parse(pem: &[u8]) -> Result<RootCertStore, InvalidBundle> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| InvalidBundle(error.into()))?;
        roots.add(certificate).map_err(|error| InvalidBundle(error.into()))?;
    }
    Ok(roots)
}

/// A client for all AWS services. It connects through the proxy that the environment names, as the SDK's own client
/// does, and to an `http` endpoint without TLS.
#[must_use]
pub fn client(trusted: Trusted) -> SharedHttpClient {
    SharedHttpClient::new(Client { trusted, connectors: Mutex::default() })
}

/// Connect and read time-outs, which are a connector's own.
type Timeouts = (Option<Duration>, Option<Duration>);

/// Builds a connector when the first call is made. The SDK's own client builds one for every service at the start, only
/// to check its settings.
#[derive(Debug)]
struct Client {
    trusted: Trusted,
    connectors: Mutex<Vec<(Timeouts, SharedHttpConnector)>>,
}

impl HttpClient for Client {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let timeouts = (settings.connect_timeout(), settings.read_timeout());
        let mut connectors = self.connectors.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, connector)) = connectors.iter().find(|(of, _)| *of == timeouts) {
            return connector.clone();
        }
        let connector = SharedHttpConnector::new(connector(&self.trusted, settings, components));
        connectors.push((timeouts, connector.clone()));
        connector
    }
}

fn connector(trusted: &Trusted, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> Connector {
    let context = TlsContext::builder().with_trust_store(trusted.0.clone()).build();
    let mut builder = ConnectorBuilder::default()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .tls_context(context.expect("a context without client certificates"))
        .connector_settings(settings.clone())
        .proxy_config(ProxyConfig::from_env());
    builder.set_sleep_impl(components.sleep_impl());
    builder.build()
}

#[cfg(test)]
mod tests {
    use domain::crypto;

    use super::*;

    #[test]
    fn the_roots_are_the_five_that_amazon_publishes() {
        // From https://www.amazontrust.com/repository/ and Mozilla's list.
        const FINGERPRINTS: [&str; 5] = [
            "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
            "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
            "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
            "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
            "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
        ];
        let certificates = CertificateDer::pem_slice_iter(AMAZON_ROOTS).map(Result::unwrap);
        assert_eq!(certificates.map(|root| crypto::hex(&crypto::sha256(&root))).collect::<Vec<_>>(), FINGERPRINTS);
        assert_eq!(parse(AMAZON_ROOTS).unwrap().len(), 5);
    }

    fn trusted(bundle: Option<&str>, region: Option<&str>) -> Result<String, InvalidBundle> {
        Trusted::in_environment(bundle, region).map(|Trusted(store)| format!("{store:?}"))
    }

    #[test]
    fn a_bundle_replaces_amazons_roots_and_a_wrong_one_is_an_error() {
        let amazon = trusted(None, Some("eu-central-1")).unwrap();
        assert_ne!(trusted(None, Some("cn-north-1")).unwrap(), amazon);

        let folder = std::env::temp_dir().join(format!("handset-bundle-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = |name: &str, content: &[u8]| {
            let path = folder.join(name);
            std::fs::write(&path, content).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let first = AMAZON_ROOTS.split_inclusive(|byte| *byte == b'\n').take(24).collect::<Vec<_>>().concat();
        let own = trusted(Some(&file("own.pem", &first)), Some("cn-north-1")).unwrap();
        assert_ne!(own, amazon);
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for wrong in [file("empty.pem", b""), file("broken.pem", broken), file("none", b"") + "x"] {
            assert!(trusted(Some(&wrong), None).is_err(), "{wrong}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
