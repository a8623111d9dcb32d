//! What the template, the functions' routers and the API description say has to be the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use local_template::{Deployment, Function, Stack, Template};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::backend::{answer, read};
use crate::support::people::not_signed_in;
use crate::support::{run, shared, trips};

/// The operations that anybody may call. Whatever is not listed here has to refuse who is not signed in.
const OPEN: [&str; 11] = [
    "get_audio",
    "get_audio_singular",
    "get_image",
    "get_jwks",
    "get_verify_code",
    "head_audio",
    "head_audio_singular",
    "head_image",
    "post_refresh_token",
    "post_token",
    "post_verify_code",
];

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn template() -> Template {
    let text = fs::read_to_string(root().join("template.yaml")).expect("template.yaml");
    Template::parse(&text).expect("a template")
}

/// The template as it is deployed when no parameter is given.
fn stack() -> Stack {
    let template = template();
    let mut deployment = Deployment::default();
    for secret in template.secrets(&deployment).expect("secrets") {
        let value = json!({ "secret": "0".repeat(64) }).to_string();
        deployment.secrets.insert(secret.arn, value.clone());
        deployment.secrets.insert(secret.name, value);
    }
    template.resolve(&deployment).expect("a stack")
}

/// One operation of an API description.
struct Operation {
    method: String,
    path: String,
    said: Value,
}

impl Operation {
    fn key(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    fn id(&self) -> &str {
        self.said["operationId"].as_str().unwrap_or_else(|| panic!("{} has no operationId", self.key()))
    }

    /// A path that this operation takes, of something that does not exist.
    fn example(&self) -> String {
        let extension = if self.path.starts_with("/images") { "jpg" } else { "amr" };
        let path = self.path.replace("{name}", &format!("0123456789abcdef0123456789abcdef.{extension}"));
        assert!(!path.contains('{'), "a variable that this test does not know in {path}");
        path
    }

    fn method(&self) -> Method {
        self.method.parse().expect("a method")
    }
}

fn operations(api: &Value) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, item) in api["paths"].as_object().expect("paths") {
        for (method, said) in item.as_object().expect("operations") {
            found.push(Operation { method: method.to_uppercase(), path: path.clone(), said: said.clone() });
        }
    }
    assert!(!found.is_empty());
    found
}

fn description() -> Value {
    serde_json::to_value(local::api()).expect("a description")
}

/// Which function's crate declares an operation, by its key.
fn declared() -> BTreeMap<String, &'static str> {
    let parts = [
        ("auth", serde_json::to_value(auth::api())),
        ("codes", serde_json::to_value(codes::api())),
        ("media", serde_json::to_value(media::api())),
        ("profiles", serde_json::to_value(profiles::api())),
        ("resize", serde_json::to_value(resize::api())),
    ];
    let mut owners = BTreeMap::new();
    for (binary, api) in parts {
        for operation in operations(&api.expect("a description")) {
            let before = owners.insert(operation.key(), binary);
            assert_eq!(before, None, "{} is declared twice", operation.key());
        }
    }
    owners
}

/// The routes of the template but for `$default`, with the function each leads to.
fn routes(stack: &Stack) -> BTreeMap<String, &str> {
    let each = |function: &Function| -> Vec<(String, String)> {
        function.routes.iter().map(|route| (route.key.clone(), function.binary.clone())).collect()
    };
    let all: Vec<(String, String)> = stack.functions.iter().flat_map(each).collect();
    let binaries: BTreeMap<&str, &str> =
        stack.functions.iter().map(|function| (function.binary.as_str(), function.binary.as_str())).collect();
    all.into_iter().filter(|(key, _)| key != "$default").map(|(key, binary)| (key, binaries[binary.as_str()])).collect()
}

#[test]
fn every_route_of_the_template_is_described_and_the_other_way_round() {
    let stack = stack();
    let described: BTreeMap<String, &str> = declared();
    assert_eq!(routes(&stack), described);
    let whole: BTreeSet<String> = operations(&description()).iter().map(Operation::key).collect();
    assert_eq!(whole, described.into_keys().collect(), "the whole description is the sum of its parts");
}

#[test]
fn unknown_routes_have_one_owner() {
    let stack = stack();
    let owners: Vec<_> = stack
        .functions
        .iter()
        .filter(|function| function.routes.iter().any(|route| route.key == "$default"))
        .map(|function| function.binary.as_str())
        .collect();
    assert_eq!(owners, ["rooms"]);
    let told: Vec<_> = stack.functions.iter().filter(|function| !function.object_created.is_empty()).collect();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].binary.as_str(), told[0].object_created[0].prefix.as_str()), ("resize", "originals/images/"));
    assert!(stack.functions.iter().all(|function| function.other_events.is_empty()));
}

