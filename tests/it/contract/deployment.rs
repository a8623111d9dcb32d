//! The template's contents besides routes: numbers, data, roles.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use super::{root, routes, stack, stack_with, template};

#[test]
#[expect(clippy::too_many_lines, reason = "every parameter has its line")]
fn policy_numbers_are_the_documented_ones() {
    let expected = [
        ("CodeDigits", "6"),
        ("CodeTtlSeconds", "300"),
        ("CodeGuesses", "5"),
        ("ResendSeconds", "60"),
        ("CodesPerPhoneHour", "5"),
        ("CodesPerPhoneDay", "10"),
        ("CodesPerPhoneHourReserved", "2"),
        ("CodesPerPhoneDayReserved", "4"),
        ("CodesPerIpHour", "60"),
        ("CodesPerCountryReservedPercent", "25"),
        ("CaptchaThresholdPercent", "50"),
        ("AllowedCountries", "86"),
        ("ConversionMinimumSends", "50"),
        ("ConversionMinimumPercent", "20"),
        ("ConversionPerAddress", "5"),
        ("ConversionAddresses", "8"),
        ("ExposeCodes", "false"),
        ("LookupNumbersPerCall", "5000"),
        ("LookupNumbersPerDay", "20000"),
        ("ImageMaxBytes", "20971520"),
        ("ImageMaxPixels", "50000000"),
        ("AudioMaxBytes", "20971520"),
        ("MediaBytesPerAccount", "2147483648"),
        ("AccessTokenSeconds", "3600"),
        ("RefreshSlidingDays", "30"),
        ("RefreshAbsoluteDays", "180"),
        ("RefreshGraceSeconds", "60"),
        ("ChatTokenSeconds", "3600"),
        ("SessionsPerAccount", "10"),
        ("CodesPerCountryHour", "2000"),
        ("CodesPerCountryDay", "20000"),
        ("CaptchaSeconds", "180"),
        ("CaptchaRequired", "adaptive"),
        ("CookieSessionDays", "30"),
        ("DeviceSessionDays", "180"),
        ("RoomsSessionHours", "24"),
        ("FailuresPerAccount", "10"),
        ("FailuresPerIp", "50"),
        ("KnownAddressDays", "90"),
        ("KnownAddresses", "20"),
        ("AccountsPerIpHour", "30"),
        ("ChecksPerIpDay", "1000"),
        ("FailureWindowSeconds", "600"),
        ("VerificationSeconds", "600"),
        ("GroupsPerDay", "50"),
        ("GroupsAddedByStrangers", "500"),
        ("GroupsAdded", "1000"),
        ("InvitationsPerDay", "50"),
        ("ReportsPerDay", "20"),
        ("BlockedPerAccount", "5000"),
        ("SpreadSeconds", "60"),
        ("SpreadsPerDay", "20"),
        ("StrangerPushesPerHour", "20"),
        ("GroupPushesPerHour", "20"),
        ("ReauthenticateAfterHours", "24"),
        ("SignUps", "true"),
        ("AnonymousAccounts", "true"),
        ("AnonymousAccountsPerIpHour", "30"),
        ("AnonymousAccountDays", "30"),
        ("DeletionGraceDays", "0"),
        ("TellUnknownNumbers", "false"),
        ("AnonymousRooms", "true"),
        ("RoomsPerOwner", "100"),
        ("AnonymousRoomHours", "24"),
        ("AnonymousRoomsPerIpHour", "60"),
    ];
    let (template, stack) = (template(), stack());
    for (name, value) in expected {
        let parameter = template.parameters().get(name).unwrap_or_else(|| panic!("no parameter {name}"));
        assert_eq!(parameter.default.as_deref(), Some(value), "{name}");
        let variable = screaming(name);
        let only: &[&str] = match name {
            "CaptchaRequired" => &["auth", "codes", "rooms"],
            "DeletionGraceDays" => &["auth"],
            _ => &[],
        };
        for function in stack.functions.iter().filter(|f| only.is_empty() || only.contains(&f.binary.as_str())) {
            assert_eq!(
                function.environment.get(&variable).map(String::as_str),
                Some(value),
                "{variable} of {}",
                function.binary
            );
        }
    }
    let listed: BTreeSet<&str> = expected.iter().map(|(name, _)| *name).collect();
    // Parameters that are not limits for users.
    let others = [
        "CodesConcurrency",
        "DeletedMediaDays",
        "DeletionProtection",
        "LogRetentionDays",
        "MediaCdn",
        "Observability",
        "ResizeConcurrency",
        "RollbackFailures",
        "SmsBudgetUsd",
        "ThrottleBurst",
        "ThrottleRate",
    ];
    for (name, parameter) in template.parameters() {
        let default = parameter.default.as_deref().unwrap_or_default();
        let is_policy = default == "true" || default == "false" || default.parse::<u64>().is_ok();
        let is_listed = listed.contains(name.as_str()) || others.contains(&name.as_str());
        assert!(is_listed || !is_policy, "{name} is not listed here");
        assert!(
            parameter.description.as_ref().is_some_and(|text| text.len() > 15),
            "{name} does not say what it is for"
        );
    }
}

