//! Parses the credential scope of a signed request (Signature Version 4).

use http::HeaderMap;
use http::header::AUTHORIZATION;

/// The signer of a request and the service it is for.
#[derive(Debug, PartialEq, Eq)]
pub struct Credential {
    /// The access key id.
    pub access_key_id: String,
    /// The service's signing name, for example `dynamodb`.
    pub service: String,
}

impl Credential {
    /// Reads the credential from the `Authorization` header, or from the query of a presigned request.
    pub fn of(headers: &HeaderMap, query: Option<&str>) -> Option<Self> {
        let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        match header {
            Some(header) => {
                let mut parts = header.strip_prefix("AWS4-HMAC-SHA256")?.split(',');
                let scope = parts.find_map(|part| part.trim().strip_prefix("Credential="))?;
                Self::parse(scope)
            }
            None => form_urlencoded::parse(query?.as_bytes())
                .find(|(name, _)| name == "X-Amz-Credential")
                .and_then(|(_, scope)| Self::parse(&scope)),
        }
    }

    /// Parses `key/date/region/service/aws4_request`. Keys contain no slash.
    fn parse(scope: &str) -> Option<Self> {
        let mut parts = scope.split('/');
        let access_key_id = parts.next()?.to_owned();
        let service = parts.nth(2)?.to_owned();
        (parts.next()? == "aws4_request").then_some(Self { access_key_id, service })
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::Credential;

    fn of(header: Option<&'static str>, query: Option<&str>) -> Option<(String, String)> {
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert("authorization", HeaderValue::from_static(header));
        }
        Credential::of(&headers, query).map(|found| (found.access_key_id, found.service))
    }

    #[test]
    fn the_scope_is_read_from_header_and_query() {
        let signed = "AWS4-HMAC-SHA256 Credential=AK/20260301/us-east-1/dynamodb/aws4_request, \
                      SignedHeaders=host, Signature=00";
        let expected = Some(("AK".to_owned(), "dynamodb".to_owned()));
        assert_eq!(of(Some(signed), None), expected);
        let presigned = "x-id=GetObject&X-Amz-Credential=AK%2F20260301%2Fus-east-1%2Fs3%2Faws4_request";
        assert_eq!(of(None, Some(presigned)), Some(("AK".to_owned(), "s3".to_owned())));
        assert_eq!(of(Some("Bearer token"), Some(presigned)), None);
        assert_eq!(of(None, None), None);
        assert_eq!(of(Some("AWS4-HMAC-SHA256 Credential=AK/20260301/us-east-1"), None), None);
    }
}
