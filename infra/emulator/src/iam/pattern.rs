//! Wildcard matching of actions and ARNs.

/// Whether `text` matches `pattern`, where `*` matches any sequence of characters and `?` exactly one.
pub fn glob(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut at_pattern, mut at_text) = (0, 0);
    // The latest star, and the first character after those it has matched.
    let mut retry: Option<(usize, usize)> = None;
    while at_text < text.len() {
        match pattern.get(at_pattern) {
            Some('*') => {
                retry = Some((at_pattern, at_text));
                at_pattern += 1;
            }
            Some(&expected) if expected == '?' || expected == text[at_text] => {
                at_pattern += 1;
                at_text += 1;
            }
            _ => match retry {
                Some((star, swallowed)) => {
                    retry = Some((star, swallowed + 1));
                    at_pattern = star + 1;
                    at_text = swallowed + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at_pattern..].iter().all(|rest| *rest == '*')
}

/// Whether an action such as `s3:GetObject` matches a policy's pattern. Actions are compared case-insensitively.
pub fn action(pattern: &str, action: &str) -> bool {
    glob(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase())
}

/// Whether a resource matches a policy's pattern.
///
/// The first five fields of an ARN are matched one by one, so a star in one cannot extend into the next, and fields
/// missing at the end match anything. A call without a resource has the resource `*`, which only the pattern `*`
/// matches: publishing to a phone number is one.
pub fn resource(pattern: &str, resource: &str) -> bool {
    const FIELDS: usize = 6;
    let of_resource: Vec<&str> = resource.splitn(FIELDS, ':').collect();
    if pattern == "*" || of_resource.len() < FIELDS {
        return glob(pattern, resource);
    }
    let mut of_pattern = pattern.splitn(FIELDS, ':');
    of_resource.iter().all(|field| glob(of_pattern.next().unwrap_or("*"), field))
}

#[cfg(test)]
mod tests {
    use super::{action, glob, resource};

    #[test]
    fn stars_and_question_marks_match_as_in_iam() {
        let cases = [
            ("", "", true),
            ("*", "", true),
            ("a*", "a", true),
            ("a*c", "abbc", true),
            ("a*c", "abcb", false),
            ("*b*b*", "abab", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("**", "x", true),
            ("abc", "abcd", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(glob(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn actions_are_compared_without_case() {
        assert!(action("S3:getobject", "s3:GetObject"));
        assert!(action("dynamodb:*Item", "dynamodb:PutItem"));
        assert!(!action("dynamodb:*Item", "dynamodb:Query"));
    }

    #[test]
    fn resources_match_field_by_field() {
        let table = "arn:aws:dynamodb:us-east-1:000000000000:table/Main";
        let index = "arn:aws:dynamodb:us-east-1:000000000000:table/Main/index/ByPhone";
        let cases = [
            ("*", table, true),
            (table, table, true),
            (table, index, false),
            ("arn:aws:dynamodb:*:*:table/Main", table, true),
            ("arn:aws:dynamodb:*:*:table/Main/index/*", index, true),
            ("arn:aws:dynamodb:*:*:table/Ma*", index, true),
            ("arn:aws:dynamodb:*", table, true),
            ("arn:aws:dynamodb*table/Main", table, false),
            ("arn:aws:s3:::pictures/*", "arn:aws:s3:::pictures/a/b", true),
            ("arn:aws:s3:::pictures/*", "arn:aws:s3:::pictures", false),
            ("arn:aws:s3:::pictures*", "arn:aws:s3:::pictures-2/a", true),
        ];
        for (pattern, on, expected) in cases {
            assert_eq!(resource(pattern, on), expected, "{pattern} on {on}");
        }
    }

    #[test]
    fn a_call_without_a_resource_matches_only_the_star() {
        assert!(resource("*", "*"));
        assert!(!resource("arn:aws:sns:*:*:*", "*"));
        assert!(!resource("arn:*", "*"));
    }
}