/// The default value in a cell of README's table, which is written for people.
fn told(words: &str) -> Option<String> {
    match words {
        "none" | "the host of the request" => Some(String::new()),
        // The text itself would not fit into the cell.
        "English" => None,
        number if number.starts_with(|first: char| first.is_ascii_digit()) => {
            let (digits, unit) = number.split_once(' ').unwrap_or((number, ""));
            let times = match unit {
                "" => 1,
                "MB" => 1 << 20,
                "GB" => 1 << 30,
                "million" => 1_000_000,
                unit => panic!("what is the unit {unit}?"),
            };
            Some((digits.replace(',', "").parse::<u64>().unwrap() * times).to_string())
        }
        quoted => Some(quoted.trim_matches('`').to_owned()),
    }
}

#[test]
fn the_readme_tells_the_defaults_of_parameters_that_there_are() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let (_, table) = readme.split_once("| parameter | default | meaning |\n").unwrap();
    let template = template();
    let mut count = 0;
    for row in table.lines().skip(1).take_while(|row| row.starts_with('|')) {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let names: Vec<_> = cells[1].split(", ").map(|name| name.trim_matches('`')).collect();
        let defaults: Vec<_> = cells[2].split(", ").map(told).collect();
        assert!([1, names.len()].contains(&defaults.len()), "{row}");
        for (name, default) in names.iter().zip(defaults.iter().cycle()) {
            let parameter = template.parameters().get(*name).unwrap_or_else(|| panic!("no parameter {name}"));
            let real = parameter.default.clone().unwrap_or_default();
            assert!(default.as_ref().is_none_or(|default| *default == real), "{name} is {real:?}, not {default:?}");
            count += 1;
        }
    }
    assert!(count > 40, "only {count} parameters were found in the table");
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
    let mut waiting = vec![root().join("shared"), root().join("functions")];
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
    // A local index could never be removed, and limits every partition to 10 GB.
    assert_eq!(table.get("LocalSecondaryIndexes"), None);
    index("GlobalSecondaryIndexes", "open-rooms", key("open", "opened"));
    assert_eq!(table["BillingMode"], "PAY_PER_REQUEST");
    assert_eq!(table["TimeToLiveSpecification"], json!({ "AttributeName": "ttl", "Enabled": true }));
    assert_eq!(table["PointInTimeRecoverySpecification"], json!({ "PointInTimeRecoveryEnabled": true }));
    // With DynamoDB's own key, instead of one with paid KMS calls.
    assert_eq!(table["SSESpecification"], json!({ "SSEEnabled": false }));
    // Set by a parameter, so that a developer can delete their own stage.
    assert_eq!(table["DeletionProtectionEnabled"], "false");
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
    // Served media never expire automatically: names stay public as long as their owners like.
    let expiring = rules.iter().filter(|rule| rule.get("ExpirationInDays").is_some());
    let days: Vec<_> = expiring.map(|rule| (rule["Prefix"].as_str(), rule["ExpirationInDays"].as_u64())).collect();
    assert_eq!(days, [(Some("uploads/"), Some(1)), (Some("refusals/"), Some(30))]);
}

#[test]
fn what_waits_in_the_bucket_is_gone_in_a_day_where_deleted_media_are_kept_too() {
    for days in ["0", "7"] {
        let stack = stack_with(&[("DeletedMediaDays", days)]);
        let bucket = &stack.buckets[0].properties;
        assert_eq!(bucket.get("VersioningConfiguration").is_some(), days == "7");
        let rules = bucket["LifecycleConfiguration"]["Rules"].as_array().expect("rules");
        let waiting: Vec<_> = rules.iter().filter(|rule| rule["Prefix"] == "uploads/").collect();
        assert_eq!(waiting.len(), 1, "{rules:?}");
        let rule = waiting[0];
        assert_eq!((&rule["Status"], &rule["ExpirationInDays"]), (&json!("Enabled"), &json!(1)));
        // A raw upload contains its location, and in a versioned bucket moving it only hides it.
        assert_eq!(rule["NoncurrentVersionExpiration"]["NoncurrentDays"], 1);
    }
}

#[test]
fn scripts_may_read_what_the_bucket_answers() {
    let stack = stack();
    let rules = &stack.buckets[0].properties["CorsConfiguration"]["CorsRules"];
    let [rule] = &rules.as_array().expect("rules")[..] else { panic!("{rules}") };
    // After a redirect from another host the origin is null, which only * matches.
    assert_eq!(texts(&rule["AllowedOrigins"]), ["*"]);
    assert_eq!(texts(&rule["AllowedMethods"]), ["GET", "HEAD", "POST"]);
    assert_eq!(texts(&rule["AllowedHeaders"]), ["*"]);
    assert_eq!(texts(&rule["ExposedHeaders"]), ["Accept-Ranges", "Content-Length", "Content-Range", "ETag"]);
    assert!(rule["MaxAge"].as_u64().is_some_and(|seconds| seconds > 0), "{rule}");
}