#[test]
fn whatever_can_be_got_has_its_head_where_it_is_a_download() {
    let keys = routes_owned();
    for key in &keys {
        if let Some(path) = key.strip_prefix("GET ").filter(|path| path.ends_with("/{name}")) {
            assert!(keys.contains(&format!("HEAD {path}")), "{path} has no HEAD");
        }
    }
}

fn routes_owned() -> BTreeSet<String> {
    routes(&stack()).into_keys().collect()
}

async fn without_credentials(operation: &Operation) -> Response {
    let backend = shared().await;
    backend.request(operation.method(), &operation.example()).send().await.expect("an answer")
}

#[test]
fn every_route_is_answered_by_the_function_it_leads_to() {
    run(async {
        let owners =
            routes(&stack()).into_iter().map(|(key, binary)| (key, binary.to_owned())).collect::<BTreeMap<_, _>>();
        for operation in operations(&description()) {
            let response = without_credentials(&operation).await;
            let line = trips::line_of(&response);
            assert_eq!(line["function"], owners[&operation.key()], "{}", operation.key());
            assert_eq!(line["route"], operation.path, "{} has no handler", operation.key());
            if operation.method != "HEAD" {
                let (status, body) = read(response).await;
                assert_ne!(body["error"], "no such endpoint", "{}: {status}", operation.key());
            }
        }
    });
}

#[test]
fn what_no_route_takes_is_not_found() {
    run(async {
        let backend = shared().await;
        let taken = routes_owned();
        let mut paths: BTreeSet<String> = operations(&description()).iter().map(Operation::example).collect();
        paths.extend(["/nothing".to_owned(), "/images".to_owned(), "/users/me".to_owned(), "/images/".to_owned()]);
        for path in paths {
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
                let key = format!("{method} {}", by_variable(&path));
                if taken.contains(&key) {
                    continue;
                }
                let (status, body) = answer(backend.request(method.parse().expect("a method"), &path)).await;
                assert_eq!((status, body), (404, json!({ "error": "no such endpoint" })), "{method} {path}");
            }
        }
    });
}

/// An example's path with its name put back into a variable.
fn by_variable(path: &str) -> String {
    match path.rsplit_once('/') {
        Some((start, name)) if name.len() > 32 => format!("{start}/{{name}}"),
        _ => path.to_owned(),
    }
}

#[test]
fn who_is_not_signed_in_is_refused() {
    run(async {
        let backend = shared().await;
        let mut open = BTreeSet::new();
        for operation in operations(&description()) {
            let is_open = OPEN.contains(&operation.id());
            let says_closed =
                operation.said.get("security").is_some_and(|security| *security == json!([{ "bearer": [] }]));
            assert_ne!(is_open, says_closed, "{}", operation.id());
            if is_open {
                open.insert(operation.id().to_owned());
                let status = without_credentials(&operation).await.status();
                assert_ne!(status, 401, "{} is listed as open", operation.id());
                continue;
            }
            assert_eq!(read(without_credentials(&operation).await).await, not_signed_in(), "{}", operation.id());
            for credential in ["Bearer nonsense", "Bearer a.b.c", "Basic eDp5", "bearer"] {
                let request = backend.request(operation.method(), &operation.example());
                let refused = answer(request.header("authorization", credential)).await;
                assert_eq!(refused, not_signed_in(), "{} with {credential}", operation.id());
            }
            assert!(operation.said["responses"]["401"].is_object(), "{} does not say 401", operation.id());
        }
        assert_eq!(open.iter().map(String::as_str).collect::<Vec<_>>(), OPEN, "an exception that is none");
    });
}

/// Whether a JSON content carries an example, itself or by its schema.
fn has_example(api: &Value, content: &Value) -> bool {
    let with = |value: &Value| value.get("example").is_some() || value.get("examples").is_some();
    let schema = &content["schema"];
    let mut places = [schema, &schema["items"], &schema["oneOf"][0]].into_iter();
    with(content)
        || places.any(|place| {
            let reference = place["$ref"].as_str().map(|reference| reference.trim_start_matches('#'));
            with(place) || reference.and_then(|reference| api.pointer(reference)).is_some_and(with)
        })
}

