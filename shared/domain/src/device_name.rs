//! Names of devices, by which users recognise their sessions.

use super::text::Bounds;

/// What a client says about the device that it runs on: `Anna's iPhone`, `Firefox on Windows`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceName(String);

impl DeviceName {
    /// Maximum length in characters. An account's item has a name for each session.
    pub const LONGEST: usize = 40;

    /// A name that a client chose. A longer one is cut; one that is empty or has control characters is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        const NAME: Bounds = Bounds::line("device", 1, DeviceName::LONGEST, "must have at most 40 characters");
        let cut: String = text.trim().chars().take(Self::LONGEST).collect();
        NAME.trimmed(&cut).ok().map(Self)
    }

    /// A name from the header `User-Agent`: the browser and the system where it names them, or else its first product.
    #[must_use]
    pub fn of_user_agent(header: &str) -> Option<Self> {
        // The more special word comes first: Edge and Opera also say Chrome, and Chrome also says Safari.
        const BROWSERS: [(&str, &str); 6] = [
            ("Edg", "Edge"),
            ("OPR/", "Opera"),
            ("Firefox/", "Firefox"),
            ("Chrome/", "Chrome"),
            ("CriOS/", "Chrome"),
            ("Safari/", "Safari"),
        ];
        const SYSTEMS: [(&str, &str); 6] = [
            ("iPhone", "iPhone"),
            ("iPad", "iPad"),
            ("Android", "Android"),
            ("Windows", "Windows"),
            ("Macintosh", "Mac"),
            ("Linux", "Linux"),
        ];
        let word = |words: [(&str, &'static str); 6]| {
            words.into_iter().find(|(said, _)| header.contains(said)).map(|(_, word)| word)
        };
        let is_browser = header.starts_with("Mozilla/");
        match (word(BROWSERS).filter(|_| is_browser), word(SYSTEMS)) {
            (Some(browser), Some(system)) => Self::parse(&format!("{browser} on {system}")),
            (Some(browser), None) => Self::parse(browser),
            (None, Some(system)) => Self::parse(system),
            (None, None) => Self::parse(header.split(['/', ' ']).next()?),
        }
    }

    /// A name as it was stored.
    #[must_use]
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_agent_becomes_words_that_users_know() {
        let name = |header: &str| DeviceName::of_user_agent(header).map(|name| name.0);
        let firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0";
        assert_eq!(name(firefox).as_deref(), Some("Firefox on Windows"));
        let safari =
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1";
        assert_eq!(name(safari).as_deref(), Some("Safari on iPhone"));
        assert_eq!(name("Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8)").as_deref(), Some("Android"));
        assert_eq!(name("okhttp/4.12.0").as_deref(), Some("okhttp"));
        assert_eq!((name(""), name("/")), (None, None));
    }

    #[test]
    fn a_name_is_cut_and_has_no_control_characters() {
        assert_eq!(DeviceName::parse(" Anna\u{2019}s iPhone ").unwrap().as_str(), "Anna\u{2019}s iPhone");
        assert_eq!(DeviceName::parse(&"a".repeat(99)).unwrap().as_str().len(), DeviceName::LONGEST);
        for bad in ["", " ", "a\nb"] {
            assert!(DeviceName::parse(bad).is_none(), "{bad:?}");
        }
    }
}
