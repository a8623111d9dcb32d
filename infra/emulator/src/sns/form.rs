//! A call in the query protocol: one form, in which lists are numbered fields.

use std::collections::BTreeMap;

/// The fields of a call.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Form(BTreeMap<String, String>);

impl Form {
    /// Parses a body. If a field appears twice, the first counts.
    pub fn parse(body: &[u8]) -> Self {
        let mut fields = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(body) {
            fields.entry(name.into_owned()).or_insert_with(|| value.into_owned());
        }
        Self(fields)
    }

    /// A field, unless it is empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The prefixes of a list's members, `<list>.1.`, `<list>.2.` and so on, as far as each has a field.
    pub fn members(&self, list: &str) -> Vec<String> {
        let prefixes = (1..).map(|number: usize| format!("{list}.{number}."));
        prefixes.take_while(|prefix| self.has(prefix)).collect()
    }

    fn has(&self, prefix: &str) -> bool {
        self.0.range(prefix.to_owned()..).next().is_some_and(|(name, _)| name.starts_with(prefix))
    }
}

#[cfg(test)]
impl<const N: usize> From<[(&str, &str); N]> for Form {
    fn from(fields: [(&str, &str); N]) -> Self {
        Self(fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }
}