#[test]
fn every_operation_is_described_with_examples() {
    let api = description();
    let mut ids = BTreeSet::new();
    for operation in operations(&api) {
        let (key, said) = (operation.key(), &operation.said);
        assert!(ids.insert(operation.id().to_owned()), "{} is the id of two operations", operation.id());
        assert!(
            said["summary"]
                .as_str()
                .is_some_and(|summary| summary.ends_with(['.', 's', 'n', 'e', 'r', 'd', 'k']) && summary.len() > 8),
            "{key}: summary"
        );
        let tags = said["tags"].as_array().unwrap_or_else(|| panic!("{key} has no tags"));
        assert_eq!(tags.len(), 1, "{key}");
        let responses = said["responses"].as_object().unwrap_or_else(|| panic!("{key} has no responses"));
        assert!(responses.keys().any(|status| status.starts_with('2')), "{key} never succeeds");
        for (status, response) in responses {
            let place = format!("{key} {status}");
            assert!(response["description"].as_str().is_some_and(|text| !text.is_empty()), "{place}");
            let content = response["content"].as_object();
            // Bytes show themselves; a HEAD, a redirect, a 304 and a 416 have no body.
            let bodiless = operation.method == "HEAD" || ["302", "304", "416"].contains(&status.as_str());
            assert_eq!(content.is_none(), bodiless, "{place}");
            for (kind, content) in content.into_iter().flatten() {
                assert!(kind != "application/json" || has_example(&api, content), "{place} has no example");
            }
        }
        for parameter in said["parameters"].as_array().into_iter().flatten() {
            assert!(parameter.get("example").is_some() && parameter.get("description").is_some(), "{key}: {parameter}");
        }
        for (kind, content) in said["requestBody"]["content"].as_object().into_iter().flatten() {
            assert!(kind != "application/json" || has_example(&api, content), "{key} has no example to send");
        }
    }
}

#[test]
fn refusals_in_examples_are_the_ones_that_are_given() {
    for operation in operations(&description()) {
        for (status, response) in operation.said["responses"].as_object().expect("responses") {
            let example = &response["content"]["application/json"]["example"];
            if example.is_object() && !status.starts_with('2') {
                let words = example
                    .as_object()
                    .filter(|example| example.len() == 1)
                    .and_then(|example| example["error"].as_str());
                assert!(words.is_some(), "{} {status}: {example}", operation.key());
                let known = *example == not_signed_in().1;
                assert_eq!(known, status == "401", "{} {status}: {example}", operation.key());
            }
        }
    }
}

/// The description as it is committed: keys in alphabetical order, whatever a dependency makes of them.
fn written(value: &Value) -> String {
    fn sorted(value: &Value) -> Value {
        match value {
            Value::Object(object) => {
                let keys: BTreeSet<&String> = object.keys().collect();
                Value::Object(keys.into_iter().map(|key| (key.clone(), sorted(&object[key]))).collect())
            }
            Value::Array(values) => values.iter().map(sorted).collect(),
            other => other.clone(),
        }
    }
    let text = serde_json::to_string_pretty(&sorted(value)).expect("JSON");
    format!("{text}\n")
}

#[test]
fn the_committed_description_is_the_functions_own() {
    let file = root().join("docs/openapi/messenger.json");
    let generated = written(&description());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(file.parent().expect("a folder")).expect("the folder");
        fs::write(&file, &generated).expect("written");
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    let hint = "run `UPDATE_DOCS=1 cargo test -p handset-tests --test it contract` and commit what changed";
    assert!(committed == generated, "docs/openapi/messenger.json is out of date: {hint}");
}

#[test]
fn the_local_run_serves_the_same_description() {
    run(async {
        let (status, served) = answer(shared().await.get("/_local/openapi.json")).await;
        assert_eq!((status, served), (200, description()));
    });
}

#[test]
fn policy_numbers_are_the_documented_ones() {
    let expected = [
        ("CodeDigits", "6"),
        ("CodeTtlSeconds", "300"),
        ("CodeGuesses", "5"),
        ("ResendSeconds", "60"),
        ("CodesPerPhoneHour", "5"),
        ("CodesPerPhoneDay", "10"),
        ("CodesPerIpHour", "60"),
        ("AllowedCountries", "86"),
        ("ConversionMinimumSends", "50"),
        ("ConversionMinimumPercent", "20"),
        ("ExposeCodes", "false"),
        ("LookupNumbersPerCall", "2000"),
        ("LookupNumbersPerDay", "20000"),
        ("ImageMaxBytes", "20971520"),
        ("ImageMaxPixels", "50000000"),
        ("AudioMaxBytes", "20971520"),
        ("AccessTokenSeconds", "3600"),
        ("RefreshSlidingDays", "30"),
        ("RefreshAbsoluteDays", "180"),
        ("RefreshGraceSeconds", "60"),
        ("SessionsPerAccount", "10"),
        ("Architecture", "arm64"),
    ];
    let (template, stack) = (template(), stack());
    for (name, value) in expected {
        let parameter = template.parameters().get(name).unwrap_or_else(|| panic!("no parameter {name}"));
        assert_eq!(parameter.default.as_deref(), Some(value), "{name}");
        if name == "Architecture" {
            continue;
        }
        let variable = screaming(name);
        for function in &stack.functions {
            assert_eq!(
                function.environment.get(&variable).map(String::as_str),
                Some(value),
                "{variable} of {}",
                function.binary
            );
        }
    }
    for (name, parameter) in template.parameters() {
        assert!(
            parameter.description.as_ref().is_some_and(|text| text.len() > 15),
            "{name} does not say what it is for"
        );
    }
}

