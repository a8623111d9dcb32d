//! Responses that several operations declare alike become components, so that a document says each of them once.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

/// How many words of its description name a response.
const WORDS: usize = 5;

/// Moves every response with a body that stands more than once in `paths` to `components`, and refers to it.
pub fn share(paths: &mut Map<String, Value>, components: &mut Map<String, Value>) {
    let mut times: HashMap<String, usize> = HashMap::new();
    each(paths, |_, _, response| *times.entry(response.to_string()).or_default() += 1);
    let mut names: HashMap<String, String> = HashMap::new();
    each(paths, |tag, status, response| {
        let text = response.to_string();
        if times.get(&text).is_none_or(|times| *times < 2) {
            return;
        }
        let name = names.entry(text).or_insert_with(|| {
            let name = free_name(components, tag, status, response);
            components.insert(name.clone(), response.clone());
            name
        });
        *response = json!({ "$ref": format!("#/components/responses/{name}") });
    });
}

/// Calls `work` with the tag, the status and the response, for each response with a body.
fn each(paths: &mut Map<String, Value>, mut work: impl FnMut(&str, &str, &mut Value)) {
    let operations = paths.values_mut().filter_map(Value::as_object_mut).flat_map(Map::values_mut);
    for operation in operations {
        let tag = operation["tags"][0].as_str().unwrap_or_default().to_owned();
        for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
            if response.get("content").is_some() {
                work(&tag, status, response);
            }
        }
    }
}

/// `tag.WordsOfTheDescription`, with the status and then a number behind it as long as another response has the name.
fn free_name(taken: &Map<String, Value>, tag: &str, status: &str, response: &Value) -> String {
    let description = response["description"].as_str().unwrap_or_default();
    let words = description.split(|character: char| !character.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let name: String = words.take(WORDS).map(capitalised).collect();
    let base = format!("{tag}.{name}");
    let numbered = (2..).map(|number| format!("{base}{status}No{number}"));
    let mut candidates = [base.clone(), format!("{base}{status}")].into_iter().chain(numbered);
    candidates.find(|name| !taken.contains_key(name)).unwrap_or(base)
}

fn capitalised(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    format!("{}{rest}", first.to_ascii_uppercase())
}