#[test]
fn data_outlives_the_stack() {
    let text = fs::read_to_string(root().join("template.yaml")).expect("template.yaml");
    for kind in ["AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SecretsManager::Secret", "AWS::KMS::Key"] {
        let (_, after) = text.split_once(&format!("Type: {kind}\n")).unwrap_or_else(|| panic!("no {kind}"));
        let head: Vec<_> = after.lines().take(2).map(str::trim).collect();
        // But not after its own first deployment failed; otherwise the bucket's name would be taken at the next
        // attempt.
        assert_eq!(head, ["DeletionPolicy: RetainExceptOnCreate", "UpdateReplacePolicy: Retain"], "{kind}");
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
            // A phone number has no ARN, so the statement lists what may not be published to.
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
    // `rooms` receives pictures as the body of `PUT /users/icon/{pk}/`, and stores them like `media`.
    assert_eq!(may("s3:PutObject", "/originals/images/"), ["media", "rooms"]);
    assert_eq!(may("s3:PutObject", "/originals/audios/"), ["media"]);
    assert_eq!(may("s3:PutObject", "/thumbnails/"), ["resize"]);
    assert_eq!(may("s3:PutObject", "/refusals/"), ["resize"]);
    // `jobs` removes the media of deleted users; `media` removes uploads once they are processed.
    assert_eq!(may("s3:DeleteObject", ""), ["jobs", "media"]);
    assert_eq!(may("s3:DeleteObjectVersion", ""), ["jobs"]);
    assert_eq!(may("s3:DeleteObject", "/uploads/"), ["media"]);
    for kept in ["/originals/images/", "/originals/audios/", "/thumbnails/", "/refusals/"] {
        assert_eq!(may("s3:DeleteObject", kept), ["media"], "{kept}");
    }
    assert_eq!(may("sns:Publish", ""), ["auth", "codes", "notify", "rooms"]);
    for action in ["sqs:SendMessage", "sqs:ChangeMessageVisibility"] {
        assert_eq!(may(action, ":handset-Jobs"), ["jobs"], "{action}");
    }
    assert_eq!(may("sqs:SendMessage", ":handset-Pushes"), ["notify"]);
    for action in ["kms:Decrypt", "kms:GenerateDataKey"] {
        assert_eq!(may(action, ""), ["profiles"], "{action}");
    }
    assert_eq!(may("dynamodb:Query", ""), ["jobs", "media", "rooms", "social"], "everything else goes by whole keys");
}

#[test]
fn functions_are_built_and_run_alike() {
    let text = fs::read_to_string(root().join("template.yaml")).expect("template.yaml");
    let said = |key: &str| -> Vec<&str> {
        text.lines().map(str::trim).filter_map(|line| line.strip_prefix(key)).map(str::trim).collect()
    };
    // Only in Globals.
    assert_eq!(said("Runtime:"), ["provided.al2023"]);
    assert_eq!(said("Architectures:"), ["[!Ref Architecture]"]);
    assert_eq!(said("Handler:"), ["bootstrap"]);
    assert_eq!(said("Tracing:"), ["Active"]);
    let functions = stack().functions;
    assert_eq!(said("BuildMethod:"), vec!["rust-cargolambda"; functions.len()]);
    assert_eq!(said("LogFormat:"), vec!["JSON"; functions.len()]);
    let mut binaries = BTreeSet::new();
    for function in &functions {
        let longest = if function.routes.is_empty() { 900 } else { 29 };
        assert!((1..=longest).contains(&function.timeout), "{} outlives the gateway's patience", function.binary);
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

/// The request headers of conditional downloads.
const CONDITIONS: [&str; 5] = ["if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since"];

#[test]
fn browsers_may_send_and_read_what_the_api_uses() {
    let cors = stack().cors.expect("CORS rules");
    for route in routes(&stack()).into_keys() {
        let method = route.split(' ').next().expect("a method").to_owned();
        assert!(method == "ANY" || cors.allow_methods.contains(&method), "{method}");
    }
    let lower = |list: &[String]| list.iter().map(|name| name.to_lowercase()).collect::<BTreeSet<_>>();
    // What the client libraries of the Supabase API send.
    let libraries = ["apikey", "x-client-info", "x-supabase-api-version", "x-retry-count"];
    for header in CONDITIONS.into_iter().chain(["authorization", "content-type", "range"]).chain(libraries) {
        assert!(lower(&cors.allow_headers).contains(header), "{header}");
    }
    for header in ["content-range", "accept-ranges", "etag", "retry-after", "x-sb-error-code", "x-supabase-api-version"]
    {
        assert!(lower(&cors.expose_headers).contains(header), "{header}");
    }
    assert!(!cors.allow_credentials, "with * as the origin browsers refuse that");
}