/// `CodeTtlSeconds` as `CODE_TTL_SECONDS`.
fn screaming(name: &str) -> String {
    let mut variable = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !variable.is_empty() {
            variable.push('_');
        }
        variable.push(letter.to_ascii_uppercase());
    }
    variable
}

#[test]
fn every_variable_that_is_set_is_read() {
    let mut sources = String::new();
    let mut waiting = vec![root().join("shared/src"), root().join("functions")];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push_str(&fs::read_to_string(&path).expect("a source"));
        }
    }
    for function in stack().functions {
        for variable in function.environment.keys() {
            assert!(sources.contains(&format!("\"{variable}\"")), "{} of {} is never read", variable, function.binary);
        }
    }
}

#[test]
fn the_table_has_its_keys_its_indexes_and_its_safety_nets() {
    let stack = stack();
    assert_eq!(stack.tables.len(), 1);
    let table = &stack.tables[0].properties;
    let key = |hash: &str, range: &str| json!([{ "AttributeName": hash, "KeyType": "HASH" }, { "AttributeName": range, "KeyType": "RANGE" }]);
    assert_eq!(table["KeySchema"], key("pk", "sk"));
    let index = |list: &str, name: &str, keys: Value| {
        let list = table[list].as_array().unwrap_or_else(|| panic!("no {list}"));
        assert_eq!(list.len(), 1, "{list:?}");
        assert_eq!((&list[0]["IndexName"], &list[0]["KeySchema"]), (&json!(name), &keys));
        assert_eq!(list[0]["Projection"], json!({ "ProjectionType": "ALL" }));
    };
    index("LocalSecondaryIndexes", "by-version", key("pk", "version"));
    index("GlobalSecondaryIndexes", "open-rooms", key("open", "opened"));
    assert_eq!(table["BillingMode"], "PAY_PER_REQUEST");
    assert_eq!(table["TimeToLiveSpecification"], json!({ "AttributeName": "ttl", "Enabled": true }));
    assert_eq!(table["PointInTimeRecoverySpecification"], json!({ "PointInTimeRecoveryEnabled": true }));
    assert_eq!(table["SSESpecification"], json!({ "SSEEnabled": true }));
}

#[test]
fn the_bucket_is_private_encrypted_and_tidy() {
    let stack = stack();
    assert_eq!(stack.buckets.len(), 1);
    let bucket = &stack.buckets[0].properties;
    for block in ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"] {
        assert_eq!(bucket["PublicAccessBlockConfiguration"][block], true, "{block}");
    }
    assert_eq!(bucket["OwnershipControls"]["Rules"][0]["ObjectOwnership"], "BucketOwnerEnforced");
    let encryption = &bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0];
    assert!(encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"].is_string());
    let rules = bucket["LifecycleConfiguration"]["Rules"].as_array().expect("rules");
    let aborts = |rule: &Value| {
        rule["Status"] == "Enabled" && rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 1
    };
    assert!(rules.iter().any(aborts), "{rules:?}");
    // Nothing that is stored expires by itself: names are public for as long as their owners like.
    assert!(rules.iter().all(|rule| rule.get("ExpirationInDays").is_none()), "{rules:?}");
}

#[test]
fn data_outlives_the_stack() {
    let text = fs::read_to_string(root().join("template.yaml")).expect("template.yaml");
    for kind in ["AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SecretsManager::Secret"] {
        let (_, after) = text.split_once(&format!("Type: {kind}\n")).unwrap_or_else(|| panic!("no {kind}"));
        let head: Vec<_> = after.lines().take(2).map(str::trim).collect();
        assert_eq!(head, ["DeletionPolicy: Retain", "UpdateReplacePolicy: Retain"], "{kind}");
    }
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn no_role_allows_more_than_it_names() {
    for function in stack().functions {
        for statement in &function.policies {
            let place = format!("{}: {statement}", function.logical_id);
            assert_eq!(statement["Effect"], "Allow", "{place}");
            assert!(statement["Sid"].as_str().is_some_and(|sid| sid.len() > 5), "{place}");
            let actions = texts(&statement["Action"]);
            assert!(!actions.is_empty() && actions.iter().all(|action| !action.contains('*')), "{place}");
            let resources = texts(&statement["Resource"]);
            // A phone number has no ARN, so what may be published to is said by what may not.
            let is_sms = actions == ["sns:Publish"] && texts(&statement["NotResource"]) == ["arn:aws:sns:*:*:*"];
            assert!(!resources.is_empty() || is_sms, "{place}");
            for resource in resources {
                let head = resource.strip_suffix("/*").unwrap_or(resource);
                assert!(!head.contains('*'), "{place}");
            }
            let scans = ["dynamodb:Scan", "dynamodb:DeleteTable", "s3:ListAllMyBuckets"];
            assert!(actions.iter().all(|action| !scans.contains(action)), "{place}");
        }
    }
}

#[test]
fn what_only_one_function_may_do_only_one_function_may_do() {
    let stack = stack();
    let may = |action: &str, part: &str| -> Vec<&str> {
        let allows = |statement: &Value| {
            let resources = texts(if statement.get("Resource").is_some() {
                &statement["Resource"]
            } else {
                &statement["NotResource"]
            });
            texts(&statement["Action"]).contains(&action) && resources.iter().any(|resource| resource.contains(part))
        };
        let functions = stack.functions.iter().filter(|function| function.policies.iter().any(allows));
        functions.map(|function| function.binary.as_str()).collect()
    };
    assert_eq!(may("s3:PutObject", "/originals/"), ["media"]);
    assert_eq!(may("s3:PutObject", "/thumbnails/"), ["resize"]);
    assert!(may("s3:DeleteObject", "").is_empty());
    assert_eq!(may("sns:Publish", ""), ["codes"]);
    assert!(stack.functions.iter().all(|function| function.binary != "rooms" || function.policies.is_empty()));
}

#[test]
fn functions_are_built_and_run_alike() {
    let text = fs::read_to_string(root().join("template.yaml")).expect("template.yaml");
    let said = |key: &str| -> Vec<&str> {
        text.lines().map(str::trim).filter_map(|line| line.strip_prefix(key)).map(str::trim).collect()
    };
    // In Globals, and nowhere else.
    assert_eq!(said("Runtime:"), ["provided.al2023"]);
    assert_eq!(said("Architectures:"), ["[!Ref Architecture]"]);
    assert_eq!(said("Handler:"), ["bootstrap"]);
    assert_eq!(said("Tracing:"), ["Active"]);
    let functions = stack().functions;
    assert_eq!(said("BuildMethod:"), vec!["rust-cargolambda"; functions.len()]);
    assert_eq!(said("LogFormat:"), vec!["JSON"; functions.len()]);
    let mut binaries = BTreeSet::new();
    for function in &functions {
        assert!((1..=29).contains(&function.timeout), "{} outlives the gateway's patience", function.binary);
        assert!((128..=10_240).contains(&function.memory_mb), "{}", function.binary);
        assert!(binaries.insert(function.binary.as_str()));
        assert!(root().join(format!("functions/{}/src/main.rs", function.binary)).is_file());
        assert!(text.contains(&format!("CodeUri: functions/{}\n", function.binary)), "{}", function.binary);
        assert!(
            text.contains(&format!("/aws/lambda/${{AWS::StackName}}-{}\n", function.binary)),
            "{}",
            function.binary
        );
    }
}

#[test]
fn browsers_may_send_and_read_what_the_api_uses() {
    let cors = stack().cors.expect("CORS rules");
    for route in routes_owned() {
        let method = route.split(' ').next().expect("a method").to_owned();
        assert!(cors.allow_methods.contains(&method), "{method}");
    }
    let lower = |list: &[String]| list.iter().map(|name| name.to_lowercase()).collect::<BTreeSet<_>>();
    for header in ["authorization", "content-type", "range", "if-none-match", "if-range", "if-modified-since"] {
        assert!(lower(&cors.allow_headers).contains(header), "{header}");
    }
    for header in ["content-range", "accept-ranges", "etag", "retry-after"] {
        assert!(lower(&cors.expose_headers).contains(header), "{header}");
    }
    assert!(!cors.allow_credentials, "with * as the origin browsers refuse that");
}
